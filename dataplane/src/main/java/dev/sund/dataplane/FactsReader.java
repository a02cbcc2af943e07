package dev.sund.dataplane;

import dev.sund.engine.cluster.NodeFacts;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.route.Address;
import dev.sund.kernel.route.Link;
import dev.sund.kernel.route.NextHop;
import dev.sund.kernel.route.RouteEntry;
import dev.sund.kernel.route.RouteFilter;
import dev.sund.kernel.route.RouteType;
import dev.sund.model.Family;
import dev.sund.model.InterfaceAddress;
import dev.sund.model.Ip;
import dev.sund.model.Marks;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Reads what a node has that Sund did not make. Needs no capability. */
public final class FactsReader {
  private final KernelRoutes kernel;

  /** A reader of the namespace of {@code kernel}, closed by whoever opened it. */
  public FactsReader(KernelRoutes kernel) {
    this.kernel = kernel;
  }

  /** Reads devices, addresses and foreign routes of the main table. */
  public NodeFacts read() throws KernelException {
    List<RouteEntry> routes = new ArrayList<>();
    for (Family family : Family.values()) {
      routes.addAll(kernel.routes(RouteFilter.main(family)));
    }
    return facts(kernel.links(), kernel.addresses(), routes);
  }

  /** The facts of what was listed. */
  static NodeFacts facts(List<Link> links, List<Address> addresses, List<RouteEntry> routes) {
    Map<Integer, String> names = new HashMap<>();
    List<NodeFacts.Device> devices = new ArrayList<>();
    for (Link link : links) {
      names.put(link.index(), link.name());
      if (!RowReader.isOurs(link)) {
        List<InterfaceAddress> own =
            addresses.stream()
                .filter(address -> address.device() == link.index() && !address.isDuplicate())
                .sorted(Comparator.comparing(Address::isSecondary)) // else as they came
                .map(Address::address)
                .toList();
        devices.add(
            new NodeFacts.Device(
                link.name(), link.mtu(), link.isUp() && link.hasCarrier(), own, link.index()));
      }
    }
    devices.sort(Comparator.comparing(NodeFacts.Device::name));
    return new NodeFacts(devices, hostRoutes(routes, names));
  }

  private static List<NodeFacts.HostRoute> hostRoutes(
      List<RouteEntry> routes, Map<Integer, String> names) {
    List<NodeFacts.HostRoute> host = new ArrayList<>();
    for (RouteEntry route : routes) {
      boolean usable =
          route.type() == RouteType.UNICAST
              && route.protocol() != Marks.ROUTE_PROTOCOL
              && !route.destination().address().isLinkLocal()
              && !route.destination().address().isMulticast()
              && (route.flags() & RouteEntry.DEAD) == 0;
      if (!usable) {
        continue;
      }
      if (route.nextHops().isEmpty()) {
        host.add(hostRoute(route, names, route.device(), route.gateway()));
      } else {
        for (NextHop hop : route.nextHops()) {
          host.add(hostRoute(route, names, hop.device(), hop.gateway()));
        }
      }
    }
    host.sort(
        Comparator.comparing(NodeFacts.HostRoute::destination)
            .thenComparingInt(NodeFacts.HostRoute::metric));
    return host;
  }

  private static NodeFacts.HostRoute hostRoute(
      RouteEntry route, Map<Integer, String> names, int device, Optional<Ip> gateway) {
    return new NodeFacts.HostRoute(
        route.destination(),
        names.getOrDefault(device, "#" + device),
        gateway,
        route.source(),
        route.metric());
  }
}
