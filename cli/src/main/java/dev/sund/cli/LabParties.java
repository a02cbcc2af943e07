package dev.sund.cli;

import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Parameters;

/** From where and to where: the parameters of commands about a way through a lab. */
final class LabParties {
  @Parameters(
      arity = "0..2",
      paramLabel = "PARTY",
      description =
          "FROM and TO: a pod or its owner as NAMESPACE/NAME, a node, outside, an address.")
  List<String> parties = new ArrayList<>();

  /** The words of a command about them. */
  List<String> after(String command) {
    List<String> words = new ArrayList<>(List.of(command));
    words.addAll(parties);
    return words;
  }
}
