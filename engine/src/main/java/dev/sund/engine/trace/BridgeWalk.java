package dev.sund.engine.trace;

import dev.sund.engine.program.BridgePort;
import dev.sund.engine.trace.NodeView.Exit;
import dev.sund.engine.trace.Trace.AtPod;
import dev.sund.engine.trace.Trace.Carriage;
import dev.sund.engine.trace.Trace.Hop;
import dev.sund.engine.trace.Trace.Stage;
import dev.sund.model.NodeName;
import dev.sund.model.PodKey;
import dev.sund.model.Reason;
import java.util.Optional;

/**
 * What becomes of one packet at the bridges of nodes that have pods: from one pod to its neighbour
 * it crosses the bridge, which shows it to the rules of IP; all else goes by the node.
 *
 * <p>That a bridge shows what it forwards is taken for granted, as a path's other devices are;
 * where it does not, {@code sund status} says so and pods with policies are closed. Containers that
 * are no pods are not followed.
 */
final class BridgeWalk {
  private final Walk walk;
  private final PolicyGate policy;
  private final Translator translator;

  BridgeWalk(Walk walk, PolicyGate policy, Translator translator) {
    this.walk = walk;
    this.policy = policy;
    this.translator = translator;
  }

  /** The packet is born in the pod behind a port. */
  void born(NodeView home, BridgePort port, PodKey key) {
    if (!walk.speaks(home, key, port.addresses())) {
      return;
    }
    if (port.addresses().contains(walk.destination)) {
      deliver(home, port, key);
      return;
    }
    policy.comesFrom(home, port.device());
    int mtu = home.mtu(port.bridge());
    walk.hop(
        home.name(),
        Stage.CLASSIFY,
        Carriage.LOCAL,
        port.device(),
        mtu,
        Optional.of(port.rule()),
        "from pod %s as %s by %s on bridge %s"
            .formatted(
                key, walk.source.map(Object::toString).orElse(""), port.device(), port.bridge()));
    if (!walk.fits(home.name(), mtu, "the pod's link", Optional.empty())) {
      return;
    }
    if (home.isLocal(walk.destination) || !home.isOnLink(port.bridge(), walk.destination)) {
      walk.atNode(home);
      return;
    }
    Optional<BridgePort> neighbour = home.port(port.bridge(), walk.destination);
    if (neighbour.isEmpty()) {
      walk.stop(
          home.name(),
          Stage.DELIVER,
          Reason.ADDRESS_UNUSED,
          "nobody on bridge " + port.bridge() + " has " + walk.destination);
      return;
    }
    translator.sees(home);
    walk.hop(
        home.name(),
        Stage.ROUTE,
        Carriage.LOCAL,
        neighbour.get().device(),
        mtu,
        Optional.empty(),
        "over bridge %s to %s".formatted(port.bridge(), neighbour.get().device()));
    if (policy.leaves(home, neighbour.get().device(), true)
        && translator.leaves(home, port.bridge(), walk.destination)) {
      taken(home, neighbour.get());
    }
  }

  /**
   * The packet leaves a node by a bridge, for an address on its subnet.
   *
   * @return whether the address is that of somebody behind a port, so that all is said
   */
  boolean enters(NodeView view, String bridge, Exit exit, boolean forwarded) {
    Optional<BridgePort> found = view.port(bridge, walk.destination);
    if (found.isEmpty()) {
      return false;
    }
    BridgePort port = found.get();
    int mtu = view.mtu(bridge);
    if (!walk.fits(view.name(), mtu, bridge, Walk.teller(view, forwarded))) {
      return true;
    }
    walk.hops.add(
        new Hop(
            view.name(),
            Stage.ROUTE,
            Carriage.LOCAL,
            bridge,
            Optional.empty(),
            mtu,
            Optional.empty(),
            "%s on bridge %s to %s".formatted(exit.destination(), bridge, port.device()),
            forwarded));
    if (policy.leaves(view, port.device(), forwarded)
        && translator.leaves(view, bridge, walk.destination)) {
      if (policy.isFrom(view, port.device()) && !port.hairpin()) {
        walk.stop(
            view.name(),
            Stage.DELIVER,
            Reason.BRIDGE_HAIRPIN_OFF,
            "bridge %s gives nothing back to %s".formatted(bridge, port.device()));
      } else {
        taken(view, port);
      }
    }
    return true;
  }

  private void taken(NodeView view, BridgePort port) {
    port.pod()
        .ifPresentOrElse(
            pod -> deliver(view, port, pod),
            () ->
                walk.stop(
                    view.name(),
                    Stage.DELIVER,
                    Reason.NO_NEIGHBOUR,
                    port.rule().object().name() + " is no pod, and is not followed"));
  }

  private void deliver(NodeView view, BridgePort port, PodKey pod) {
    walk.deliver(view.name(), new AtPod(new NodeName(view.name()), pod), Optional.of(port.rule()));
  }
}
