package dev.sund.engine.trace;

import dev.sund.engine.cluster.NodeFacts;
import dev.sund.engine.cluster.NodeFacts.Device;
import dev.sund.engine.cluster.NodeFacts.HostRoute;
import dev.sund.engine.program.BridgePort;
import dev.sund.engine.program.Endpoint;
import dev.sund.engine.program.Frontend;
import dev.sund.engine.program.Frontend.Place;
import dev.sund.engine.program.Frontend.View;
import dev.sund.engine.program.Masquerade;
import dev.sund.engine.program.Masquerade.Part;
import dev.sund.engine.program.PacketProgram;
import dev.sund.engine.program.Route;
import dev.sund.engine.program.SourceRange;
import dev.sund.engine.program.Tunnel;
import dev.sund.model.Family;
import dev.sund.model.InterfaceAddress;
import dev.sund.model.Ip;
import dev.sund.model.PodKey;
import dev.sund.model.Prefix;
import dev.sund.model.Protocol;
import dev.sund.model.RuleId;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.NavigableSet;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * One node as the tracer asks it: its program and its foreign devices and routes, looked up as its
 * kernel would.
 */
final class NodeView {
  private final PacketProgram program;
  private final NodeFacts facts;
  private final Optional<Underlay.Host> host;
  private final Set<Ip> local = new HashSet<>();
  private final NavigableSet<Integer> routeLengths = new TreeSet<>();
  private final NavigableSet<Integer> rangeLengths = new TreeSet<>();

  NodeView(PacketProgram program, Underlay underlay) {
    this.program = program;
    this.host = underlay.host(program.node().text());
    this.facts =
        program.facts().devices().isEmpty()
            ? host.map(own -> assumed(own, underlay)).orElse(program.facts())
            : program.facts();
    facts.devices().forEach(device -> device.addresses().forEach(one -> local.add(one.ip())));
    program.tunnels().values().forEach(tunnel -> tunnel.address().ifPresent(local::add));
    program.routes().keySet().forEach(range -> routeLengths.add(range.length()));
    program.masquerade().keySet().forEach(key -> rangeLengths.add(key.range().length()));
  }

  /** A route that a packet can take: one of ours or a foreign one. */
  sealed interface Exit {
    /** The prefix it is for. */
    Prefix destination();

    /** One of the program. */
    record Ours(Route route) implements Exit {
      @Override
      public Prefix destination() {
        return route.destination();
      }
    }

    /** One of the node's own. */
    record Foreign(HostRoute route) implements Exit {
      @Override
      public Prefix destination() {
        return route.destination();
      }
    }
  }

  String name() {
    return program.node().text();
  }

  PacketProgram program() {
    return program;
  }

  /** The node in the underlay, if that knows it. */
  Optional<Underlay.Host> host() {
    return host;
  }

  /** Whether one of its devices carries {@code ip}. */
  boolean isLocal(Ip ip) {
    return local.contains(ip) || ip.isLoopback();
  }

  /** The longest prefix that contains {@code ip}; of two equally long, ours. */
  Optional<Exit> lookup(Ip ip) {
    Optional<Exit> ours = lookupOurs(ip);
    Optional<Exit> foreign = lookupForeign(ip, "");
    if (ours.isPresent() && foreign.isPresent()) {
      return ours.get().destination().length() >= foreign.get().destination().length()
          ? ours
          : foreign;
    }
    return ours.or(() -> foreign);
  }

  private Optional<Exit> lookupOurs(Ip ip) {
    for (int length : routeLengths.descendingSet()) {
      if (length <= ip.family().bits()) {
        Route route = program.routes().get(Prefix.around(ip, length));
        if (route != null) {
          return Optional.of(new Exit.Ours(route));
        }
      }
    }
    return Optional.empty();
  }

  /** The foreign route for {@code ip}, by this device alone unless it is empty. */
  Optional<Exit> lookupForeign(Ip ip, String device) {
    return facts.routes().stream()
        .filter(route -> device.isEmpty() || route.device().equals(device))
        .filter(route -> route.destination().contains(ip))
        .max(
            Comparator.<HostRoute>comparingInt(route -> route.destination().length())
                .thenComparing(HostRoute::metric, Comparator.reverseOrder()))
        .map(Exit.Foreign::new);
  }

  /** The port of a bridge behind which a pod is. */
  Optional<BridgePort> portOf(PodKey pod) {
    return program.bridgePorts().values().stream()
        .filter(port -> port.pod().equals(Optional.of(pod)))
        .findFirst();
  }

  /** The port of this bridge behind which somebody has an address. */
  Optional<BridgePort> port(String bridge, Ip ip) {
    return program.bridgePorts().values().stream()
        .filter(port -> port.bridge().equals(bridge) && port.addresses().contains(ip))
        .findFirst();
  }

  /** Whether an address is on the subnet of a device of the node's own. */
  boolean isOnLink(String device, Ip ip) {
    return lookupForeign(ip, device)
        .filter(exit -> exit instanceof Exit.Foreign(var route) && route.gateway().isEmpty())
        .isPresent();
  }

  /**
   * Who answers for a destination in its owner's place: the exact address goes before all of the
   * node's own. Nothing does for IPv6's loopback, whose packets cannot leave the node.
   */
  Optional<Frontend> frontend(Ip ip, Protocol protocol, int port) {
    if (port == 0
        || protocol == Protocol.ICMP
        || program.frontends().isEmpty()
        || (ip.isLoopback() && ip.family() == Family.V6)) {
      return Optional.empty();
    }
    Frontend exact = program.frontends().get(new Frontend.Key(new Place.At(ip), protocol, port));
    if (exact != null || !isLocal(ip)) {
      return Optional.ofNullable(exact);
    }
    return Optional.ofNullable(
        program.frontends().get(new Frontend.Key(new Place.AnyLocal(ip.family()), protocol, port)));
  }

  /** An endpoint of a frontend for those who ask so. */
  Optional<Endpoint> endpoint(Frontend frontend, View asking, int slot) {
    View view = frontend.isSplit() ? asking : View.INSIDE;
    return Optional.ofNullable(
        program.endpoints().get(new Endpoint.Key(frontend.key(), view, slot)));
  }

  /** Whether an address is one of the cluster's pods, by its range. */
  boolean isOfPods(Ip ip) {
    return range(ip, Part.CLUSTER).isPresent();
  }

  /** Whether an address is a container's on a bridge of this node that is translated. */
  boolean isBridged(Ip ip) {
    return outermost(ip, Part.BRIDGED).isPresent();
  }

  /** Whether a source may ask a limited frontend. */
  boolean mayAsk(Frontend frontend, Ip source) {
    return program
        .sourceRanges()
        .subMap(
            new SourceRange.Key(frontend.key(), Prefix.all(source.family())),
            new SourceRange.Key(frontend.key(), Prefix.host(Prefix.all(source.family()).last())))
        .keySet()
        .stream()
        .anyMatch(key -> key.range().contains(source));
  }

  /** The rule by which a packet's source is translated when it leaves the node, if one does. */
  Optional<RuleId> masquerades(Ip source, Ip destination) {
    if (range(destination, Part.CLUSTER).isEmpty()) {
      Optional<Masquerade> leaving = range(source, Part.NAT_OUTGOING);
      if (leaving.isPresent()) {
        return leaving.map(Masquerade::rule);
      }
    }
    return outermost(source, Part.BRIDGED)
        .filter(row -> !row.range().contains(destination) && !destination.isMulticast())
        .map(Masquerade::rule);
  }

  /** The rule by which a neighbour that asks another by the node gets its address. */
  Optional<RuleId> neighbours(Ip source, Ip destination) {
    return outermost(source, Part.NEIGHBOURS)
        .filter(row -> row.range().contains(destination))
        .map(Masquerade::rule);
  }

  private Optional<Masquerade> outermost(Ip ip, Part part) {
    return program.masquerade().values().stream()
        .filter(row -> row.part() == part && row.range().contains(ip))
        .min(java.util.Comparator.comparingInt(row -> row.range().length()));
  }

  private Optional<Masquerade> range(Ip ip, Part part) {
    for (int length : rangeLengths) {
      if (length <= ip.family().bits()) {
        Masquerade found =
            program.masquerade().get(new Masquerade.Key(Prefix.around(ip, length), part));
        if (found != null) {
          return Optional.of(found);
        }
      }
    }
    return Optional.empty();
  }

  /**
   * The address that a device lends to packets towards {@code nextHop}: its first on the next hop's
   * subnet, else its first; without any, that of another device.
   */
  Optional<Ip> sourceOn(String device, Ip nextHop) {
    return sourceAmong(addressesOn(device), nextHop)
        .or(() ->
            facts.devices().stream()
                .flatMap(other -> sourceAmong(other.addresses(), nextHop).stream())
                .findFirst());
  }

  private static Optional<Ip> sourceAmong(Collection<InterfaceAddress> from, Ip nextHop) {
    List<InterfaceAddress> usable =
        from.stream()
            .filter(one -> one.ip().family() == nextHop.family())
            .filter(one -> !one.ip().isLinkLocal() && !one.ip().isLoopback())
            .toList();
    return usable.stream()
        .filter(one -> one.subnet().contains(nextHop))
        .findFirst()
        .or(() -> usable.stream().findFirst())
        .map(InterfaceAddress::ip);
  }

  private List<InterfaceAddress> addressesOn(String device) {
    Tunnel tunnel = program.tunnels().get(device);
    if (tunnel != null) {
      return tunnel.address().stream()
          .map(ip -> new InterfaceAddress(ip, ip.family().bits()))
          .toList();
    }
    return facts.device(device).map(Device::addresses).orElse(List.of());
  }

  /** The largest packet that a device sends: as the underlay says, else as the node does. */
  int mtu(String device) {
    return host.flatMap(own -> own.link(device))
        .map(Underlay.Link::mtu)
        .or(() -> facts.device(device).map(Device::mtu))
        .orElse(65535);
  }

  /**
   * What is assumed of a node whose kernel nobody has asked: the devices that the underlay says,
   * and a router of its segment as its default gateway.
   */
  private static NodeFacts assumed(Underlay.Host own, Underlay underlay) {
    List<Device> devices =
        own.links().stream()
            .map(link -> new Device(link.device(), link.mtu(), link.up(), link.addresses()))
            .toList();
    Stream<HostRoute> connected =
        own.links().stream()
            .flatMap(link ->
                link.addresses().stream()
                    .map(address ->
                        new HostRoute(
                            address.subnet(),
                            link.device(),
                            Optional.empty(),
                            Optional.empty(),
                            0)));
    Stream<HostRoute> defaults =
        own.links().stream()
            .flatMap(link ->
                Stream.of(Family.values())
                    .flatMap(family -> gateway(link, family, underlay).stream())
                    .map(gateway ->
                        new HostRoute(
                            Prefix.all(gateway.family()),
                            link.device(),
                            Optional.of(gateway),
                            Optional.empty(),
                            0)));
    return new NodeFacts(devices, Stream.concat(connected, defaults).toList());
  }

  /** The address of the first router on a link's segment, on one of the link's subnets. */
  static Optional<Ip> gateway(Underlay.Link link, Family family, Underlay underlay) {
    return underlay.hosts().stream()
        .filter(host -> host.role() == Underlay.Role.ROUTER)
        .flatMap(host -> host.links().stream())
        .filter(other -> other.segment().equals(link.segment()))
        .flatMap(other -> other.addresses().stream())
        .map(InterfaceAddress::ip)
        .filter(ip -> ip.family() == family)
        .filter(ip -> link.addresses().stream().anyMatch(own -> own.subnet().contains(ip)))
        .findFirst();
  }
}
