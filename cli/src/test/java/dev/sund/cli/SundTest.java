package dev.sund.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;
import picocli.CommandLine.Command;

class SundTest {
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  private int run(String... arguments) {
    return line(Sund.commandLine(Map.of())).execute(arguments);
  }

  private CommandLine line(CommandLine line) {
    return line.setOut(new PrintWriter(out)).setErr(new PrintWriter(err));
  }

  @Test
  void withoutACommandItPrintsWhatThereIs() {
    assertThat(run()).isEqualTo(ExitCode.OK);
    assertThat(out.toString()).contains("lab", "trace", "agent", "verify", "Exit codes");
  }

  static Stream<Arguments> commands() {
    return commands(Sund.commandLine(Map.of()))
        .map(line -> Arguments.of(line.getCommandSpec().qualifiedName(), line));
  }

  private static Stream<CommandLine> commands(CommandLine line) {
    return line.getSubcommands().values().stream()
        .flatMap(sub -> Stream.concat(Stream.of(sub), commands(sub)));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("commands")
  void everyCommandHasAHeaderExamplesAndExitCodes(String name, CommandLine command) {
    String usage = command.getUsageMessage();
    assertThat(command.getCommandSpec().usageMessage().header()).isNotEmpty();
    assertThat(usage).contains("Examples:", "Exit codes:", "--help");
    assertThat(usage.lines()).allSatisfy(line -> assertThat(line.length()).isLessThan(120));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("commands")
  void aCommandThatIsNamedFirstIsReadAlone(String name, CommandLine command) {
    String[] words = name.split(" ");
    CommandLine line = Sund.commandLine(Map.of(), words[1]);
    assertThat(line.getCommandSpec().subcommands())
        .hasSizeBetween(1, words[1].equals("completion") ? 100 : 1);
    CommandLine alone = line;
    for (int i = 1; i < words.length; i++) {
      alone = alone.getSubcommands().get(words[i]);
    }
    assertThat(alone.getUsageMessage()).isEqualTo(command.getUsageMessage());
    assertThat(alone.getCommandName()).isEqualTo(words[words.length - 1]);
  }

  @Test
  void anUnknownCommandIsBadInputAndNamesTheNearest() {
    assertThat(run("tset")).isEqualTo(ExitCode.BAD_INPUT);
    assertThat(err.toString())
        .isEqualTo(
            """
            sund: there is no command 'tset'. Did you mean 'test'?
            Try 'sund --help'.
            """);
  }

  @Test
  void anUnknownOptionIsBadInputAndPointsToTheHelp() {
    assertThat(run("lab", "--nods", "3")).isEqualTo(ExitCode.BAD_INPUT);
    assertThat(err.toString()).contains("'--nods'", "--nodes", "Try 'sund lab --help'.");
  }

  @Command(name = "fail")
  static final class Failing implements Runnable {
    private final RuntimeException failure;

    Failing(RuntimeException failure) {
      this.failure = failure;
    }

    @Override
    public void run() {
      throw failure;
    }
  }

  private int fail(RuntimeException failure, String... options) {
    CommandLine line = Sund.commandLine(Map.of());
    line.addSubcommand(new Failing(failure));
    return line(line)
        .execute(Stream.concat(Stream.of(options), Stream.of("fail")).toArray(String[]::new));
  }

  @Test
  void aFailureIsOneLineWithItsRemedy() {
    assertThat(fail(CommandFailure.badInput("FILE x is empty.", "Name another.")))
        .isEqualTo(ExitCode.BAD_INPUT);
    assertThat(err.toString()).isEqualTo("sund: FILE x is empty. Name another.\n");
  }

  @Test
  void aBugIsOneLineToo() {
    assertThat(fail(new IllegalStateException("odd"))).isEqualTo(ExitCode.COULD_NOT_RUN);
    assertThat(err.toString()).startsWith("sund: IllegalStateException: odd").hasLineCount(1);
  }

  @Test
  void debugAddsTheStack() {
    fail(CommandFailure.couldNotRun("No.", "Yes."), "--debug");
    assertThat(err.toString()).contains("\tat dev.sund.cli.SundTest");
  }

  @ParameterizedTest
  @ValueSource(strings = {"bash", "zsh"})
  void aCompletionScriptIsAcceptedByItsShell(String shell, @TempDir Path folder)
      throws IOException, InterruptedException {
    assertThat(run("completion", shell)).isEqualTo(ExitCode.OK);
    assertThat(out.toString()).contains("lab", "--kubeconfig");
    Assumptions.assumeTrue(
        Stream.of("/bin/", "/usr/bin/").anyMatch(path -> Files.isExecutable(Path.of(path + shell))),
        shell + " is not installed");
    Path script = Files.writeString(folder.resolve("completion"), out.toString());
    Process parsed = new ProcessBuilder(shell, "-n", script.toString()).inheritIO().start();
    assertThat(parsed.waitFor(20, TimeUnit.SECONDS)).isTrue();
    assertThat(parsed.exitValue()).isZero();
  }

  @Test
  void bashCompletesCommandsAndOptions(@TempDir Path folder)
      throws IOException, InterruptedException {
    run("completion", "bash");
    Path script = Files.writeString(folder.resolve("completion"), out.toString());
    String ask =
        """
        . '%s'
        COMP_WORDS=(sund %s); COMP_CWORD=%d; COMP_LINE="sund %s"; COMP_POINT=${#COMP_LINE}
        _complete_sund; printf '%%s\\n' "${COMPREPLY[@]}"
        """;
    assertThat(bash(ask.formatted(script, "ver", 1, "ver"))).contains("verify", "version");
    assertThat(bash(ask.formatted(script, "lab --on", 2, "lab --on"))).contains("--once");
  }

  private static String bash(String text) throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder("bash", "--norc", "-c", text).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes());
    process.waitFor(20, TimeUnit.SECONDS);
    return output;
  }

  @Test
  void colorsAreNotForPipes() {
    assertThat(run("version", "-o", "json")).isEqualTo(ExitCode.OK);
    assertThat(out.toString()).startsWith("{\"sund\":").doesNotContain("\u001b");
  }
}
