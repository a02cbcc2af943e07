package dev.sund.cli;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code sund lab exec}: runs a program of this machine in a pod's network. */
@Command(
    name = "exec",
    header = "Run a program of this machine in the network of a pod, a node, outside or api.",
    footer = {
      "  sudo ./sund lab exec shop/web -- ip route",
      "  sudo ./sund lab exec n1 -- nft list table inet sund"
    })
final class LabExecCommand implements Callable<Integer> {
  @Mixin LabTalk lab = new LabTalk();

  @Parameters(index = "0", paramLabel = "POD", description = "NAMESPACE/NAME, or a machine.")
  String place = "";

  @Parameters(index = "1..*", arity = "1..*", paramLabel = "COMMAND", description = "What to run.")
  List<String> command = new ArrayList<>();

  @Override
  public Integer call() throws IOException, InterruptedException {
    ByteArrayOutputStream said = new ByteArrayOutputStream();
    int code = lab.say(List.of("where", place), said);
    String answer = said.toString(StandardCharsets.UTF_8).strip();
    if (code != ExitCode.OK) {
      System.err.println(answer);
      return code;
    }
    List<String> line = new ArrayList<>(List.of("nsenter", "--net=" + answer, "--"));
    line.addAll(command);
    return new ProcessBuilder(line).inheritIO().start().waitFor();
  }
}
