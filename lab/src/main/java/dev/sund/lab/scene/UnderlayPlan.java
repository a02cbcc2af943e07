package dev.sund.lab.scene;

import dev.sund.engine.cluster.Node;
import dev.sund.engine.trace.Underlay;
import dev.sund.engine.trace.Underlay.Host;
import dev.sund.engine.trace.Underlay.Link;
import dev.sund.engine.trace.Underlay.Role;
import dev.sund.model.Family;
import dev.sund.model.InterfaceAddress;
import dev.sund.model.Ip;
import dev.sund.model.Prefix;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.SortedSet;
import java.util.TreeSet;

/**
 * Lays a network under nodes whose addresses are given: nodes that share a /24 or a /64 share a
 * segment, a router joins the segments, and outside of them are a host and the API server's host,
 * each on a segment of its own.
 */
final class UnderlayPlan {
  /** The MTU of every link, in bytes. */
  static final int MTU = 1500;

  private static final int SUBNET_V4 = 24;
  private static final int SUBNET_V6 = 64;
  private static final List<Prefix> OUTSIDE =
      List.of(Prefix.parse("203.0.113.0/24"), Prefix.parse("fd00:ff::/64"));
  private static final List<Prefix> API =
      List.of(Prefix.parse("192.0.2.0/24"), Prefix.parse("fd00:fe::/64"));

  private final Ranges ranges;

  /** Subnets of other lengths than these. */
  private final List<Prefix> subnets;

  private final List<Host> hosts = new ArrayList<>();
  private final List<Link> routerLinks = new ArrayList<>();

  private UnderlayPlan(Ranges ranges, List<Prefix> subnets) {
    this.ranges = ranges;
    this.subnets = subnets;
  }

  static Underlay of(List<Node> nodes, Ranges ranges) {
    return of(nodes, ranges, List.of());
  }

  /** As the other, with these subnets as they are. */
  static Underlay of(List<Node> nodes, Ranges ranges, List<Prefix> subnets) {
    UnderlayPlan plan = new UnderlayPlan(ranges, subnets);
    plan.segments(nodes);
    plan.host(Scene.OUTSIDE, OUTSIDE);
    plan.host(Scene.API, API);
    plan.hosts.add(new Host(Scene.ROUTER, Role.ROUTER, plan.routerLinks));
    plan.hosts.sort(Comparator.comparing(Host::name));
    return new Underlay(plan.hosts, false);
  }

  static InterfaceAddress onSubnet(Ip address) {
    return new InterfaceAddress(address, address.family() == Family.V4 ? SUBNET_V4 : SUBNET_V6);
  }

  private InterfaceAddress onItsSubnet(Ip address) {
    for (Prefix subnet : subnets) {
      if (subnet.contains(address)) {
        return new InterfaceAddress(address, subnet.length());
      }
    }
    return onSubnet(address);
  }

  private void segments(List<Node> nodes) {
    List<Segment> segments = new ArrayList<>();
    for (Node node : nodes) {
      Segment joined = new Segment();
      joined.add(node);
      for (Segment other : List.copyOf(segments)) {
        if (other.subnets.stream().anyMatch(joined.subnets::contains)) {
          other.nodes.forEach(joined::add);
          segments.remove(other);
        }
      }
      segments.add(joined);
    }
    segments.sort(Comparator.comparing(segment -> segment.subnets.first()));
    char name = 'a';
    for (Segment segment : segments) {
      String text = String.valueOf(name++);
      for (Node node : segment.nodes) {
        List<InterfaceAddress> addresses =
            node.addresses().stream().map(this::onItsSubnet).toList();
        hosts.add(
            new Host(
                node.name().text(),
                Role.NODE,
                List.of(new Link("eth0", text, addresses, MTU, MTU, true))));
      }
      routerLink(text, segment.subnets);
    }
  }

  private void routerLink(String segment, Iterable<Prefix> subnets) {
    List<InterfaceAddress> addresses = new ArrayList<>();
    for (Prefix subnet : subnets) {
      Ip first = subnet.address().plus(1);
      Ip address = ranges.isTaken(first) ? ranges.address(subnet, 253) : first;
      ranges.take(address);
      addresses.add(new InterfaceAddress(address, subnet.length()));
    }
    routerLinks.add(new Link("br-" + segment, segment, addresses, MTU, MTU, true));
  }

  private void host(String name, List<Prefix> subnets) {
    List<InterfaceAddress> addresses = new ArrayList<>();
    for (Prefix subnet : subnets) {
      addresses.add(new InterfaceAddress(ranges.address(subnet, 10), subnet.length()));
    }
    hosts.add(
        new Host(name, Role.OUTSIDE, List.of(new Link("eth0", name, addresses, MTU, MTU, true))));
    routerLink(name, subnets);
  }

  private final class Segment {
    private final List<Node> nodes = new ArrayList<>();
    private final SortedSet<Prefix> subnets = new TreeSet<>();

    void add(Node node) {
      nodes.add(node);
      node.addresses().forEach(address -> subnets.add(onItsSubnet(address).subnet()));
    }
  }
}
