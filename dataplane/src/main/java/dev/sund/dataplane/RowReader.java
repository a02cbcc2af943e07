package dev.sund.dataplane;

import dev.sund.dataplane.rows.FdbRow;
import dev.sund.dataplane.rows.NeighbourRow;
import dev.sund.dataplane.rows.PodRow;
import dev.sund.dataplane.rows.RouteRow;
import dev.sund.dataplane.rows.TunnelRow;
import dev.sund.kernel.route.Address;
import dev.sund.kernel.route.FdbEntry;
import dev.sund.kernel.route.Ipip;
import dev.sund.kernel.route.Link;
import dev.sund.kernel.route.Neighbour;
import dev.sund.kernel.route.RouteEntry;
import dev.sund.kernel.route.Rtnl;
import dev.sund.kernel.route.Vxlan;
import dev.sund.model.Ip;
import dev.sund.model.Mac;
import dev.sund.model.Marks;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.IntFunction;

/** What the kernel lists as rows, and whose a device is. Pure functions. */
final class RowReader {
  private static final Mac NO_MAC = new Mac(0);

  private RowReader() {}

  /** Whether it is the node's end of a pod's link of ours. */
  static boolean isPodLink(Link link) {
    return link.kind().equals("veth")
        && link.group() != Marks.GROUP_DOOMED
        && (link.group() == Marks.GROUP_PODS || isOurAlias(link.alias()));
  }

  /** Whether it is the node's end of the link of a container on a bridge, made by us. */
  static boolean isBridgePort(Link link) {
    return link.kind().equals("veth") && link.group() == Marks.GROUP_BRIDGE_PORTS;
  }

  /** Whether it is a bridge that we made for containers. */
  static boolean isBridge(Link link) {
    return link.kind().equals("bridge") && link.alias().startsWith(Marks.BRIDGE_ALIAS_PREFIX + " ");
  }

  /** Whether it waits for its deletion. */
  static boolean isDoomed(Link link) {
    return link.group() == Marks.GROUP_DOOMED && link.kind().equals("veth");
  }

  /** Whether it is a tunnel's device by name and kind, whoever made it. */
  static boolean hasTunnelName(Link link) {
    return Marks.TUNNELS.contains(link.name());
  }

  /** Whether we made this tunnel's device, as its ifalias says, or its group before it has one. */
  static boolean isTunnel(Link link) {
    return switch (link.kind()) {
      case "vxlan" -> isOurAlias(link.alias());
      case "ipip" ->
          isOurAlias(link.alias())
              || (link.alias().isEmpty() && link.group() == Marks.GROUP_TUNNELS);
      default -> false;
    };
  }

  /**
   * Whether Sund made this device and nobody else has a part in it. A bridge of ours is not meant:
   * the node has an address on it, and others may be its ports.
   */
  static boolean isOurs(Link link) {
    return isPodLink(link) || isBridgePort(link) || isDoomed(link) || isTunnel(link);
  }

  static boolean isOurAlias(String alias) {
    return alias.startsWith(Marks.ALIAS_PREFIX + " ");
  }

  static RouteRow route(RouteEntry entry, IntFunction<String> deviceName) {
    StringBuilder other = new StringBuilder(entry.other());
    if (!entry.nextHops().isEmpty()) {
      other.append(other.isEmpty() ? "" : " ").append(entry.nextHops().size()).append(" next hops");
    }
    if (entry.nextHopId() != 0) {
      other.append(other.isEmpty() ? "" : " ").append("nhid ").append(entry.nextHopId());
    }
    return new RouteRow(
        entry.destination(),
        entry.metric(),
        entry.type(),
        entry.device() == 0 || entry.type().isDeadEnd()
            ? Optional.empty()
            : Optional.of(deviceName.apply(entry.device())),
        entry.gateway(),
        entry.isOnlink(),
        entry.source(),
        entry.scope(),
        entry.mtu(),
        other.toString());
  }

  static TunnelRow tunnel(Link link, List<Address> addresses, IntFunction<String> deviceName) {
    return new TunnelRow(
        link.name(),
        fixed(link, deviceName),
        link.mac(),
        link.mtu(),
        link.isUp(),
        link.alias(),
        global(addresses, link.index()));
  }

  private static TunnelRow.Fixed fixed(Link link, IntFunction<String> deviceName) {
    if (link.ipip().isPresent()) {
      Ipip ipip = link.ipip().get();
      return new TunnelRow.Fixed(
          new TunnelRow.Wire.Ipip(ipip.ttl(), ipip.pathMtuDiscovery()),
          ipip.local(),
          underlay(ipip.underlay(), deviceName),
          ipip.remote());
    }
    Vxlan vxlan = link.vxlan().orElseThrow();
    return new TunnelRow.Fixed(
        new TunnelRow.Wire.Vxlan(vxlan.vni(), vxlan.port(), vxlan.learning(), vxlan.df()),
        vxlan.local(),
        underlay(vxlan.underlay(), deviceName),
        vxlan.remote());
  }

  private static Optional<String> underlay(int index, IntFunction<String> deviceName) {
    return index == 0 ? Optional.empty() : Optional.of(deviceName.apply(index));
  }

  static NeighbourRow neighbour(Neighbour neighbour, String device) {
    return new NeighbourRow(
        device,
        neighbour.ip(),
        neighbour.mac().filter(mac -> mac.bits() != 0),
        neighbour.isPermanent());
  }

  static FdbRow fdb(FdbEntry entry, String device) {
    return new FdbRow(device, entry.mac(), entry.destination(), entry.isPermanent(), entry.other());
  }

  static PodRow.HostSide host(Link link, List<Neighbour> neighbours) {
    return new PodRow.HostSide(
        link.mac().orElse(NO_MAC),
        link.mtu(),
        link.group(),
        link.alias(),
        link.isUp(),
        permanent(neighbours, link.index()));
  }

  static PodRow.InsideSide inside(
      Link link, List<Address> addresses, List<RouteEntry> routes, List<Neighbour> neighbours) {
    SortedMap<String, PodRow.InsideRoute> byDestination = new TreeMap<>();
    for (RouteEntry route : routes) {
      if (route.device() == link.index() && route.protocol() == Marks.ROUTE_PROTOCOL) {
        byDestination.put(
            route.destination().toString(), new PodRow.InsideRoute(route.gateway(), route.mtu()));
      }
    }
    return new PodRow.InsideSide(
        link.name(),
        link.mac().orElse(NO_MAC),
        link.mtu(),
        link.isUp(),
        global(addresses, link.index()),
        byDestination,
        permanent(neighbours, link.index()));
  }

  private static SortedSet<String> global(List<Address> addresses, int device) {
    SortedSet<String> texts = new TreeSet<>();
    for (Address address : addresses) {
      if (address.device() == device && address.scope() == Rtnl.SCOPE_UNIVERSE) {
        texts.add(address.address().toString());
      }
    }
    return texts;
  }

  private static SortedMap<Ip, Mac> permanent(List<Neighbour> neighbours, int device) {
    SortedMap<Ip, Mac> permanent = new TreeMap<>();
    for (Neighbour neighbour : neighbours) {
      if (neighbour.device() == device && neighbour.isPermanent()) {
        permanent.put(neighbour.ip(), neighbour.mac().orElse(NO_MAC));
      }
    }
    return permanent;
  }
}
