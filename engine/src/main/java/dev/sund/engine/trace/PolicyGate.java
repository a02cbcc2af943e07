package dev.sund.engine.trace;

import dev.sund.engine.program.PolicyTables.Judgement;
import dev.sund.engine.program.PolicyVerdict;
import dev.sund.engine.trace.Trace.Carriage;
import dev.sund.engine.trace.Trace.Stage;
import dev.sund.model.Ip;
import dev.sund.model.ObjectRef;
import dev.sund.model.Protocol;
import dev.sund.model.Reason;
import dev.sund.model.RuleId;
import dev.sund.model.RuleId.Direction;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * Where policies are asked about one packet: on the nodes of the pods at both ends, after
 * destinations and before sources are translated.
 */
final class PolicyGate {
  private final Walk walk;

  /** The device of the pod that sends it, and that pod's node; empty for packets of others. */
  private Optional<Sender> sender = Optional.empty();

  /** Whether it belongs to a connection that has been judged before. */
  private boolean known;

  private record Sender(String node, String device) {}

  PolicyGate(Walk walk) {
    this.walk = walk;
  }

  /** The packet is an answer, or an error about one of a connection: policies are not asked. */
  void isOfKnownConnection() {
    known = true;
  }

  /** The packet comes to its node from the pod behind this device. */
  void comesFrom(NodeView view, String device) {
    sender = Optional.of(new Sender(view.name(), device));
  }

  /** Whether it came from the pod behind this device. */
  boolean isFrom(NodeView view, String device) {
    return sender.equals(Optional.of(new Sender(view.name(), device)));
  }

  /** The packet is for the node itself; false when policy stops it there. */
  boolean comesIn(NodeView view) {
    return known || egress(view);
  }

  /**
   * The packet leaves a node by {@code device}, the port's where that is one of a bridge; false
   * when policy stops it. What the node itself sends is never asked about, nor what comes back to
   * the pod that sent it.
   */
  boolean leaves(NodeView view, String device, boolean forwarded) {
    if (known || !forwarded || isFrom(view, device)) {
      return true;
    }
    return egress(view) && ingress(view);
  }

  private boolean egress(NodeView view) {
    return walk.source
        .map(from -> passes(view, Direction.EGRESS, from, walk.destination))
        .orElse(true);
  }

  private boolean ingress(NodeView view) {
    return walk.source
        .map(from -> passes(view, Direction.INGRESS, walk.destination, from))
        .orElse(true);
  }

  private boolean passes(NodeView view, Direction direction, Ip pod, Ip peer) {
    Judgement judged =
        view.program().policy().judge(pod, direction, peer, walk.protocol, walk.port);
    if (judged.verdict().isEmpty()) {
      return true;
    }
    PolicyVerdict verdict = judged.verdict().get();
    Stage stage = direction == Direction.EGRESS ? Stage.EGRESS : Stage.INGRESS;
    Optional<RuleId> rule = Optional.of(verdict.rule());
    String asked = asked(direction, pod, peer);
    if (verdict.allowed()) {
      hop(view, stage, rule, asked.formatted("may") + name(verdict.rule()));
      return true;
    }
    Reason why = verdict.refusal(direction);
    walk.outcome = why;
    walk.stoppedAt = Optional.of(view.name());
    walk.blocked =
        Optional.of(
            new Trace.Blocked(
                direction,
                pod,
                peer,
                walk.protocol,
                walk.protocol == Protocol.ICMP ? 0 : walk.port,
                verdict.rule(),
                judged.isolating()));
    String by =
        judged.isolating().contains(verdict.rule())
            ? "isolated by "
                + judged.isolating().stream()
                    .map(PolicyGate::name)
                    .collect(Collectors.joining(", "))
            : name(verdict.rule());
    hop(view, stage, rule, why.code() + ": " + asked.formatted("may not") + by);
    return false;
  }

  private String asked(Direction direction, Ip pod, Ip peer) {
    Ip client = direction == Direction.EGRESS ? pod : peer;
    Ip server = direction == Direction.EGRESS ? peer : pod;
    return client
        + " %s ask "
        + server
        + (walk.protocol == Protocol.ICMP
            ? " by ICMP: "
            : " port " + walk.port + "/" + walk.protocol.label() + ": ");
  }

  private static String name(RuleId rule) {
    ObjectRef object = rule.object();
    return object.kind() + " " + object.name();
  }

  private void hop(NodeView view, Stage stage, Optional<RuleId> rule, String text) {
    walk.hop(view.name(), stage, Carriage.LOCAL, "", 0, rule, text);
  }
}
