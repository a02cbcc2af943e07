package dev.sund.kernel.xtables;

import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * A chain of a table of the older interface.
 *
 * @param name {@code FORWARD}, or as somebody called it
 * @param hook where the kernel calls it (NF_INET_*), empty for a chain that somebody made
 * @param drops whether its policy is to drop; false for a chain that somebody made
 * @param rules what its rules do, in their order
 */
public record XtChain(String name, OptionalInt hook, boolean drops, List<Act> rules) {
  public XtChain {
    rules = List.copyOf(rules);
  }

  /**
   * What a rule does with the packets that it is about.
   *
   * @param all whether it is about all packets
   * @param jump the chain that it leads to
   * @param target {@code ACCEPT}, {@code DROP}, {@code RETURN}, or an extension: {@code
   *     MASQUERADE}; empty for a rule that leads to a chain, or that does nothing
   */
  public record Act(boolean all, Optional<String> jump, String target) {}
}
