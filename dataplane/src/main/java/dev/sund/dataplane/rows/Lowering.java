package dev.sund.dataplane.rows;

import dev.sund.engine.program.LocalPod;
import dev.sund.engine.program.Route;
import dev.sund.engine.program.Tunnel;
import dev.sund.engine.program.TunnelPeer;
import dev.sund.kernel.route.RouteType;
import dev.sund.kernel.route.Rtnl;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.Mac;
import dev.sund.model.Marks;
import dev.sund.model.Prefix;
import dev.sund.model.RuleId;
import java.util.Optional;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;

/** Program entries as kernel objects: translates, decides nothing, touches nothing. */
public final class Lowering {
  /** The metric that the kernel gives an IPv6 route that names none. */
  public static final int METRIC_V6 = 1024;

  /** One less than IPv4 ranges have metrics: the last bits of a range are its metric. */
  private static final int MOST_METRICS = 1023;

  /** Bytes that an ifalias holds beside the zero byte that ends it. */
  private static final int ALIAS_BYTES = 255;

  private Lowering() {}

  /**
   * The metric of our route to this destination: of it alone, so that a route is replaced by one of
   * the same key. IPv4 ranges have many, since the kernel finds routes by one device in a chain
   * whose hash knows the metric and not the gateway (fib_info_hashfn); a route to one address, and
   * all of IPv6, have what the kernel gives a route that names none.
   */
  public static int metric(Prefix destination) {
    if (destination.family() == Family.V6) {
      return METRIC_V6;
    }
    return destination.isHost()
        ? 0
        : 1 + (int) (destination.address().low() >>> (32 - destination.length()) & MOST_METRICS);
  }

  /** A route. */
  public static RouteRow route(Route route) {
    return switch (route.way()) {
      case Route.ToPod(String device) ->
          row(route, RouteType.UNICAST, Optional.of(device), Optional.empty(), false);
      case Route.Direct(Ip nextHop, String device) ->
          row(route, RouteType.UNICAST, Optional.of(device), Optional.of(nextHop), false);
      case Route.ByTunnel(Ip nextHop, String device) ->
          row(
              route,
              RouteType.UNICAST,
              Optional.of(device),
              Optional.of(nextHop),
              nextHop.family() == Family.V4);
      case Route.Unreachable() ->
          row(route, RouteType.UNREACHABLE, Optional.empty(), Optional.empty(), false);
    };
  }

  private static RouteRow row(
      Route route, RouteType type, Optional<String> device, Optional<Ip> gateway, boolean onlink) {
    Family family = route.destination().family();
    boolean onLink = family == Family.V4 && device.isPresent() && gateway.isEmpty();
    return new RouteRow(
        route.destination(),
        metric(route.destination()),
        type,
        device,
        gateway,
        onlink,
        route.source(),
        onLink ? Rtnl.SCOPE_LINK : Rtnl.SCOPE_UNIVERSE,
        route.mtu(),
        "");
  }

  /** A tunnel's own end. */
  public static TunnelRow tunnel(Tunnel tunnel) {
    SortedSet<String> addresses = new TreeSet<>();
    tunnel.address().ifPresent(ip -> addresses.add(Prefix.host(ip).toString()));
    return new TunnelRow(
        tunnel.device(),
        new TunnelRow.Fixed(
            wire(tunnel.wire()),
            Optional.of(tunnel.local()),
            Optional.of(tunnel.underlayDevice()),
            Optional.empty()),
        tunnel.mac(),
        tunnel.mtu(),
        true,
        alias(tunnel.rule()),
        addresses);
  }

  private static TunnelRow.Wire wire(Tunnel.Wire wire) {
    return switch (wire) {
      case Tunnel.Wire.Vxlan(var vni, var port, _) -> new TunnelRow.Wire.Vxlan(vni, port, false, 0);
      case Tunnel.Wire.Ipip() -> TunnelRow.Wire.Ipip.OURS;
    };
  }

  /** The neighbour half of a tunnel's peer. */
  public static NeighbourRow neighbour(TunnelPeer peer) {
    return NeighbourRow.permanent(peer.device(), peer.nextHop(), peer.mac());
  }

  /** The FDB half of a tunnel's peer. */
  public static FdbRow fdb(TunnelPeer peer) {
    return FdbRow.permanent(peer.device(), peer.mac(), peer.underlay());
  }

  /**
   * A pod's link.
   *
   * @param interfaceName the device's name inside the pod
   */
  public static PodRow pod(LocalPod pod, String interfaceName) {
    SortedMap<Ip, Mac> neighbours = new TreeMap<>();
    SortedSet<String> addresses = new TreeSet<>();
    SortedMap<String, PodRow.InsideRoute> routes = new TreeMap<>();
    SortedMap<Ip, Mac> gateways = new TreeMap<>();
    for (Ip ip : pod.addresses()) {
      Family family = ip.family();
      Ip gateway = gateway(family);
      neighbours.put(ip, pod.mac());
      addresses.add(Prefix.host(ip).toString());
      if (family == Family.V4) {
        routes.put(Prefix.host(gateway).toString(), new PodRow.InsideRoute(Optional.empty(), 0));
      }
      routes.put(
          Prefix.all(family).toString(),
          new PodRow.InsideRoute(Optional.of(gateway), pod.mtu(family)));
      gateways.put(gateway, Marks.GATEWAY_MAC);
    }
    return new PodRow(
        pod.device(),
        new PodRow.HostSide(
            Marks.GATEWAY_MAC,
            pod.deviceMtu(),
            Marks.GROUP_PODS,
            alias(pod.rule()),
            true,
            neighbours),
        Optional.of(
            new PodRow.InsideSide(
                interfaceName, pod.mac(), pod.deviceMtu(), true, addresses, routes, gateways)));
  }

  /** The gateway of pods in this family. */
  public static Ip gateway(Family family) {
    return family == Family.V4 ? Marks.GATEWAY_V4 : Marks.GATEWAY_V6;
  }

  /** The ifalias of a device that a rule asks for, at most 255 bytes: see {@link RuleId}. */
  public static String alias(RuleId rule) {
    String text = Marks.ALIAS_PREFIX + " " + rule;
    int excess = text.length() - ALIAS_BYTES;
    if (excess <= 0) {
      return text;
    }
    String name = rule.object().name();
    return Marks.ALIAS_PREFIX
        + " "
        + new RuleId(
            new dev.sund.model.ObjectRef(
                rule.object().kind(), name.substring(Math.min(excess, name.length() - 1))),
            rule.uid(),
            rule.direction(),
            rule.index());
  }

  /** The rule that an ifalias of ours names; empty for any other text. */
  public static Optional<RuleId> rule(String alias) {
    String prefix = Marks.ALIAS_PREFIX + " ";
    if (!alias.startsWith(prefix)) {
      return Optional.empty();
    }
    try {
      return Optional.of(RuleId.parse(alias.substring(prefix.length())));
    } catch (IllegalArgumentException _) {
      return Optional.empty();
    }
  }
}
