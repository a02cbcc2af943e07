package dev.sund.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code sund lab roll}: replaces pods while connections to their Service come and go. */
@Command(
    name = "roll",
    header = "Replace the pods of a Deployment, one after the other, under connections.",
    description = {
      "A new pod runs and is ready, then an old one is told to end, then it is deleted, while another"
          + " pod makes 200 connections a second to the Service in front of them. The last line"
          + " counts; exit code 0 when none was lost, 1 when some were."
    },
    footer = {
      "  sudo ./sund lab roll shop/web          in a lab with examples/services",
      "  sudo ./sund lab roll shop/web -o json"
    })
final class LabRollCommand implements Callable<Integer> {
  @Mixin LabTalk lab = new LabTalk();

  @Mixin OutputFormat output = new OutputFormat();

  @Parameters(
      paramLabel = "OWNER",
      description = "Whose pods, as NAMESPACE/NAME: a Deployment, or what the matrix calls them.")
  String owner = "";

  @Override
  public Integer call() {
    List<String> words = new ArrayList<>(List.of("roll", owner));
    if (output.json()) {
      words.add("--json");
    }
    return lab.say(words);
  }
}
