package dev.sund.lab.scene;

import dev.sund.engine.cluster.Node;
import dev.sund.engine.cluster.NodeFacts;
import dev.sund.engine.cluster.NodeFacts.Device;
import dev.sund.engine.cluster.NodeFacts.HostRoute;
import dev.sund.engine.trace.Underlay;
import dev.sund.engine.trace.Underlay.Host;
import dev.sund.engine.trace.Underlay.Link;
import dev.sund.engine.trace.Underlay.Role;
import dev.sund.model.InterfaceAddress;
import dev.sund.model.Ip;
import dev.sund.model.NodeName;
import dev.sund.model.Prefix;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;

/**
 * What one node knows of the network between the nodes: its own devices, subnets and gateways. The
 * rest is assumed as {@link UnderlayPlan} lays it out: other nodes' links are like its own, nodes
 * on its subnet are its neighbours, and its gateways are one router that leads everywhere.
 */
public final class NodeUnderlay {
  private final NodeName self;
  private final NodeFacts facts;

  private NodeUnderlay(NodeName self, NodeFacts facts) {
    this.self = self;
    this.facts = facts;
  }

  /**
   * The underlay as this node sees it.
   *
   * @param nodes all nodes of the cluster
   * @param taken addresses that somebody else has
   */
  public static Underlay of(
      NodeName self, NodeFacts facts, Collection<Node> nodes, Collection<Ip> taken) {
    Ranges ranges = new Ranges();
    taken.forEach(ranges::take);
    nodes.forEach(node -> node.everyAddress().forEach(ranges::take));
    List<Node> addressed = nodes.stream().filter(node -> !node.addresses().isEmpty()).toList();
    NodeUnderlay own = new NodeUnderlay(self, facts);
    Underlay plan = UnderlayPlan.of(addressed, ranges, own.subnets());
    Optional<Host> planned = plan.host(self.text());
    List<Device> devices = own.devices();
    Optional<Device> first =
        planned.flatMap(host -> devices.stream().filter(one -> isOn(host, one)).findFirst());
    return first.map(device -> own.adapt(plan, planned.get(), devices, device)).orElse(plan);
  }

  private List<Device> devices() {
    return facts.devices().stream()
        .filter(device -> device.addresses().stream().anyMatch(NodeUnderlay::isUsable))
        .toList();
  }

  private List<Prefix> subnets() {
    return devices().stream()
        .flatMap(device -> device.addresses().stream())
        .filter(NodeUnderlay::isUsable)
        .filter(address -> address.length() < address.ip().family().bits())
        .map(InterfaceAddress::subnet)
        .toList();
  }

  private static boolean isUsable(InterfaceAddress address) {
    return !address.ip().isLoopback() && !address.ip().isLinkLocal();
  }

  private static boolean isOn(Host host, Device device) {
    return device.addresses().stream().anyMatch(address -> host.carries(address.ip()));
  }

  private Underlay adapt(Underlay plan, Host planned, List<Device> devices, Device first) {
    String home = planned.links().getFirst().segment();
    List<Link> links = new ArrayList<>();
    List<Link> routerLinks = new ArrayList<>();
    for (Device device : devices) {
      boolean atHome = isOn(planned, device);
      String segment = atHome ? home : "of " + device.name();
      links.add(new Link(device.name(), segment, device.addresses(), device.mtu(), device.up()));
      List<InterfaceAddress> gateways = gateways(device);
      if (atHome || !gateways.isEmpty()) {
        routerLinks.add(new Link("to " + segment, segment, gateways, device.mtu(), true));
      }
    }
    List<Host> hosts = new ArrayList<>();
    for (Host host : plan.hosts()) {
      if (host.name().equals(self.text())) {
        hosts.add(new Host(host.name(), host.role(), links));
      } else if (host.role() == Role.ROUTER) {
        List<Link> all = new ArrayList<>();
        for (Link link : host.links()) {
          if (!link.segment().equals(home)) {
            all.add(like(first, link, link.addresses()));
          } else {
            // Its real address here goes before the one that was laid out.
            List<InterfaceAddress> addresses = new ArrayList<>();
            routerLinks.stream()
                .filter(one -> one.segment().equals(home))
                .forEach(one -> addresses.addAll(one.addresses()));
            addresses.addAll(link.addresses());
            all.add(like(first, link, addresses));
          }
        }
        routerLinks.stream().filter(one -> !one.segment().equals(home)).forEach(all::add);
        hosts.add(new Host(host.name(), host.role(), all));
      } else {
        hosts.add(
            new Host(
                host.name(),
                host.role(),
                host.links().stream().map(link -> like(first, link, link.addresses())).toList()));
      }
    }
    return new Underlay(hosts, true);
  }

  private static Link like(Device device, Link link, List<InterfaceAddress> addresses) {
    return new Link(link.device(), link.segment(), addresses, device.mtu(), link.up());
  }

  private List<InterfaceAddress> gateways(Device device) {
    return facts.routes().stream()
        .filter(route -> route.device().equals(device.name()))
        .map(HostRoute::gateway)
        .flatMap(Optional::stream)
        .distinct()
        .flatMap(gateway ->
            device.addresses().stream()
                .filter(address -> address.subnet().contains(gateway))
                .filter(address -> !address.ip().equals(gateway))
                .map(address -> new InterfaceAddress(gateway, address.length())))
        .toList();
  }
}
