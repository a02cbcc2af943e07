package dev.sund.cli;

import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code sund lab trace}: explains a way through the rules in force. */
@Command(
    name = "trace",
    header = "Explain hop by hop what the rules in force do to a packet.",
    footer = {"  sudo ./sund lab trace shop/web-6d4f9c7b58-2xkqp shop/db-0"})
final class LabTraceCommand implements Callable<Integer> {
  @Mixin LabTalk lab = new LabTalk();

  @Mixin LabParties parties = new LabParties();

  @Spec CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() {
    if (parties.parties.size() < 2) {
      throw new ParameterException(spec.commandLine(), "FROM and TO are needed");
    }
    return lab.say(parties.after("trace"));
  }
}
