package dev.sund.agent.trace;

import dev.sund.dataplane.probe.ProbeFinding;
import dev.sund.dataplane.probe.ProbeFinding.Dropped;
import dev.sund.dataplane.probe.ProbeFinding.Left;
import dev.sund.dataplane.probe.ProbeFinding.Lost;
import dev.sund.dataplane.probe.ProbeFinding.NotSeen;
import dev.sund.dataplane.probe.ProbeFinding.TakenIn;
import dev.sund.engine.trace.Trace;
import dev.sund.model.Ip;
import dev.sund.model.Marks;
import dev.sund.model.NodeName;
import dev.sund.model.Protocol;
import dev.sund.model.Reason;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What a trace says of a packet, as far as the sender's node can see it: one way for each endpoint
 * that the packet may get.
 *
 * @param ways at least one
 */
public record Expectation(List<Way> ways) {
  public Expectation {
    ways = List.copyOf(ways);
  }

  /**
   * One way.
   *
   * @param answered whether it arrives and its answer comes back
   * @param reason the verdict's
   * @param endsHere whether it ends on the sender's node
   * @param device by which it leaves the node, or comes to its pod; empty when it does not
   * @param destination which it has in the end
   * @param masqueraded whether the sender's node gives it another source
   */
  public record Way(
      boolean answered,
      Reason reason,
      boolean endsHere,
      String device,
      Ip destination,
      boolean masqueraded) {}

  /** What these traces of one packet say of a node. */
  public static Expectation of(List<Trace> traces, NodeName node) {
    List<Way> ways = new ArrayList<>();
    for (Trace trace : traces) {
      String device = "";
      boolean masqueraded = false;
      for (Trace.Hop hop : trace.there()) {
        if (hop.machine().equals(node.text())) {
          device = hop.stage() == Trace.Stage.ROUTE ? hop.device() : device;
          masqueraded |= hop.stage() == Trace.Stage.MASQUERADE;
        }
      }
      boolean endsHere =
          trace.there().isEmpty() || trace.there().getLast().machine().equals(node.text());
      Reason reason =
          trace.delivered() && !trace.answered() ? trace.backOutcome() : trace.outcome();
      ways.add(
          new Way(
              trace.answered(), reason, endsHere, device, trace.destinationSeen(), masqueraded));
    }
    return new Expectation(ways);
  }

  /**
   * Where the kernel did something else than any of the ways says, a sentence each; of several ways
   * the one is meant that comes nearest.
   */
  public List<String> differences(ProbeFinding finding) {
    List<String> fewest = List.of("The trace says nothing of this packet.");
    for (int i = 0; i < ways.size(); i++) {
      List<String> found = differences(ways.get(i), finding);
      if (i == 0 || found.size() < fewest.size()) {
        fewest = found;
      }
    }
    return fewest;
  }

  private static List<String> differences(Way way, ProbeFinding finding) {
    List<String> found = new ArrayList<>();
    String says = way.answered() ? "that it is answered" : "that it ends by " + way.reason().code();
    switch (finding.end()) {
      case Dropped(var by) -> {
        if (!isWanted(by, way)) {
          found.add("The kernel dropped it at " + by + "; the program says " + says + ".");
        }
        return found;
      }
      case Left(var device, var source, var destination, _) -> {
        if (!device.equals(way.device())) {
          found.add(
              "It left by %s; the program says by %s."
                  .formatted(device, way.device().isEmpty() ? "none" : way.device()));
        }
        destination(found, way, destination);
        boolean masqueraded = !source.equals(finding.flow().source());
        if (masqueraded != way.masqueraded()) {
          found.add(
              "Its source %s; the program says that it %s."
                  .formatted(
                      masqueraded ? "became " + source : "stayed " + source,
                      way.masqueraded() ? "is translated" : "stays"));
        }
        if (way.endsHere() && isByRule(way.reason())) {
          found.add("No rule dropped it; the program says " + says + ".");
        }
      }
      case TakenIn(_, var destination, _) -> {
        destination(found, way, destination);
        if (way.endsHere() && isByRule(way.reason())) {
          found.add("No rule dropped it; the program says " + says + ".");
        }
      }
      case Lost() -> {
        if (way.answered() || !way.endsHere()) {
          found.add(
              "It was lost on this node, by no rule of nf_tables; the program says " + says + ".");
        }
      }
      case NotSeen() -> {
        if (!finding.answer().arrived() && (way.answered() || !way.endsHere())) {
          found.add("It did not come to this node's rules; the program says " + says + ".");
        }
      }
    }
    boolean silent =
        finding.answer() == ProbeFinding.Answer.NONE && finding.flow().protocol() == Protocol.UDP;
    // Who gets a datagram need not answer it.
    if (way.answered() != finding.answer().arrived() && !(way.answered() && silent)) {
      found.add(
          "The sender got: %s; the program says %s.".formatted(finding.answer().text(), says));
    }
    return found;
  }

  private static void destination(List<String> found, Way way, Ip destination) {
    if (!destination.equals(way.destination())) {
      found.add(
          "Its destination became %s; the program says %s."
              .formatted(destination, way.destination()));
    }
  }

  private static boolean isWanted(ProbeFinding.Step by, Way way) {
    return way.endsHere()
        && tableOf(way.reason()).filter(table -> by.table().equals("inet " + table)).isPresent();
  }

  private static boolean isByRule(Reason reason) {
    return tableOf(reason).isPresent();
  }

  /** The table whose rules stop packets for this reason. */
  private static Optional<String> tableOf(Reason reason) {
    if (List.of(
            Reason.POLICY_EGRESS,
            Reason.POLICY_INGRESS,
            Reason.CLUSTER_POLICY_EGRESS,
            Reason.CLUSTER_POLICY_INGRESS,
            Reason.POLICY_POD_UNKNOWN)
        .contains(reason)) {
      return Optional.of(Marks.POLICY_TABLE);
    }
    return List.of(
                Reason.NO_ENDPOINTS,
                Reason.NO_LOCAL_ENDPOINTS,
                Reason.SOURCE_NOT_ALLOWED,
                Reason.LOOPBACK_REFUSED)
            .contains(reason)
        ? Optional.of(Marks.TABLE)
        : Optional.empty();
  }
}
