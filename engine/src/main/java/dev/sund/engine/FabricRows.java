package dev.sund.engine;

import dev.sund.engine.Claimant.Kind;
import dev.sund.engine.Fabric.Passage;
import dev.sund.engine.Fabric.Uplink;
import dev.sund.engine.Mtu.Encapsulation;
import dev.sund.engine.cluster.AddressBlock;
import dev.sund.engine.cluster.Attachment;
import dev.sund.engine.cluster.BridgedNetwork;
import dev.sund.engine.cluster.IpPool;
import dev.sund.engine.cluster.Node;
import dev.sund.engine.cluster.Pod;
import dev.sund.engine.program.LocalPod;
import dev.sund.engine.program.Masquerade;
import dev.sund.engine.program.Masquerade.Part;
import dev.sund.engine.program.Route;
import dev.sund.engine.program.Route.ByTunnel;
import dev.sund.engine.program.Route.Direct;
import dev.sund.engine.program.Route.ToPod;
import dev.sund.engine.program.Route.Unreachable;
import dev.sund.engine.program.Tunnel;
import dev.sund.engine.program.TunnelPeer;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.Mac;
import dev.sund.model.NodeName;
import dev.sund.model.PodKey;
import dev.sund.model.Prefix;
import dev.sund.model.RuleId;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * What each row of the program is, by the state as it is: one function a table, from a key to its
 * row. They remember nothing, so a row made for one change is the row that a fresh start would
 * make.
 */
final class FabricRows {
  private final ClusterState state;
  private final Fabric fabric;

  /** The tunnel ends asked for so far: a digest each, and routes and peers name the same ones. */
  private final Map<TunnelEnd, Mac> tunnelMacs = new HashMap<>();

  private record TunnelEnd(String nodeUid, Ip address) {}

  FabricRows(ClusterState state, Fabric fabric) {
    this.state = state;
    this.fabric = fabric;
  }

  /** The pod of this node whose device this is. */
  Optional<LocalPod> localPod(String device) {
    return state.attachment(device).flatMap(attachment -> localPod(device, attachment));
  }

  private Optional<LocalPod> localPod(String device, Attachment attachment) {
    Claimant claimant = state.claimant(device, attachment);
    List<Ip> held =
        attachment.addresses().stream()
            .filter(ip -> state.addresses().holds(claimant, Prefix.host(ip)))
            .sorted()
            .toList();
    if (held.isEmpty()) {
      return Optional.empty();
    }
    return Optional.of(
        new LocalPod(
            device,
            attachment.pod(),
            PodDevices.identity(attachment),
            held,
            PodDevices.mac(attachment),
            mtu(held, Family.V4),
            mtu(held, Family.V6),
            PodDevices.rule(attachment)));
  }

  private int mtu(List<Ip> held, Family family) {
    return held.stream().anyMatch(ip -> ip.family() == family) ? fabric.podMtu(family) : 0;
  }

  /**
   * The route to exactly this range: a pod's address goes before a block of a pool, and that before
   * a node's range.
   */
  Optional<Route> route(Prefix range) {
    Optional<Route> single = toAddress(range);
    if (single.isPresent()) {
      return single;
    }
    Optional<Blocks.Way> way = state.blocks().to(range);
    return way.isPresent() ? byBlock(range, way.get()) : toRange(range);
  }

  private Optional<Route> toAddress(Prefix range) {
    Optional<Claimant> holder = state.addresses().holder(range);
    if (holder.isEmpty()) {
      return Optional.empty();
    }
    String name = holder.get().name();
    return switch (holder.get().kind()) {
      case NODE, POOL, CONTAINER -> Optional.empty();
      case ATTACHMENT ->
          state
              .attachment(name)
              .map(attachment ->
                  new Route(
                      range,
                      new ToPod(name),
                      fabric.uplink(range.family()).map(Uplink::address),
                      0,
                      PodDevices.rule(attachment)));
      case POD -> borrowed(state.pod(PodKey.parse(name)), range);
    };
  }

  /** A pod elsewhere to whose node no block and no range leads has its own route. */
  private Optional<Route> borrowed(Optional<Pod> pod, Prefix range) {
    return pod.flatMap(Pod::node)
        .filter(name -> !name.equals(state.self()))
        .flatMap(state.nodes()::inForce)
        .filter(node -> !state.leads(range, node))
        .flatMap(node -> toNode(node, range, podRule(pod.get())));
  }

  /**
   * To where a block leads. This node's own places are unreachable where no pod is: also borrowed
   * ones, which would go round between the two nodes.
   */
  private Optional<Route> byBlock(Prefix range, Blocks.Way way) {
    if (state.nodes().addressIn(range).isPresent()) {
      return Optional.empty();
    }
    RuleId rule = blockRule(way.block());
    return way.node().equals(state.self())
        ? Optional.of(new Route(range, new Unreachable(), Optional.empty(), 0, rule))
        : state.nodes().inForce(way.node()).flatMap(node -> toNode(node, range, rule));
  }

  private Optional<Route> toRange(Prefix range) {
    Optional<Node> node = state.nodes().ofRange(range);
    if (node.isEmpty()) {
      return Optional.empty();
    }
    RuleId rule = nodeRule(node.get());
    return node.get().name().equals(state.self())
        ? Optional.of(new Route(range, new Unreachable(), Optional.empty(), 0, rule))
        : toNode(node.get(), range, rule);
  }

  private Optional<Route> toNode(Node node, Prefix range, RuleId rule) {
    return switch (passage(node, range)) {
      case Passage.Unwrapped(var uplink, var nextHop) ->
          Optional.of(
              new Route(
                  range,
                  new Direct(nextHop, uplink.device()),
                  Optional.of(uplink.address()),
                  0,
                  rule));
      case Passage.Wrapped(var tunnel, var nextHop) ->
          Optional.of(
              new Route(
                  range,
                  new ByTunnel(nextHop, tunnel.device()),
                  tunnel.address().or(() -> Optional.of(tunnel.local())),
                  tunnel.mtu(),
                  rule));
      case Passage.None(_) -> Optional.empty();
    };
  }

  /** How packets to a range get to the node that has it. */
  Passage passage(Node node, Prefix range) {
    return fabric.to(
        range.family(),
        node.address(range.family()),
        state.pools().wrapping(range),
        address -> tunnelMac(node, address));
  }

  /** The other ends of this node's tunnels that a node is. */
  List<TunnelPeer> tunnelPeers(NodeName name) {
    if (name.equals(state.self())) {
      return List.of();
    }
    Optional<Node> node = state.nodes().inForce(name);
    if (node.isEmpty()) {
      return List.of();
    }
    List<TunnelPeer> peers = new ArrayList<>(2);
    for (Ip address : node.get().addresses()) {
      tunnelPeer(node.get(), address).ifPresent(peers::add);
    }
    return peers;
  }

  private Optional<TunnelPeer> tunnelPeer(Node node, Ip address) {
    Optional<Tunnel> tunnel = fabric.tunnel(address.family(), Encapsulation.VXLAN);
    Optional<Uplink> uplink = fabric.uplink(address.family());
    if (tunnel.isEmpty() || uplink.isEmpty()) {
      return Optional.empty();
    }
    boolean near = uplink.get().subnet().contains(address);
    boolean wrapped = false;
    for (Wrapping wrapping : fabric.wrappings(address.family())) {
      wrapped |= wrapping.to(near) == Encapsulation.VXLAN;
    }
    if (!wrapped) {
      return Optional.empty();
    }
    Mac mac = tunnelMac(node, address);
    Ip nextHop = Fabric.tunnelNextHop(mac, address);
    return Optional.of(
        new TunnelPeer(tunnel.get().device(), nextHop, mac, address, nodeRule(node)));
  }

  private Mac tunnelMac(Node node, Ip address) {
    return tunnelMacs.computeIfAbsent(
        new TunnelEnd(node.uid(), address), _ -> Fabric.tunnelMac(node, address));
  }

  /** This node's tunnel whose device this is. */
  Optional<Tunnel> tunnel(String device) {
    return Stream.of(Family.values())
        .flatMap(family -> fabric.tunnels(family).stream())
        .filter(tunnel -> tunnel.device().equals(device))
        .findFirst();
  }

  /**
   * A range's part in source translation. Where pools are given, it is theirs alone. Without, the
   * built-in pool is made of the nodes' ranges and of pods' addresses outside of them; only this
   * node's own are ever sources here.
   */
  Optional<Masquerade> masquerade(Masquerade.Key key) {
    Prefix range = key.range();
    if (key.part() == Part.BRIDGED) {
      return state
          .alone()
          .bridged(range)
          .map(network -> new Masquerade(range, key.part(), networkRule(network)));
    }
    if (key.part() == Part.NEIGHBOURS) {
      return state
          .alone()
          .neighbourhood(range)
          .map(network -> new Masquerade(range, key.part(), RuleId.of("Network", network, "")));
    }
    boolean inWider =
        key.part() == Part.CLUSTER
            && podRanges().stream()
                .anyMatch(wider -> !wider.equals(range) && wider.contains(range));
    if (inWider) {
      return Optional.empty(); // what is inside of the wider one is inside
    }
    Optional<RuleId> rule =
        state.pools().any(range.family()) ? byPool(range, key.part()) : byNode(range, key.part());
    if (rule.isEmpty() && !state.pools().any(range.family())) {
      rule = byPod(range, key.part());
    }
    return rule.or(() -> told(range, key.part()))
        .map(found -> new Masquerade(range, key.part(), found));
  }

  private List<Prefix> podRanges() {
    return state.services().settings().podRanges();
  }

  /** A range that is told to be of pods, where no wider one of a pool or a node says so. */
  private Optional<RuleId> told(Prefix range, Part part) {
    return part == Part.CLUSTER && podRanges().contains(range) && !isCovered(range)
        ? Optional.of(RuleId.builtin("pod-range"))
        : Optional.empty();
  }

  private boolean isCovered(Prefix range) {
    return state.pools().any(range.family())
        ? state.pools().covering(range).isPresent()
        : state.nodes().covering(range).isPresent();
  }

  private Optional<RuleId> byPool(Prefix range, Part part) {
    return state
        .pools()
        .ranges()
        .holder(range)
        .flatMap(_ -> state.pools().covering(range))
        .filter(pool -> part == Part.CLUSTER || pool.natOutgoing())
        .map(FabricRows::poolRule);
  }

  private Optional<RuleId> byNode(Prefix range, Part part) {
    Optional<Node> node = state.nodes().ofRange(range);
    return node.isPresent() && (part == Part.CLUSTER || node.get().name().equals(state.self()))
        ? Optional.of(nodeRule(node.get()))
        : Optional.empty();
  }

  private Optional<RuleId> byPod(Prefix range, Part part) {
    Optional<Claimant> holder = state.addresses().holder(range);
    if (holder.isEmpty() || holder.get().rank() == Claimant.Rank.UNATTACHED) {
      return Optional.empty();
    }
    boolean here = holder.get().kind() == Kind.ATTACHMENT;
    Optional<Node> covering = state.nodes().covering(range);
    boolean ownRange = covering.map(Node::name).equals(Optional.of(state.self()));
    // A pod of ours may have an address of another node's range: in the cluster by that range, but
    // a source by its own address.
    boolean wanted =
        switch (part) {
          case CLUSTER -> covering.isEmpty();
          case NAT_OUTGOING -> here && !ownRange;
          case BRIDGED, NEIGHBOURS -> false;
        };
    if (!wanted) {
      return Optional.empty();
    }
    return switch (holder.get().kind()) {
      case NODE, POOL, CONTAINER -> Optional.empty();
      case ATTACHMENT -> state.attachment(holder.get().name()).map(PodDevices::rule);
      case POD -> state.pod(PodKey.parse(holder.get().name())).map(FabricRows::podRule);
    };
  }

  static RuleId networkRule(BridgedNetwork network) {
    return RuleId.of("Network", network.name(), "");
  }

  static RuleId poolRule(IpPool pool) {
    return RuleId.of("IPPool", pool.name(), pool.uid());
  }

  static RuleId blockRule(AddressBlock block) {
    return RuleId.of("AddressBlock", block.name(), block.uid());
  }

  static RuleId nodeRule(Node node) {
    return RuleId.of("Node", node.name().text(), node.uid());
  }

  static RuleId podRule(Pod pod) {
    return RuleId.of("Pod", pod.key().toString(), pod.uid());
  }
}
