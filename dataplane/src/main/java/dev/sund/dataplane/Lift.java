package dev.sund.dataplane;

import dev.sund.dataplane.nft.FrontendLift;
import dev.sund.dataplane.nft.MasqueradeLift;
import dev.sund.dataplane.nft.PolicyLift;
import dev.sund.dataplane.rows.Lowering;
import dev.sund.dataplane.rows.PodRow;
import dev.sund.dataplane.rows.RouteRow;
import dev.sund.dataplane.rows.TunnelRow;
import dev.sund.engine.program.LocalPod;
import dev.sund.engine.program.PacketProgram;
import dev.sund.engine.program.Route;
import dev.sund.engine.program.Tunnel;
import dev.sund.engine.program.TunnelPeer;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.NetNs;
import dev.sund.kernel.route.FdbEntry;
import dev.sund.kernel.route.Link;
import dev.sund.kernel.route.Neighbour;
import dev.sund.kernel.route.RouteEntry;
import dev.sund.model.Family;
import dev.sund.model.InterfaceAddress;
import dev.sund.model.Ip;
import dev.sund.model.Mac;
import dev.sund.model.Marks;
import dev.sund.model.PodKey;
import dev.sund.model.Prefix;
import dev.sund.model.RuleId;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * The program in force: what the kernel holds, told as program entries, so that it can be traced
 * and compared.
 *
 * <p>An entry is in force when it does what the program's entry would do: a pod whose link is down,
 * half of a tunnel's peer, or a route through a dead device is not. RuleIds come from ifaliases and
 * comments; routes, neighbours and forwarding entries have no room for any, so theirs are joined
 * from the wanted program by key. What no wanted entry names has the rule {@link #STRAY}.
 *
 * <p>{@code lift(lower(p)) = p}.
 */
public final class Lift {
  /** The rule of an entry of ours that the wanted program does not have. */
  public static final RuleId STRAY = RuleId.builtin("stray");

  private final NodeReading reading;
  private final PacketProgram wanted;
  private final Map<Integer, String> names = new HashMap<>();

  private Lift(NodeReading reading, PacketProgram wanted) {
    this.reading = reading;
    this.wanted = wanted;
    reading.links().forEach(link -> names.put(link.index(), link.name()));
  }

  /**
   * Reads the node in {@code node} and lifts it.
   *
   * @param wanted to join RuleIds from, and the node's name and addresses
   */
  public static PacketProgram node(NetNs node, PacketProgram wanted) throws KernelException {
    return program(NodeReading.of(node), wanted);
  }

  /** Lifts what was read. */
  public static PacketProgram program(NodeReading reading, PacketProgram wanted) {
    Lift lift = new Lift(reading, wanted);
    FrontendLift.Rows translations = FrontendLift.read(reading.table(), wanted);
    return new PacketProgram(
        wanted.node(),
        wanted.nodeAddresses(),
        FactsReader.facts(reading.links(), reading.addresses(), reading.routes()),
        lift.pods(),
        lift.routes(),
        lift.tunnels(),
        lift.peers(),
        MasqueradeLift.rows(reading.table(), wanted.masquerade()),
        translations.frontends(),
        translations.endpoints(),
        translations.sourceRanges(),
        PolicyLift.read(reading.policies(), wanted.policy()),
        wanted.bridgePorts());
  }

  private String name(int index) {
    return names.getOrDefault(index, "#" + index);
  }

  private TreeMap<String, LocalPod> pods() {
    TreeMap<String, LocalPod> pods = new TreeMap<>();
    for (Link link : reading.links()) {
      if (RowReader.isPodLink(link) && link.isUp()) {
        pod(link).ifPresent(pod -> pods.put(pod.device(), pod));
      }
    }
    return pods;
  }

  private Optional<LocalPod> pod(Link link) {
    PodRow.HostSide host = RowReader.host(link, reading.neighbours());
    Optional<PodRow.InsideSide> inside = Optional.ofNullable(reading.insides().get(link.name()));
    Optional<LocalPod> same = Optional.ofNullable(wanted.localPods().get(link.name()));
    List<Ip> addresses = new ArrayList<>();
    Mac mac = null;
    int[] mtu = new int[2];
    for (Map.Entry<Ip, Mac> neighbour : host.neighbours().entrySet()) {
      Ip ip = neighbour.getKey();
      if (inside.isEmpty() || works(inside.get(), host, ip, neighbour.getValue())) {
        addresses.add(ip);
        mac = neighbour.getValue();
        int known = same.map(pod -> pod.mtu(ip.family())).orElse(0);
        mtu[ip.family().ordinal()] =
            inside.map(side -> routeMtu(side, ip.family())).orElse(known == 0 ? link.mtu() : known);
      }
    }
    // A name that was too long for the ifalias is whole in the program.
    Optional<RuleId> rule =
        same.map(LocalPod::rule)
            .filter(whole -> Lowering.alias(whole).equals(link.alias()))
            .or(() -> Lowering.rule(link.alias()));
    if (mac == null || rule.isEmpty()) {
      return Optional.empty();
    }
    Optional<PodKey> key = podKey(rule.get());
    if (key.isEmpty()) {
      return Optional.empty();
    }
    return Optional.of(
        new LocalPod(
            link.name(), key.get(), rule.get().uid(), addresses, mac, mtu[0], mtu[1], rule.get()));
  }

  private static Optional<PodKey> podKey(RuleId rule) {
    try {
      return Optional.of(PodKey.parse(rule.object().name()));
    } catch (IllegalArgumentException _) {
      return Optional.empty();
    }
  }

  /** Whether packets of this address's family can pass the link, both ways. */
  private static boolean works(
      PodRow.InsideSide inside, PodRow.HostSide host, Ip ip, Mac neighbour) {
    Ip gateway = Lowering.gateway(ip.family());
    PodRow.InsideRoute route = inside.routes().get(Prefix.all(ip.family()).toString());
    return inside.up()
        && inside.mac().equals(neighbour)
        && inside.addresses().stream()
            .anyMatch(address -> InterfaceAddress.parse(address).ip().equals(ip))
        && route != null
        && route.gateway().equals(Optional.of(gateway))
        && host.mac().equals(inside.neighbours().get(gateway));
  }

  private static int routeMtu(PodRow.InsideSide inside, Family family) {
    PodRow.InsideRoute route = inside.routes().get(Prefix.all(family).toString());
    return route == null || route.mtu() == 0 ? inside.mtu() : route.mtu();
  }

  /** Of routes that others made, the metrics: who has a lower one gets the packets. */
  private TreeMap<Prefix, Integer> foreignMetrics() {
    TreeMap<Prefix, Integer> metrics = new TreeMap<>();
    for (RouteEntry entry : reading.routes()) {
      if (entry.protocol() != Marks.ROUTE_PROTOCOL && (entry.flags() & RouteEntry.DEAD) == 0) {
        metrics.merge(
            entry.destination(),
            entry.metric(),
            (one, other) -> Integer.compareUnsigned(one, other) < 0 ? one : other);
      }
    }
    return metrics;
  }

  private TreeMap<Prefix, Route> routes() {
    TreeMap<Prefix, Route> routes = new TreeMap<>();
    TreeMap<Prefix, Integer> metrics = foreignMetrics();
    for (RouteEntry entry : reading.routes()) {
      if (entry.protocol() == Marks.ROUTE_PROTOCOL && (entry.flags() & RouteEntry.DEAD) == 0) {
        RouteRow row = RowReader.route(entry, this::name);
        Optional<Route.Way> way = way(row);
        if (way.isPresent()
            && Integer.compareUnsigned(metrics.getOrDefault(row.destination(), -1), row.metric())
                > 0) {
          metrics.put(row.destination(), row.metric());
          Route same = wanted.routes().get(row.destination());
          routes.put(
              row.destination(),
              new Route(
                  row.destination(),
                  way.get(),
                  row.source(),
                  row.mtu(),
                  same == null ? STRAY : same.rule()));
        }
      }
    }
    return routes;
  }

  private static Optional<Route.Way> way(RouteRow row) {
    if (!row.other().isEmpty()) {
      return Optional.empty();
    }
    return switch (row.type()) {
      case UNREACHABLE -> Optional.of(new Route.Unreachable());
      case UNICAST -> row.device().map(device -> unicast(row, device));
      case UNSPEC,
          LOCAL,
          BROADCAST,
          ANYCAST,
          MULTICAST,
          BLACKHOLE,
          PROHIBIT,
          THROW,
          NAT,
          XRESOLVE ->
          Optional.empty();
    };
  }

  private static Route.Way unicast(RouteRow row, String device) {
    if (row.gateway().isEmpty()) {
      return new Route.ToPod(device);
    }
    return Marks.TUNNELS.contains(device)
        ? new Route.ByTunnel(row.gateway().get(), device)
        : new Route.Direct(row.gateway().get(), device);
  }

  private TreeMap<String, Tunnel> tunnels() {
    TreeMap<String, Tunnel> tunnels = new TreeMap<>();
    for (Link link : reading.links()) {
      if (RowReader.isTunnel(link) && link.isUp()) {
        TunnelRow row = RowReader.tunnel(link, reading.addresses(), this::name);
        Tunnel same = wanted.tunnels().get(link.name());
        Optional<RuleId> rule =
            same != null && Lowering.alias(same.rule()).equals(link.alias())
                ? Optional.of(same.rule())
                : Lowering.rule(link.alias());
        TunnelRow.Fixed fixed = row.fixed();
        Optional<Tunnel.Wire> wire = wire(row);
        if (wire.isPresent() && fixed.local().isPresent() && fixed.underlayDevice().isPresent()) {
          tunnels.put(
              row.device(),
              new Tunnel(
                  row.device(),
                  wire.get(),
                  fixed.local().get(),
                  fixed.underlayDevice().get(),
                  row.addresses().stream()
                      .map(address -> InterfaceAddress.parse(address).ip())
                      .findFirst(),
                  row.mtu(),
                  rule.orElse(STRAY)));
        }
      }
    }
    return tunnels;
  }

  /** How a device wraps; empty when it does what no program says. */
  private static Optional<Tunnel.Wire> wire(TunnelRow row) {
    return switch (row.fixed().wire()) {
      case TunnelRow.Wire.Vxlan(var vni, var port, _, _) ->
          row.mac().map(mac -> new Tunnel.Wire.Vxlan(vni, port, mac));
      case TunnelRow.Wire.Ipip _ ->
          row.fixed().remote().isEmpty() ? Optional.of(new Tunnel.Wire.Ipip()) : Optional.empty();
    };
  }

  /** Neighbour and forwarding entry, joined by the MAC address. */
  private TreeMap<TunnelPeer.Key, TunnelPeer> peers() {
    Map<Integer, Map<Mac, Ip>> destinations = new HashMap<>();
    for (FdbEntry entry : reading.fdb()) {
      if (entry.isSelf() && entry.destination().isPresent() && entry.other().isEmpty()) {
        destinations
            .computeIfAbsent(entry.device(), _ -> new HashMap<>())
            .put(entry.mac(), entry.destination().get());
      }
    }
    TreeMap<TunnelPeer.Key, TunnelPeer> peers = new TreeMap<>();
    for (Link link : reading.links()) {
      if (RowReader.isTunnel(link)) {
        Map<Mac, Ip> byMac = destinations.getOrDefault(link.index(), Map.of());
        for (Neighbour neighbour : reading.neighbours()) {
          Ip destination = neighbour.mac().map(byMac::get).orElse(null);
          if (neighbour.device() == link.index()
              && neighbour.isPermanent()
              && destination != null) {
            TunnelPeer.Key key = new TunnelPeer.Key(link.name(), neighbour.ip());
            TunnelPeer same = wanted.tunnelPeers().get(key);
            peers.put(
                key,
                new TunnelPeer(
                    link.name(),
                    neighbour.ip(),
                    neighbour.mac().orElseThrow(),
                    destination,
                    same == null ? STRAY : same.rule()));
          }
        }
      }
    }
    return peers;
  }
}
