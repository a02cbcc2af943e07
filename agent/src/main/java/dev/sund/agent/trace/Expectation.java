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
import dev.sund.model.RuleId;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What a trace says of a packet, as far as one node can see it: one way for each endpoint that the
 * packet may get. Of one packet the ways are in the same order for every node.
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
   * @param passes whether it comes by the node at all, or is born there
   * @param answered whether it arrives and its answer comes back
   * @param reason the verdict's
   * @param endsHere whether it ends on the node
   * @param device by which it leaves the node, or comes to its pod; empty when it does not
   * @param comesFrom with which source it comes from another node; empty where that is not said
   * @param destination which it has when it leaves the node, or ends there
   * @param masqueraded whether the node gives it another source
   */
  public record Way(
      boolean passes,
      boolean answered,
      Reason reason,
      boolean endsHere,
      String device,
      Optional<Ip> comesFrom,
      Ip destination,
      boolean masqueraded) {}

  /**
   * What one node did to a packet, beside what was expected of it.
   *
   * @param node the node
   * @param expected of it
   * @param finding what its kernel did
   */
  public record Part(NodeName node, Expectation expected, ProbeFinding finding) {}

  /** What these traces of one packet say of a node. */
  public static Expectation of(List<Trace> traces, NodeName node) {
    List<Way> ways = new ArrayList<>();
    for (Trace trace : traces) {
      ways.add(way(trace, node.text()));
    }
    return new Expectation(ways);
  }

  /** The packet may come by a node twice; its first visit is meant. */
  private static Way way(Trace trace, String node) {
    List<Trace.Hop> hops = trace.there();
    int begin = 0;
    while (begin < hops.size() && !hops.get(begin).machine().equals(node)) {
      begin++;
    }
    int end = begin;
    String device = "";
    boolean masqueraded = false;
    while (end < hops.size() && hops.get(end).machine().equals(node)) {
      Trace.Hop hop = hops.get(end++);
      device = hop.stage() == Trace.Stage.ROUTE ? hop.device() : device;
      masqueraded |= hop.stage() == Trace.Stage.MASQUERADE;
    }
    boolean translated =
        hops.subList(0, end).stream().anyMatch(hop -> hop.stage() == Trace.Stage.TRANSLATE);
    boolean passes = begin < hops.size();
    return new Way(
        passes || hops.isEmpty(),
        trace.answered(),
        trace.delivered() && !trace.answered() ? trace.backOutcome() : trace.outcome(),
        hops.isEmpty() || (passes && end == hops.size()),
        device,
        passes && begin > 0 ? source(trace, begin) : Optional.empty(),
        translated ? trace.destinationSeen() : trace.packet().destination(),
        masqueraded);
  }

  /** Its source from this hop on, where nobody translates it any more. */
  private static Optional<Ip> source(Trace trace, int from) {
    boolean stays =
        trace.there().subList(from, trace.there().size()).stream()
            .noneMatch(hop -> hop.stage() == Trace.Stage.MASQUERADE);
    if (!stays) {
      return Optional.empty();
    }
    return trace
        .sourceSeen()
        .or(() ->
            trace
                .blocked()
                .filter(blocked -> blocked.direction() == RuleId.Direction.INGRESS)
                .map(Trace.Blocked::peer));
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

  /**
   * As {@link #differences(ProbeFinding)} over several nodes, of which all must have seen the same
   * way; each sentence begins with its node.
   *
   * @param parts of one packet, its sender's node first
   */
  public static List<String> differences(List<Part> parts) {
    List<String> fewest = List.of();
    int ways = parts.getFirst().expected().ways().size();
    for (int i = 0; i < ways; i++) {
      List<String> found = new ArrayList<>();
      boolean ended = false;
      for (Part part : parts) {
        boolean unseen = part.finding().end() instanceof NotSeen;
        if (!(ended && unseen)) { // nothing can come from where it ended
          differences(part.expected().ways().get(i), part.finding())
              .forEach(line -> found.add(part.node() + ": " + line));
        }
        ended |= part.finding().end() instanceof Dropped || part.finding().end() instanceof Lost;
      }
      if (i == 0 || found.size() < fewest.size()) {
        fewest = found;
      }
    }
    return fewest;
  }

  private static List<String> differences(Way way, ProbeFinding finding) {
    List<String> found = new ArrayList<>();
    String says = way.answered() ? "that it is answered" : "that it ends by " + way.reason().code();
    boolean sentHere = finding.answer() != ProbeFinding.Answer.ELSEWHERE;
    if (!sentHere && !(finding.end() instanceof NotSeen)) {
      if (!way.passes()) {
        return List.of("It came to this node; the program says that it does not.");
      }
      if (way.comesFrom().filter(ip -> !ip.equals(finding.flow().source())).isPresent()) {
        found.add(
            "It came from %s; the program says from %s."
                .formatted(finding.flow().source(), way.comesFrom().get()));
      }
    }
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
        if (!sentHere && way.passes()) {
          found.add("It did not come to this node's rules; the program says that it does.");
        } else if (sentHere && !finding.answer().arrived() && (way.answered() || !way.endsHere())) {
          found.add("It did not come to this node's rules; the program says " + says + ".");
        }
      }
    }
    boolean silent =
        finding.answer() == ProbeFinding.Answer.NONE && finding.flow().protocol() == Protocol.UDP;
    // Who gets a datagram need not answer it.
    if (sentHere && way.answered() != finding.answer().arrived() && !(way.answered() && silent)) {
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
