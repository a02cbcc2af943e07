package dev.sund.doctor.probe;

import dev.sund.kernel.Capability;
import dev.sund.kernel.Errno;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.NetNs;
import dev.sund.kernel.route.Address;
import dev.sund.kernel.route.Link;
import dev.sund.kernel.route.RouteEntry;
import dev.sund.kernel.route.RouteFilter;
import dev.sund.kernel.route.RouteSocket;
import dev.sund.kernel.socket.Endpoint;
import dev.sund.kernel.socket.NetSocket;
import dev.sund.model.Ip;
import dev.sund.model.Mac;
import dev.sund.model.Prefix;
import java.util.Comparator;
import java.util.Optional;

/**
 * How this node reaches another.
 *
 * @param local the address that it sends from
 * @param remote the other's
 * @param device the device that has the address
 * @param index the device's number
 * @param mtu the device's
 * @param mac the device's; empty when it has none
 * @param onLink whether the other is in a subnet of the device: no router between
 * @param nextMac of the other or of the router before it, as far as the kernel knows it
 * @param routeMtu what the route says, 0 when it says nothing
 * @param cachedMtu the largest packet that the kernel would send there now
 */
record Reach(
    Ip local,
    Ip remote,
    String device,
    int index,
    int mtu,
    Optional<Mac> mac,
    boolean onLink,
    Optional<Mac> nextMac,
    int routeMtu,
    int cachedMtu) {

  /**
   * Asks the kernel.
   *
   * @throws KernelException.NotFound when no device has the address that is sent from
   */
  static Reach to(NetNs node, Ip remote) throws KernelException {
    Ip local;
    int cached;
    try (NetSocket socket = node.call(() -> NetSocket.udp(remote.family()))) {
      int connected = socket.tryConnect(new Endpoint(remote, 9));
      Errno.check(connected, "reach", remote.toString());
      local = socket.local().ip();
      cached = socket.pathMtu();
    }
    try (RouteSocket socket = RouteSocket.open(node)) {
      Optional<Address> own =
          socket.addresses().stream().filter(one -> one.address().ip().equals(local)).findFirst();
      Optional<Link> found = own.isEmpty() ? Optional.empty() : socket.link(own.get().device());
      if (found.isEmpty()) {
        throw Errno.exception(
            "find the device of",
            local.toString(),
            Errno.ENODEV.number(),
            "",
            Capability.NET_ADMIN);
      }
      Link link = found.get();
      Optional<RouteEntry> route =
          socket.routes(RouteFilter.main(remote.family())).stream()
              .filter(one -> one.destination().contains(remote))
              .max(
                  Comparator.comparingInt((RouteEntry one) -> one.destination().length())
                      .thenComparing(one -> -one.metric()));
      boolean onLink =
          socket.addresses(link.index()).stream()
              .map(one -> one.address().subnet())
              .anyMatch(subnet -> subnet.contains(remote) && !subnet.equals(Prefix.host(remote)));
      Ip next = onLink ? remote : route.flatMap(RouteEntry::gateway).orElse(remote);
      Optional<Mac> mac =
          socket.neighbours(next.family(), link.index()).stream()
              .filter(one -> one.ip().equals(next))
              .flatMap(one -> one.mac().stream())
              .findFirst();
      return new Reach(
          local,
          remote,
          link.name(),
          link.index(),
          link.mtu(),
          link.isLoopback() ? Optional.empty() : link.mac(),
          onLink,
          mac,
          route.map(RouteEntry::mtu).orElse(0),
          cached);
    }
  }
}
