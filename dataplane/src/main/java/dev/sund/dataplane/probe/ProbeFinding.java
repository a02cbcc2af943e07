package dev.sund.dataplane.probe;

import dev.sund.model.Ip;
import java.util.List;
import java.util.Optional;

/**
 * What the kernel did to a probe.
 *
 * @param flow its packets, as they came to this node or were born on it
 * @param answer what the sender's socket got
 * @param there what this node's rules did to its first packet
 * @param back what they did to the answer; empty when none came by
 * @param end where the first packet ended on this node, as far as the kernel's rules show it
 */
public record ProbeFinding(
    ProbeFlow flow, Answer answer, List<Step> there, List<Step> back, End end) {
  public ProbeFinding {
    there = List.copyOf(there);
    back = List.copyOf(back);
  }

  /** What a socket gets. */
  public enum Answer {
    /** The destination takes connections at this port, or answered the datagram. */
    ANSWERED("answered"),
    /** The destination, or somebody in its place, refuses: a reset, or port unreachable. */
    REFUSED("refused"),
    /** A machine on the way told that the destination cannot be reached. */
    UNREACHABLE("unreachable"),
    /** Nothing came in time. */
    NONE("no answer"),
    /** Another node's socket gets it: this node has only seen the packets pass. */
    ELSEWHERE("sent elsewhere");

    private final String text;

    Answer(String text) {
      this.text = text;
    }

    /** For people. */
    public String text() {
      return text;
    }

    /** Whether the packet got to somebody who has the address. */
    public boolean arrived() {
      return this == ANSWERED || this == REFUSED;
    }
  }

  /**
   * A rule that spoke, or the end of a base chain that dropped.
   *
   * @param device by which the packet leaves, or came where that is not decided yet; may be empty
   * @param table with its family, such as {@code inet sund-policy}
   * @param chain the chain's name
   * @param rule the rule's handle; 0 for the chain's policy
   * @param text the rule's comment, or what it does
   * @param verdict such as {@code accept}, {@code drop}, {@code jump CHAIN}
   * @param drops whether the packet ends here
   */
  public record Step(
      String device,
      String table,
      String chain,
      long rule,
      String text,
      String verdict,
      boolean drops) {
    @Override
    public String toString() {
      return "%s %s%s: %s%s"
          .formatted(
              table,
              chain,
              rule == 0 ? "" : " rule " + rule,
              verdict,
              text.isEmpty() ? "" : " (" + text + ")");
    }
  }

  /** Where a packet ended on a node. */
  public sealed interface End {}

  /** A rule dropped or rejected it. */
  public record Dropped(Step by) implements End {}

  /**
   * It left.
   *
   * @param device by this device
   * @param source with this source
   * @param destination to this address
   * @param port and this port
   */
  public record Left(String device, Ip source, Ip destination, int port) implements End {}

  /**
   * The node itself got it.
   *
   * @param source from this source
   * @param destination at this address
   * @param port and this port
   */
  public record TakenIn(Ip source, Ip destination, int port) implements End {}

  /**
   * No rule dropped it, and yet it neither left nor came in: it found no route, or something that
   * is no rule of nf_tables stopped it.
   */
  public record Lost() implements End {}

  /** It did not come to this node's rules at all. */
  public record NotSeen() implements End {}

  /** The step that dropped the packet. */
  public Optional<Step> dropped() {
    return end instanceof Dropped(Step by) ? Optional.of(by) : Optional.empty();
  }
}
