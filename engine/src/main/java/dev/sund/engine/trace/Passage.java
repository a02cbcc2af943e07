package dev.sund.engine.trace;

import dev.sund.engine.Mtu;
import dev.sund.engine.Mtu.Encapsulation;
import dev.sund.engine.program.Tunnel;
import dev.sund.engine.program.TunnelPeer;
import dev.sund.engine.trace.NodeView.Exit;
import dev.sund.engine.trace.Trace.AtHost;
import dev.sund.engine.trace.Trace.AtNode;
import dev.sund.engine.trace.Trace.Carriage;
import dev.sund.engine.trace.Trace.Hop;
import dev.sund.engine.trace.Trace.Outer;
import dev.sund.engine.trace.Trace.Stage;
import dev.sund.model.Family;
import dev.sund.model.InterfaceAddress;
import dev.sund.model.Ip;
import dev.sund.model.Mac;
import dev.sund.model.NodeName;
import dev.sund.model.Reason;
import java.util.Comparator;
import java.util.Optional;

/**
 * A packet's passage over the underlay: from link to link, unwrapped or inside of an outer packet.
 *
 * <p>What Linux 6.18 does with outer packets that a link is too small for, as measured between
 * namespaces: over IPv4 they carry no DF, and the sending node or a router cuts them; over IPv6
 * nobody cuts them, and they are lost without a word to the inner sender. In IPIP the outer packet
 * has the inner one's DF: where that is set, the sending node hears of the link and tells the inner
 * sender, at the latest of the second packet.
 */
final class Passage {
  /** No underlay has more routers in a row. */
  private static final int LONGEST = 32;

  private final Walk walk;
  private final PathTracer tracer;

  Passage(Walk walk, PathTracer tracer) {
    this.walk = walk;
    this.tracer = tracer;
  }

  /** A link of a machine that a packet has come in by. */
  private record Arrived(Underlay.Host host, Underlay.Link link) {}

  /** The packet leaves {@code machine} as it is. */
  void unwrapped(String machine, Underlay.Link link, Ip nextHop) {
    cross(machine, link, nextHop, 0, Integer.MAX_VALUE)
        .ifPresent(arrived -> {
          switch (arrived.host().role()) {
            case NODE -> tracer.node(arrived.host().name()).ifPresent(walk::atNode);
            case ROUTER, OUTSIDE -> walk.atHost(arrived.host());
          }
        });
  }

  /**
   * The packet leaves a node inside of an outer one.
   *
   * @param peer the other end, where the tunnel has peers
   * @param teller who tells the inner sender of a packet that is too large; empty where it is born
   */
  void wrapped(
      NodeView sender,
      Tunnel tunnel,
      Optional<TunnelPeer> peer,
      Outer outer,
      Optional<Trace.Arrival> teller) {
    Family family = outer.destination().family();
    int overhead = Mtu.overhead(tunnel.encapsulation(), family);
    int pieces = Integer.MAX_VALUE;
    String machine = sender.name();
    Optional<Way> way = way(sender, outer.destination(), tunnel.underlayDevice());
    for (int count = 0; count < LONGEST; count++) {
      if (way.isEmpty()) {
        walk.stop(
            machine,
            Stage.UNDERLAY,
            Reason.NO_ROUTE,
            "no route of the underlay covers " + outer.destination());
        return;
      }
      Underlay.Link link = way.get().link();
      boolean bound = tunnel.encapsulation() == Encapsulation.IPIP && walk.dontFragment;
      if (bound && !walk.fits(machine, link.mtu() - overhead, link.device(), teller)) {
        return;
      }
      switch (family) {
        case V4 -> pieces = Math.min(pieces, link.mtu());
        case V6 -> {
          if (!carries(machine, link, overhead, link.mtu(), Integer.MAX_VALUE)) {
            return;
          }
        }
      }
      if (count > 0) {
        hopOfTransit(machine, link, overhead, outer);
      }
      Optional<Arrived> arrived = cross(machine, link, way.get().nextHop(), overhead, pieces);
      if (arrived.isEmpty()) {
        return;
      }
      Underlay.Host host = arrived.get().host();
      machine = host.name();
      Optional<NodeView> node =
          host.role() == Underlay.Role.NODE ? tracer.node(machine) : Optional.empty();
      if (node.map(view -> view.isLocal(outer.destination())).orElse(false)) {
        unwrap(node.get(), outer, peer);
        return;
      }
      if (host.carries(outer.destination()) || host.role() == Underlay.Role.OUTSIDE) {
        walk.stop(machine, Stage.DECAPSULATE, Reason.TUNNEL_MISMATCH, "it has no tunnel");
        return;
      }
      way =
          node.isPresent()
              ? way(node.get(), outer.destination(), "")
              : connected(host, outer.destination())
                  .map(next -> new Way(next, outer.destination()));
    }
    walk.stop(machine, Stage.UNDERLAY, Reason.ROUTING_LOOP, "the outer packet goes in circles");
  }

  /** Where an outer packet goes next. */
  private record Way(Underlay.Link link, Ip nextHop) {}

  private static Optional<Way> way(NodeView view, Ip to, String device) {
    if (view.lookupForeign(to, device).orElse(null) instanceof Exit.Foreign(var route)) {
      return view.host()
          .flatMap(host -> host.link(route.device()))
          .map(link -> new Way(link, route.gateway().orElse(to)));
    }
    return Optional.empty();
  }

  private static boolean takes(Tunnel tunnel, Outer outer) {
    return tunnel.local().equals(outer.destination())
        && switch (tunnel.wire()) {
          case Tunnel.Wire.Vxlan(var vni, var port, _) ->
              vni == outer.vni() && port == outer.port();
          case Tunnel.Wire.Ipip() -> outer.carriage() == Carriage.IPIP;
        };
  }

  private static String text(Optional<Mac> mac) {
    return mac.map(Mac::toString).orElse("none");
  }

  private void unwrap(NodeView view, Outer outer, Optional<TunnelPeer> peer) {
    Optional<Tunnel> tunnel =
        view.program().tunnels().values().stream().filter(one -> takes(one, outer)).findFirst();
    if (tunnel.isEmpty()) {
      walk.stop(
          view.name(),
          Stage.DECAPSULATE,
          Reason.TUNNEL_MISMATCH,
          outer.carriage() == Carriage.IPIP
              ? "no tunnel here takes IPIP at %s".formatted(outer.destination())
              : "no tunnel here takes VXLAN %d at %s port %d"
                  .formatted(outer.vni(), outer.destination(), outer.port()));
      return;
    }
    Optional<Mac> frame = peer.map(TunnelPeer::mac);
    if (!frame.equals(tunnel.get().mac())) {
      walk.stop(
          view.name(),
          Stage.DECAPSULATE,
          Reason.TUNNEL_MISMATCH,
          "the inner frame is for %s, but this end is %s"
              .formatted(text(frame), text(tunnel.get().mac())));
      return;
    }
    walk.hop(
        view.name(),
        Stage.DECAPSULATE,
        Carriage.LOCAL,
        tunnel.get().device(),
        0,
        Optional.of(tunnel.get().rule()),
        "out of " + tunnel.get().device());
    walk.atNode(view);
  }

  private void hopOfTransit(String machine, Underlay.Link link, int overhead, Outer outer) {
    walk.hops.add(
        new Hop(
            machine,
            Stage.UNDERLAY,
            outer.carriage(),
            link.device(),
            Optional.of(outer),
            link.mtu() - overhead,
            Optional.empty(),
            "the outer packet is forwarded to segment %s by %s"
                .formatted(link.segment(), link.device()),
            false));
  }

  /** One link: from {@code machine} to whoever has {@code nextHop} on its segment. */
  private Optional<Arrived> cross(
      String machine, Underlay.Link link, Ip nextHop, int overhead, int pieces) {
    if (!link.up()) {
      walk.stop(machine, Stage.UNDERLAY, Reason.LINK_DOWN, link.device() + " is down");
      return Optional.empty();
    }
    Optional<Arrived> there = owner(link, nextHop);
    if (there.isEmpty()) {
      walk.stop(
          machine,
          Stage.UNDERLAY,
          Reason.NO_NEIGHBOUR,
          "nobody on segment %s has %s".formatted(link.segment(), nextHop));
      if (overhead == 0) {
        tellFrom(machine);
      }
      return Optional.empty();
    }
    Underlay.Link end = there.get().link();
    if (!end.up()) {
      walk.stop(
          there.get().host().name(), Stage.UNDERLAY, Reason.LINK_DOWN, end.device() + " is down");
      return Optional.empty();
    }
    return carries(there.get().host().name(), end, overhead, end.takes(), pieces)
        ? there
        : Optional.empty();
  }

  /**
   * A bound that nobody hears of.
   *
   * @param largest what the link carries
   * @param pieces the size of the pieces that a packet has been cut into, if it has
   */
  private boolean carries(
      String machine, Underlay.Link link, int overhead, int largest, int pieces) {
    if (Math.min(walk.pathMtu + overhead, pieces) > largest) {
      walk.pathMtu = Math.min(walk.pathMtu, largest - overhead);
    }
    int longest = Math.min(walk.size + overhead, pieces);
    if (longest > largest) {
      walk.stop(
          machine,
          Stage.UNDERLAY,
          Reason.MTU_BLACK_HOLE,
          "%d bytes are more than the %d that %s carries, and nobody is told"
              .formatted(longest, largest, link.device()));
      return false;
    }
    return true;
  }

  private void tellFrom(String machine) {
    Optional<Underlay.Host> host = tracer.underlay().host(machine);
    boolean node = host.map(one -> one.role() == Underlay.Role.NODE).orElse(true);
    walk.toldBy = Optional.of(node ? new AtNode(new NodeName(machine)) : new AtHost(machine));
  }

  private Optional<Arrived> owner(Underlay.Link from, Ip ip) {
    for (Underlay.Host host : tracer.underlay().hosts()) {
      for (Underlay.Link link : host.links()) {
        if (link.segment().equals(from.segment()) && link.carries(ip)) {
          return Optional.of(new Arrived(host, link));
        }
      }
    }
    return Optional.empty();
  }

  /** The link of a host on whose subnet {@code ip} is: of several the longest subnet. */
  static Optional<Underlay.Link> connected(Underlay.Host host, Ip ip) {
    return host.links().stream()
        .filter(link -> subnet(link, ip).isPresent())
        .max(
            Comparator.comparingInt(
                link -> subnet(link, ip).map(InterfaceAddress::length).orElse(0)));
  }

  private static Optional<InterfaceAddress> subnet(Underlay.Link link, Ip ip) {
    return link.addresses().stream()
        .filter(address -> address.subnet().contains(ip))
        .max(Comparator.comparingInt(InterfaceAddress::length));
  }
}
