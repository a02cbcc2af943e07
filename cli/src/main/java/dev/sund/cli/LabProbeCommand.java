package dev.sund.cli;

import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code sund lab probe}: predicts and measures again. */
@Command(
    name = "probe",
    header = "Predict and measure again: everything, or from one party to another.",
    footer = {
      "  sudo ./sund lab probe shop/web shop/db",
      "  sudo ./sund lab probe outside svc/shop/web:80"
    })
final class LabProbeCommand implements Callable<Integer> {
  @Mixin LabTalk lab = new LabTalk();

  @Mixin LabParties parties = new LabParties();

  @Override
  public Integer call() {
    return lab.say(parties.after("probe"));
  }
}
