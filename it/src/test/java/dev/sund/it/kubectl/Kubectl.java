package dev.sund.it.kubectl;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * Runs kubectl: Debian's, which the test runner has unpacked; without a runner the machine's own.
 *
 * @param kubeconfig how it reaches the server
 * @param home for its caches
 */
record Kubectl(Path kubeconfig, Path home) {
  record Answer(int code, String text) {}

  private static String program() {
    Path unpacked = Path.of(System.getProperty("sund.root"), ".sund/kubectl/usr/bin/kubectl");
    return Files.isExecutable(unpacked) ? unpacked.toString() : "kubectl";
  }

  /** Starts it; its output and errors are one stream. */
  Process start(String... arguments) throws IOException {
    List<String> command = new ArrayList<>(List.of(program()));
    command.addAll(List.of(arguments));
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().put("KUBECONFIG", kubeconfig.toString());
    builder.environment().put("HOME", home.toString());
    return builder.start();
  }

  /** Runs it with this standard input. */
  Answer ask(String input, String... arguments) throws IOException, InterruptedException {
    Process process = start(arguments);
    try (var out = process.getOutputStream()) {
      out.write(input.getBytes(StandardCharsets.UTF_8));
    } catch (IOException _) {
      // It ended without reading everything: what it says tells why.
    }
    String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    return new Answer(process.exitValue(), text);
  }

  /** Runs it; it must succeed. What it says. */
  String run(String input, String... arguments) throws IOException, InterruptedException {
    Answer answer = ask(input, arguments);
    assertThat(answer.code()).as(String.join(" ", arguments) + ": " + answer.text()).isZero();
    return answer.text();
  }
}
