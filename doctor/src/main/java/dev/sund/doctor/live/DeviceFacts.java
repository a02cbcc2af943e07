package dev.sund.doctor.live;

import dev.sund.doctor.LineText;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.NetNs;
import dev.sund.kernel.route.Address;
import dev.sund.kernel.route.BridgePort;
import dev.sund.kernel.route.Link;
import dev.sund.kernel.route.Qdisc;
import dev.sund.kernel.route.QueueCounts;
import dev.sund.kernel.route.RouteEntry;
import dev.sund.kernel.route.RouteFilter;
import dev.sund.kernel.route.RouteSocket;
import dev.sund.kernel.route.Rule;
import dev.sund.kernel.route.Vxlan;
import dev.sund.kernel.socket.DeviceSettings;
import dev.sund.model.Family;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/** Devices, their queues and drivers, and the rules that choose a routing table. */
final class DeviceFacts {
  private DeviceFacts() {}

  static String links(NetNs node) throws KernelException {
    LineText text = new LineText();
    try (RouteSocket socket = RouteSocket.open(node)) {
      Map<Integer, Link> links = new HashMap<>();
      List<Link> all = socket.links();
      all.forEach(link -> links.put(link.index(), link));
      Map<Integer, List<String>> addresses = addresses(socket);
      for (Link link : all) {
        text.word("link", link.name())
            .word("index", link.index())
            .word("kind", link.kind())
            .word("mtu", link.mtu())
            .flag("up", link.isUp())
            .flag("carrier", link.hasCarrier())
            .flag("promiscuous", link.isPromiscuous());
        Link master = links.get(link.master());
        if (master != null) {
          text.word("master", master.name());
          Optional<BridgePort> port =
              master.kind().equals("bridge") ? socket.bridgePort(link.index()) : Optional.empty();
          port.ifPresent(one -> text.flag("hairpin", one.hairpin()));
        }
        if (link.lower() != 0) {
          text.word("peer", link.lower());
        }
        link.peerNamespace().ifPresent(id -> text.word("peer-namespace", id));
        if (link.vxlan().isPresent()) {
          vxlan(link.vxlan().get(), links, text);
        }
        text.list("addresses", addresses.getOrDefault(link.index(), List.of())).end();
      }
    }
    return text.toString();
  }

  private static void vxlan(Vxlan vxlan, Map<Integer, Link> links, LineText text) {
    text.word("port", vxlan.port());
    Link below = links.get(vxlan.underlay());
    if (below != null) {
      text.word("below", below.name());
    }
    boolean six =
        Stream.of(vxlan.local(), vxlan.remote())
            .flatMap(Optional::stream)
            .anyMatch(end -> end.family() == Family.V6);
    if (six) {
      text.word("outer", "ipv6");
    }
  }

  /** How many routes a family has, and those that say how large a packet may be. */
  static String routes(NetNs node) throws KernelException {
    LineText text = new LineText();
    try (RouteSocket socket = RouteSocket.open(node)) {
      Map<Integer, String> names = new HashMap<>();
      socket.links().forEach(link -> names.put(link.index(), link.name()));
      for (Family family : Family.values()) {
        List<RouteEntry> sized = new ArrayList<>();
        int[] all = {0};
        socket.routes(
            RouteFilter.all(family),
            new RouteSocket.RouteSink() {
              @Override
              public void begin() {
                sized.clear();
                all[0] = 0;
              }

              @Override
              public void accept(RouteEntry route) {
                all[0]++;
                if (route.mtu() > 0 && names.containsKey(route.device())) {
                  sized.add(route);
                }
              }
            });
        text.word("family", family == Family.V4 ? "ipv4" : "ipv6").word("all", all[0]).end();
        for (RouteEntry route : sized) {
          text.word("route", route.destination())
              .word("device", names.getOrDefault(route.device(), ""))
              .word("mtu", route.mtu())
              .end();
        }
      }
    }
    return text.toString();
  }

  /** Of each device the addresses with their prefixes' lengths. */
  static Map<Integer, List<String>> addresses(RouteSocket socket) throws KernelException {
    Map<Integer, List<String>> addresses = new HashMap<>();
    for (Address address : socket.addresses()) {
      addresses
          .computeIfAbsent(address.device(), _ -> new ArrayList<>())
          .add(address.address().toString());
    }
    return addresses;
  }

  static String queues(NetNs node) throws KernelException {
    LineText text = new LineText();
    try (RouteSocket socket = RouteSocket.open(node)) {
      Map<Integer, String> names = new HashMap<>();
      socket.links().forEach(link -> names.put(link.index(), link.name()));
      for (QueueCounts queue : socket.queueCounts()) {
        // A queue without a length keeps nothing and drops nothing.
        if (!queue.kind().equals("noqueue")) {
          text.word("device", names.getOrDefault(queue.device(), "#" + queue.device()))
              .word("parent", parent(queue.parent()))
              .word("kind", queue.kind())
              .word("drops", queue.drops())
              .word("overlimits", queue.overlimits())
              .word("requeues", queue.requeues())
              .word("waiting", queue.waiting())
              .end();
        }
      }
    }
    return text.toString();
  }

  private static String parent(int parent) {
    return switch (parent) {
      case Qdisc.ROOT -> "root";
      case Qdisc.INGRESS -> "ingress";
      default -> Integer.toHexString(parent >>> 16) + ":" + Integer.toHexString(parent & 0xffff);
    };
  }

  static String drivers(NetNs node, Path root) throws KernelException {
    LineText text = new LineText();
    try (RouteSocket socket = RouteSocket.open(node);
        DeviceSettings settings = DeviceSettings.open(node)) {
      for (Link link : socket.links()) {
        boolean hardware = Files.exists(root.resolve("sys/class/net/" + link.name() + "/device"));
        if (!hardware && link.vxlan().isEmpty() && !link.kind().equals("geneve")) {
          continue;
        }
        text.word("device", link.name()).flag("hardware", hardware).word("kind", link.kind());
        settings.driver(link.name()).ifPresent(driver -> text.word("driver", driver));
        settings
            .rings(link.name())
            .ifPresent(rings ->
                text.word("rx", rings.rx())
                    .word("rx-most", rings.rxMost())
                    .word("tx", rings.tx())
                    .word("tx-most", rings.txMost()));
        List<String> on = new ArrayList<>();
        settings
            .features(link.name())
            .forEach((feature, isOn) -> {
              if (isOn) {
                on.add(feature);
              }
            });
        text.list("on", on).end();
      }
    }
    return text.toString();
  }

  static String routing(NetNs node) throws KernelException {
    LineText text = new LineText();
    try (RouteSocket socket = RouteSocket.open(node)) {
      for (Family family : Family.values()) {
        for (Rule rule : socket.rules(family)) {
          text.word("rule", Integer.toUnsignedLong(rule.priority()))
              .word("family", family == Family.V4 ? "ipv4" : "ipv6")
              .word("action", rule.action())
              .word("table", Integer.toUnsignedLong(rule.table()))
              .word("protocol", rule.protocol());
          rule.from().ifPresent(prefix -> text.word("from", prefix));
          rule.to().ifPresent(prefix -> text.word("to", prefix));
          if (rule.mask() != 0) {
            text.word("mark", "0x" + Integer.toHexString(rule.mark()));
          }
          if (!rule.inDevice().isEmpty()) {
            text.word("in", rule.inDevice());
          }
          if (!rule.outDevice().isEmpty()) {
            text.word("out", rule.outDevice());
          }
          text.flag("inverted", (rule.flags() & 2) != 0).end();
        }
      }
    }
    return text.toString();
  }

  /** A node with a full table of BGP's routes does not hand over all of it. */
  private static final int MOST_ROUTES = 20_000;

  static String everyRoute(NetNs node) throws KernelException {
    LineText text = new LineText();
    try (RouteSocket socket = RouteSocket.open(node)) {
      Map<Integer, String> names = new HashMap<>();
      socket.links().forEach(link -> names.put(link.index(), link.name()));
      for (Family family : Family.values()) {
        List<RouteEntry> routes = socket.routes(RouteFilter.all(family));
        for (RouteEntry route : routes.subList(0, Math.min(routes.size(), MOST_ROUTES))) {
          text.word("route", route.destination())
              .word("table", Integer.toUnsignedLong(route.table()))
              .word("type", route.type().name().toLowerCase(Locale.ROOT))
              .word("protocol", route.protocol())
              .word("metric", Integer.toUnsignedLong(route.metric()));
          route.gateway().ifPresent(ip -> text.word("via", ip));
          if (route.device() != 0) {
            text.word("device", names.getOrDefault(route.device(), "#" + route.device()));
          }
          route.source().ifPresent(ip -> text.word("source", ip));
          if (!route.nextHops().isEmpty()) {
            text.list("ways", route.nextHops().stream().map(Object::toString).toList());
          }
          text.end();
        }
        if (routes.size() > MOST_ROUTES) {
          text.word("routes-left-out", routes.size() - MOST_ROUTES).end();
        }
      }
    }
    return text.toString();
  }
}
