package dev.sund.dataplane;

import dev.sund.dataplane.rows.PodRow;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.Sysctl;
import dev.sund.kernel.route.Address;
import dev.sund.kernel.route.Link;
import dev.sund.kernel.route.LinkSetting;
import dev.sund.kernel.route.Neighbour;
import dev.sund.kernel.route.Outcome;
import dev.sund.kernel.route.RouteEntry;
import dev.sund.kernel.route.RouteFilter;
import dev.sund.kernel.route.RouteRequest;
import dev.sund.kernel.route.Rtnl;
import dev.sund.model.Family;
import dev.sund.model.InterfaceAddress;
import dev.sund.model.Ip;
import dev.sund.model.Mac;
import dev.sund.model.Marks;
import dev.sund.model.Prefix;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/** Reads and writes the pod's end of a link, inside the pod's namespace. */
final class PodSide {
  /** RFC 2863: up. */
  private static final int OPERATIONAL = 6;

  /** At most some 20 ms: longer than the kernel takes on a busy machine. */
  private static final int LOOKS = 100;

  private static final long PAUSE_NANOS = 200_000;

  private final KernelRoutes kernel;
  private final String driver;

  PodSide(KernelRoutes kernel, String driver) {
    this.kernel = kernel;
    this.driver = driver;
  }

  /** The pod's end of {@code host}; empty when it is not in this namespace. */
  Optional<PodRow.InsideSide> read(KernelRoutes.Inside inside, Link host) throws KernelException {
    KernelRoutes pod = inside.routes();
    Optional<Link> end = end(inside, host);
    if (end.isEmpty()) {
      return Optional.empty();
    }
    List<RouteEntry> routes = new ArrayList<>();
    List<Neighbour> neighbours = new ArrayList<>();
    for (Family family : Family.values()) {
      routes.addAll(pod.routes(RouteFilter.main(family)));
      neighbours.addAll(pod.neighbours(family, end.get().index()));
    }
    return Optional.of(RowReader.inside(end.get(), pod.addresses(), routes, neighbours));
  }

  private Optional<Link> end(KernelRoutes.Inside inside, Link host) throws KernelException {
    if (host.peerNamespace().isEmpty()
        || !kernel.namespaceId(inside).equals(host.peerNamespace())) {
      return Optional.empty();
    }
    return inside.routes().link(host.lower());
  }

  /**
   * Writes what differs.
   *
   * @return how many messages were sent
   */
  int write(
      KernelRoutes.Inside inside,
      Link host,
      PodRow.InsideSide want,
      Optional<PodRow.InsideSide> have)
      throws KernelException {
    int index = host.lower();
    boolean v6 = want.neighbours().containsKey(Marks.GATEWAY_V6);
    boolean fresh = have.isEmpty() || !have.get().up();
    if (fresh) {
      for (KernelException failure :
          inside.writeSysctls(sysctls(have.map(PodRow.InsideSide::name).orElse(want.name()), v6))) {
        if (!(failure instanceof KernelException.NotFound)) { // IPv6 may be switched off
          throw failure;
        }
      }
    }
    KernelRoutes pod = inside.routes();
    List<RouteRequest> requests = new ArrayList<>();
    setLink(index, want, have, requests);
    // What hangs on a device that was down is gone, or was never there.
    Optional<PodRow.InsideSide> standing = fresh ? Optional.empty() : have;
    for (String address : want.addresses()) {
      if (have.isEmpty() || fresh || !have.get().addresses().contains(address)) {
        requests.add(
            new RouteRequest.PutAddress(Address.alone(index, InterfaceAddress.parse(address))));
      }
    }
    have.ifPresent(side -> {
      for (String address : side.addresses()) {
        if (!want.addresses().contains(address)) {
          requests.add(
              new RouteRequest.DeleteAddress(
                  Address.alone(index, InterfaceAddress.parse(address))));
        }
      }
    });
    // The kernel forgets the neighbours of a device that gets another address, and changes the MTU
    // of IPv6 routes with that of their device.
    neighbours(index, want, standing.filter(side -> side.mac().equals(want.mac())), requests);
    routes(index, want, standing.filter(side -> side.mtu() == want.mtu()), requests);
    strayRoutes(index, want, have, requests);
    if (!requests.isEmpty()) {
      for (Outcome outcome : pod.apply(driver, requests)) {
        outcome.orThrow();
      }
    }
    return requests.size();
  }

  /** Waits until the pod's end carries packets and what came to it is delivered. */
  static void await(KernelRoutes.Inside inside, int index, PodRow.InsideSide side)
      throws KernelException {
    awaitCarrier(inside.routes(), index);
    if (side.neighbours().containsKey(Marks.GATEWAY_V6)) {
      awaitDelivery(
          inside.routes(), index, side.addresses().stream().map(InterfaceAddress::parse).toList());
    }
  }

  /**
   * Waits until the kernel delivers packets to the pod's IPv6 addresses: also without duplicate
   * address detection it writes the local route a moment later, on a thread of its own, and drops
   * what comes before. The answer to a first packet would be lost.
   */
  static void awaitDelivery(KernelRoutes pod, int index, List<InterfaceAddress> addresses)
      throws KernelException {
    RouteFilter local = new RouteFilter(Family.V6, Rtnl.TABLE_LOCAL, 0, index);
    List<Prefix> wanted =
        addresses.stream()
            .map(InterfaceAddress::ip)
            .filter(ip -> ip.family() == Family.V6)
            .map(Prefix::host)
            .toList();
    for (int i = 0; i < LOOKS; i++) {
      List<Prefix> there = pod.routes(local).stream().map(RouteEntry::destination).toList();
      if (there.containsAll(wanted)) {
        return;
      }
      LockSupport.parkNanos(PAUSE_NANOS);
    }
  }

  /** Waits until a device sends: see {@link PodDriver}. At most some 20 ms. */
  static void awaitCarrier(KernelRoutes kernel, int index) throws KernelException {
    for (int i = 0; i < LOOKS; i++) {
      Optional<Link> link = kernel.link(index);
      if (link.isEmpty() || link.get().operState() == OPERATIONAL) {
        return;
      }
      LockSupport.parkNanos(PAUSE_NANOS);
    }
  }

  /**
   * Takes a link out of service: both ends down, their names free, waiting to be deleted.
   *
   * @return how many messages were sent
   */
  int doom(Link host, Optional<PodDriver.Place> place) throws KernelException {
    String name = "sundd" + host.index();
    int sent = 0;
    if (place.isPresent()) {
      try (KernelRoutes.Inside inside = kernel.enter(place.get().namespace())) {
        if (end(inside, host).isPresent()) {
          sent = 2;
          inside
              .routes()
              .apply(
                  driver,
                  List.of(
                      new RouteRequest.SetLink(
                          host.lower(), "", List.of(new LinkSetting.Up(false))),
                      new RouteRequest.SetLink(
                          host.lower(), "", List.of(new LinkSetting.Name(name)))));
        }
      } catch (KernelException.NotFound _) {
        // the namespace has gone, and its end of the link with it
      }
    }
    List<Outcome> outcomes =
        kernel.apply(
            driver,
            List.of(
                new RouteRequest.SetLink(
                    host.index(), host.name(), List.of(new LinkSetting.Up(false))),
                new RouteRequest.SetLink(
                    host.index(),
                    host.name(),
                    List.of(
                        new LinkSetting.Name(name), new LinkSetting.Group(Marks.GROUP_DOOMED)))));
    for (Outcome outcome : outcomes) {
      if (outcome instanceof Outcome.Failed(KernelException cause)
          && !(cause instanceof KernelException.NotFound)) { // gone by itself
        throw cause;
      }
    }
    return sent + 2;
  }

  /** Before it goes up: its addresses are usable at once, and no router may advise it. */
  private static Map<Sysctl, String> sysctls(String device, boolean v6) {
    Map<Sysctl, String> values = new LinkedHashMap<>();
    if (v6) {
      values.put(Sysctl.ipv6Conf(device, "disable_ipv6"), "0");
    }
    values.put(Sysctl.ipv6Conf(device, "accept_dad"), "0");
    values.put(Sysctl.ipv6Conf(device, "accept_ra"), "0");
    return values;
  }

  private static void setLink(
      int index,
      PodRow.InsideSide want,
      Optional<PodRow.InsideSide> have,
      List<RouteRequest> requests) {
    List<LinkSetting> settings = new ArrayList<>();
    if (have.isPresent()) {
      PodRow.InsideSide side = have.get();
      if (!side.name().equals(want.name())) {
        settings.add(new LinkSetting.Name(want.name()));
      }
      if (!side.mac().equals(want.mac())) {
        settings.add(new LinkSetting.Address(want.mac()));
      }
      if (side.mtu() != want.mtu()) {
        settings.add(new LinkSetting.Mtu(want.mtu()));
      }
    }
    if (have.isEmpty() || have.get().up() != want.up()) {
      settings.add(new LinkSetting.Up(want.up()));
    }
    if (!settings.isEmpty()) {
      requests.add(new RouteRequest.SetLink(index, want.name(), settings));
    }
  }

  private static void neighbours(
      int index,
      PodRow.InsideSide want,
      Optional<PodRow.InsideSide> have,
      List<RouteRequest> requests) {
    want.neighbours()
        .forEach((ip, mac) -> {
          if (!mac.equals(neighbour(have, ip))) {
            requests.add(new RouteRequest.PutNeighbour(Neighbour.permanent(index, ip, mac)));
          }
        });
    have.ifPresent(side ->
        side.neighbours()
            .forEach((ip, mac) -> {
              if (!want.neighbours().containsKey(ip)) {
                requests.add(new RouteRequest.DeleteNeighbour(Neighbour.permanent(index, ip, mac)));
              }
            }));
  }

  private static @Nullable Mac neighbour(Optional<PodRow.InsideSide> side, Ip ip) {
    return side.isEmpty() ? null : side.get().neighbours().get(ip);
  }

  private static void routes(
      int index,
      PodRow.InsideSide want,
      Optional<PodRow.InsideSide> have,
      List<RouteRequest> requests) {
    // Those without a gateway first: they are the way to the gateway.
    List<String> order = new ArrayList<>(want.routes().keySet());
    order.sort(
        java.util.Comparator.comparing(
                (String destination) -> route(want, destination).gateway().isPresent())
            .thenComparing(java.util.Comparator.naturalOrder()));
    for (String destination : order) {
      PodRow.InsideRoute route = route(want, destination);
      if (!route.equals(have.map(side -> side.routes().get(destination)).orElse(null))) {
        requests.add(new RouteRequest.PutRoute(entry(index, destination, route)));
      }
    }
  }

  private static void strayRoutes(
      int index,
      PodRow.InsideSide want,
      Optional<PodRow.InsideSide> have,
      List<RouteRequest> requests) {
    have.ifPresent(side ->
        side.routes()
            .forEach((destination, route) -> {
              if (!want.routes().containsKey(destination)) {
                requests.add(new RouteRequest.DeleteRoute(entry(index, destination, route)));
              }
            }));
  }

  private static PodRow.InsideRoute route(PodRow.InsideSide side, String destination) {
    return java.util.Objects.requireNonNull(side.routes().get(destination));
  }

  private static RouteEntry entry(int index, String destination, PodRow.InsideRoute route) {
    RouteEntry entry = RouteEntry.to(Prefix.parse(destination)).withDevice(index);
    if (route.gateway().isPresent()) {
      entry = entry.withGateway(route.gateway().get());
    }
    return entry.withMtu(route.mtu()).withProtocol(Marks.ROUTE_PROTOCOL);
  }
}
