package dev.sund.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code sund lab fault}: breaks something, then predicts and measures again. */
@Command(
    name = "fault",
    header = "Break something, then predict and measure again.",
    footer = {
      "  sudo ./sund lab fault kill-agent n1",
      "  sudo ./sund lab fault cut-link n3",
      "  sudo ./sund lab fault cut-link n3 --restore",
      "  sudo ./sund lab fault shrink-mtu n2 1400",
      "  sudo ./sund lab fault delete-route n1 10.244.3.0/24",
      "  sudo ./sund lab fault kill-node n2",
      "  sudo ./sund lab fault restart-node n2",
      "  sudo ./sund lab fault partition n1 n2"
    })
final class LabFaultCommand implements Callable<Integer> {
  @Mixin LabTalk lab = new LabTalk();

  @Parameters(
      arity = "2..*",
      paramLabel = "FAULT",
      description =
          "kill-agent NODE, cut-link NODE, shrink-mtu NODE BYTES, delete-route NODE PREFIX, kill-node"
              + " NODE, restart-node NODE, partition NODE... (these together, apart from all others).")
  List<String> fault = new ArrayList<>();

  @Option(
      names = "--restore",
      description = "Undo cut-link, shrink-mtu or partition of these nodes.")
  boolean restore;

  @Override
  public Integer call() {
    List<String> words = new ArrayList<>(List.of("fault"));
    words.addAll(fault);
    if (restore) {
      words.add("--restore");
    }
    return lab.say(words);
  }
}
