package dev.sund.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code sund lab trace}: explains a way through the rules in force. */
@Command(
    name = "trace",
    header = "Explain hop by hop what the rules in force do to a packet.",
    footer = {"  sudo ./sund lab trace shop/web-6d4f9c7b58-2xkqp shop/db-0"})
final class LabTraceCommand implements Callable<Integer> {
  @Mixin LabTalk lab = new LabTalk();

  @Parameters(
      arity = "2",
      paramLabel = "PARTY",
      description =
          "FROM and TO: a pod or its owner as NAMESPACE/NAME, a node, outside, an address.")
  List<String> parties = new ArrayList<>();

  @Override
  public Integer call() {
    List<String> words = new ArrayList<>(List.of("trace"));
    words.addAll(parties);
    return lab.say(words);
  }
}
