package dev.sund.cli;

import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code sund lab trace}: explains a way through the rules in force. */
@Command(
    name = "trace",
    header = "Explain hop by hop what the rules in force do to a packet.",
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:the rules in force are as wanted; with --live: it arrives, and its answer comes back",
      "1:they are not; with --live: it does not",
      "2:bad input: an argument, or a sender that no agent can send for",
      "3:could not run: no lab stands, or an agent does not answer",
      "4:with --live: a kernel does something else than the program says"
    },
    footer = {
      "  sudo ./sund lab trace shop/web-6d4f9c7b58-2xkqp shop/db-0",
      "  sudo ./sund lab trace --live shop/db-0 production/backend:5432",
      "  sudo ./sund lab trace -o json shop/db-0 production/backend:5432"
    })
final class LabTraceCommand implements Callable<Integer> {
  @Mixin LabTalk lab = new LabTalk();

  @Mixin LabParties parties = new LabParties();

  @Option(
      names = "--live",
      description = {
        "Send a real packet, a handshake by TCP or a datagram by UDP, and show what the kernel of"
            + " each node on its way does with it."
      })
  boolean live;

  @Mixin OutputFormat output = new OutputFormat();

  @Spec CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() {
    if (parties.parties.size() < 2) {
      throw new ParameterException(spec.commandLine(), "FROM and TO are needed");
    }
    List<String> words = parties.after("trace");
    if (live) {
      words.add("--live");
    }
    if (output.json()) {
      words.add("--json");
    }
    return lab.say(words);
  }
}
