package dev.sund.engine.trace;

import dev.sund.model.Family;
import dev.sund.model.InterfaceAddress;
import dev.sund.model.Ip;
import dev.sund.model.Prefix;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * The network between the nodes: segments, and hosts with links on them. It is what predictions
 * know about the world outside of the nodes' programs; in the lab it is built as stated, on a live
 * node it is assumed.
 *
 * @param hosts nodes, routers and outside hosts, sorted by name
 * @param assumed whether this was inferred and not built or measured
 */
public record Underlay(List<Host> hosts, boolean assumed) {
  public Underlay {
    hosts = List.copyOf(hosts);
  }

  /** What a host is. */
  public enum Role {
    /** A node of the cluster, by its node name. */
    NODE,
    /** Forwards between its links by their connected subnets, and by its routes. */
    ROUTER,
    /** A machine outside of the cluster; its router is the default gateway. */
    OUTSIDE
  }

  /**
   * A machine of the underlay.
   *
   * @param name unique among hosts
   * @param role what it is
   * @param links its links, at least one
   * @param routes what a router knows besides its connected subnets: the way to addresses that
   *     machines answer at without carrying them
   */
  public record Host(String name, Role role, List<Link> links, List<Via> routes) {
    public Host {
      links = List.copyOf(links);
      routes = List.copyOf(routes);
    }

    /** One that knows its connected subnets alone. */
    public Host(String name, Role role, List<Link> links) {
      this(name, role, links, List.of());
    }

    /** Where it sends packets for {@code ip}: to the next hop of its longest route, or directly. */
    public Ip nextHop(Ip ip) {
      return routes.stream()
          .filter(via -> via.destination().contains(ip))
          .max(Comparator.comparingInt(via -> via.destination().length()))
          .map(Via::nextHop)
          .orElse(ip);
    }

    /** Its link by this device. */
    public Optional<Link> link(String device) {
      return links.stream().filter(link -> link.device().equals(device)).findFirst();
    }

    /** Whether one of its links carries {@code ip}. */
    public boolean carries(Ip ip) {
      return links.stream().anyMatch(link -> link.carries(ip));
    }
  }

  /**
   * A route of a router.
   *
   * @param destination for these addresses
   * @param nextHop on one of its links
   */
  public record Via(Prefix destination, Ip nextHop) {}

  /** The same with other routes of the machine {@code name}. */
  public Underlay withRoutes(String name, List<Via> routes) {
    return new Underlay(
        hosts.stream()
            .map(host ->
                host.name().equals(name)
                    ? new Host(host.name(), host.role(), host.links(), routes)
                    : host)
            .toList(),
        assumed);
  }

  /**
   * A link of a host on a segment.
   *
   * @param device the device's name on the host, such as {@code eth0}
   * @param segment the segment's name; links on one segment reach each other directly
   * @param addresses its addresses with the subnet's length
   * @param mtu the largest packet it sends, in bytes
   * @param takes the largest packet it takes in, in bytes; a larger one is lost without a word.
   *     Linux's veth takes in {@link #VLAN_ROOM} more than its MTU
   * @param up whether it carries packets
   */
  public record Link(
      String device,
      String segment,
      List<InterfaceAddress> addresses,
      int mtu,
      int takes,
      boolean up) {
    /** Room for a VLAN tag ({@code VLAN_HLEN} of {@code is_skb_forwardable}), in bytes. */
    public static final int VLAN_ROOM = 4;

    public Link {
      addresses = List.copyOf(addresses);
    }

    /** A link that takes in packets of its MTU and no larger ones. */
    public Link(
        String device, String segment, List<InterfaceAddress> addresses, int mtu, boolean up) {
      this(device, segment, addresses, mtu, mtu, up);
    }

    /** Whether it carries {@code ip}. */
    public boolean carries(Ip ip) {
      return addresses.stream().anyMatch(address -> address.ip().equals(ip));
    }

    /** Its first address of this family. */
    public Optional<Ip> address(Family family) {
      return addresses.stream()
          .map(InterfaceAddress::ip)
          .filter(ip -> ip.family() == family)
          .findFirst();
    }
  }

  /** The host of this name. */
  public Optional<Host> host(String name) {
    return hosts.stream().filter(host -> host.name().equals(name)).findFirst();
  }
}
