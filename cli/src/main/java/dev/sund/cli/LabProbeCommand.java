package dev.sund.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code sund lab probe}: predicts and measures again. */
@Command(
    name = "probe",
    header = "Predict and measure again: everything, or from one party to another.",
    footer = {"  sudo ./sund lab probe shop/web shop/db"})
final class LabProbeCommand implements Callable<Integer> {
  @Mixin LabTalk lab = new LabTalk();

  @Parameters(
      arity = "0..2",
      paramLabel = "PARTY",
      description =
          "FROM and TO: a pod or its owner as NAMESPACE/NAME, a node, outside, an address.")
  List<String> parties = new ArrayList<>();

  @Override
  public Integer call() {
    List<String> words = new ArrayList<>(List.of("probe"));
    words.addAll(parties);
    return lab.say(words);
  }
}
