package dev.sund.agent.apply;

import dev.sund.dataplane.BridgeFilterDriver;
import dev.sund.dataplane.rows.FdbRow;
import dev.sund.dataplane.rows.Lowering;
import dev.sund.dataplane.rows.NeighbourRow;
import dev.sund.dataplane.rows.RouteRow;
import dev.sund.engine.program.LocalPod;
import dev.sund.engine.program.ProgramDelta;
import dev.sund.engine.program.Tunnel;
import dev.sund.kernel.route.Address;
import dev.sund.kernel.route.FdbEntry;
import dev.sund.kernel.route.Link;
import dev.sund.kernel.route.Neighbour;
import dev.sund.kernel.route.RouteEntry;
import dev.sund.kernel.route.RouteEvent;
import dev.sund.kernel.route.Rtnl;
import dev.sund.model.Ip;
import dev.sund.model.Mac;
import dev.sund.model.Marks;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Tells the kernel's events that need an answer from the echoes of what we wrote ourselves: an
 * event that leaves an entry as it is wanted is nothing. So a change costs no second look, and
 * drift costs one reading of its part.
 *
 * <p>What is wanted is told by the data plane's thread before it writes; events are judged on the
 * monitor's thread. An event that is older than the latest want may be judged wrongly: then a part
 * is read once too often, never once too little, since the event of the last write comes last.
 */
final class DriftFilter {
  /**
   * What an event asks for.
   *
   * @param parts the drivers' parts that may have drifted
   * @param facts whether what Sund did not make may have changed
   */
  record Verdict(Set<String> parts, boolean facts) {
    static final Verdict NOTHING = new Verdict(Set.of(), false);

    boolean isNothing() {
      return parts.isEmpty() && !facts;
    }
  }

  static final String PODS = "pods";
  static final String ROUTES = "routes";
  static final String TUNNELS = "tunnels";
  static final String SYSCTLS = "sysctls";
  private static final Set<String> LINK_PARTS = Set.of(PODS, ROUTES, TUNNELS);

  private final Map<RouteRow.Key, RouteRow> routes = new ConcurrentHashMap<>();
  private final Map<NeighbourRow.Key, Mac> neighbours = new ConcurrentHashMap<>();
  private final Map<FdbRow.Key, Ip> fdb = new ConcurrentHashMap<>();
  private final Map<String, LocalPod> pods = new ConcurrentHashMap<>();
  private final Map<String, Tunnel> tunnels = new ConcurrentHashMap<>();

  /** Devices by index as last heard; on the monitor's thread only, after the first listing. */
  private final Map<Integer, Link> links = new ConcurrentHashMap<>();

  /** Follows what is wanted. On the data plane's thread. */
  void want(ProgramDelta delta) {
    for (var change : delta.localPods()) {
      change
          .before()
          .ifPresent(pod ->
              pod.addresses()
                  .forEach(ip -> neighbours.remove(new NeighbourRow.Key(pod.device(), ip))));
      change
          .after()
          .ifPresentOrElse(
              pod -> {
                pods.put(pod.device(), pod);
                pod.addresses()
                    .forEach(
                        ip -> neighbours.put(new NeighbourRow.Key(pod.device(), ip), pod.mac()));
              },
              () -> pods.remove(change.key()));
    }
    for (var change : delta.routes()) {
      change.before().map(Lowering::route).ifPresent(row -> routes.remove(row.key()));
      change.after().map(Lowering::route).ifPresent(row -> routes.put(row.key(), row));
    }
    for (var change : delta.tunnels()) {
      change
          .after()
          .ifPresentOrElse(
              tunnel -> tunnels.put(tunnel.device(), tunnel), () -> tunnels.remove(change.key()));
    }
    for (var change : delta.tunnelPeers()) {
      change
          .before()
          .ifPresent(peer -> {
            neighbours.remove(new NeighbourRow.Key(peer.device(), peer.nextHop()));
            fdb.remove(new FdbRow.Key(peer.device(), peer.mac()));
          });
      change
          .after()
          .ifPresent(peer -> {
            neighbours.put(new NeighbourRow.Key(peer.device(), peer.nextHop()), peer.mac());
            fdb.put(new FdbRow.Key(peer.device(), peer.mac()), peer.underlay());
          });
    }
  }

  /** The devices that there are, before any event is judged. */
  void devices(List<Link> all) {
    all.forEach(link -> links.put(link.index(), link));
  }

  /** Judges an event. On the monitor's thread. */
  Verdict judge(RouteEvent event) {
    return switch (event) {
      case RouteEvent.LinkChanged(Link link) -> linkChanged(link);
      case RouteEvent.LinkGone(Link link) -> linkGone(link);
      case RouteEvent.AddressChanged(Address address) -> addressChanged(address);
      case RouteEvent.AddressGone(Address address) -> addressGone(address);
      case RouteEvent.RouteChanged(RouteEntry route, boolean _) -> routeChanged(route);
      case RouteEvent.RouteGone(RouteEntry route) -> routeGone(route);
      case RouteEvent.RuleChanged _, RouteEvent.RuleGone _ -> Verdict.NOTHING;
      case RouteEvent.NeighbourChanged(Neighbour neighbour) -> neighbourChanged(neighbour);
      case RouteEvent.NeighbourGone(Neighbour neighbour) -> neighbourGone(neighbour);
      case RouteEvent.FdbChanged(FdbEntry entry) -> fdbChanged(entry);
      case RouteEvent.FdbGone(FdbEntry entry) -> fdbGone(entry);
      case RouteEvent.Resync _ -> new Verdict(LINK_PARTS, true);
    };
  }

  private Verdict linkChanged(Link link) {
    Link before = links.put(link.index(), link);
    boolean renamed = before != null && !before.name().equals(link.name());
    boolean wentDown = before != null && before.isUp() && !link.isUp();
    if (link.group() == Marks.GROUP_DOOMED
        && (before == null || !pods.containsKey(before.name()))
        && !pods.containsKey(link.name())) {
      return Verdict.NOTHING; // on its way out; reading all for each pod that goes would cost dear
    }
    if (renamed || wentDown) {
      // Its routes went without a word; so did what hung on it.
      return new Verdict(LINK_PARTS, true);
    }
    LocalPod pod = pods.get(link.name());
    if (pod != null) {
      boolean differs =
          before != null
              && (link.mtu() != pod.deviceMtu()
                  || link.group() != Marks.GROUP_PODS
                  || !link.mac().equals(Optional.of(Marks.GATEWAY_MAC))
                  || (before.alias().length() > 0
                      && !link.alias().equals(Lowering.alias(pod.rule()))));
      return differs ? new Verdict(Set.of(PODS), false) : Verdict.NOTHING;
    }
    Tunnel tunnel = tunnels.get(link.name());
    if (tunnel != null) {
      boolean differs =
          before != null && (link.mtu() != tunnel.mtu() || !link.mac().equals(tunnel.mac()));
      return differs ? new Verdict(Set.of(TUNNELS), false) : Verdict.NOTHING;
    }
    if (ours(link.name())) {
      return Verdict.NOTHING; // on its way out, or a stray that the next full reading finds
    }
    Set<String> parts = new TreeSet<>();
    if (link.group() == Marks.GROUP_BRIDGES) {
      parts.add(BridgeFilterDriver.NAME); // the event does not say what rules see of it
    }
    boolean same =
        before != null
            && before.mtu() == link.mtu()
            && before.isUp() == link.isUp()
            && before.hasCarrier() == link.hasCarrier();
    // A device that has just come has the usual settings: it takes no routers' advice.
    if (before == null) {
      parts.add(SYSCTLS);
    }
    return new Verdict(parts, !same);
  }

  private Verdict linkGone(Link link) {
    links.remove(link.index());
    Set<String> parts = new TreeSet<>();
    if (pods.containsKey(link.name())) {
      parts.add(PODS);
      parts.add(ROUTES);
    } else if (tunnels.containsKey(link.name())) {
      parts.add(TUNNELS);
      parts.add(ROUTES);
    } else if (!ours(link.name())) {
      parts.addAll(LINK_PARTS); // a tunnel may have stood on it, routes may have used it
    }
    return new Verdict(parts, !ours(link.name()));
  }

  private Verdict addressChanged(Address address) {
    String device = name(address.device());
    Tunnel tunnel = tunnels.get(device);
    if (tunnel != null) {
      boolean wanted =
          tunnel.address().filter(address.ip()::equals).isPresent() || address.ip().isLinkLocal();
      return wanted ? Verdict.NOTHING : new Verdict(Set.of(TUNNELS), false);
    }
    return ours(device) ? Verdict.NOTHING : new Verdict(Set.of(), true);
  }

  private Verdict addressGone(Address address) {
    String device = name(address.device());
    Tunnel tunnel = tunnels.get(device);
    if (tunnel != null) {
      boolean wanted = tunnel.address().filter(address.ip()::equals).isPresent();
      return wanted ? new Verdict(Set.of(TUNNELS, ROUTES), false) : Verdict.NOTHING;
    }
    // Routes that prefer this address as their source went with it.
    return ours(device) ? Verdict.NOTHING : new Verdict(Set.of(ROUTES), true);
  }

  private Verdict routeChanged(RouteEntry route) {
    if (route.table() != Rtnl.TABLE_MAIN) {
      return Verdict.NOTHING;
    }
    RouteRow wanted = routes.get(key(route));
    if (route.protocol() != Marks.ROUTE_PROTOCOL) {
      // Foreign: in the place of ours, or beside it. The kernel's own on our devices are no news.
      return new Verdict(
          beforeOurs(route) ? Set.of(ROUTES) : Set.of(), !ours(name(route.device())));
    }
    boolean same =
        wanted != null
            && wanted.type() == route.type()
            && wanted.gateway().equals(route.gateway())
            && wanted.source().equals(route.source())
            && wanted.mtu() == route.mtu()
            && (wanted.device().isEmpty() || wanted.device().get().equals(name(route.device())))
            && route.nextHops().isEmpty();
    return same ? Verdict.NOTHING : new Verdict(Set.of(ROUTES), false);
  }

  private Verdict routeGone(RouteEntry route) {
    if (route.table() != Rtnl.TABLE_MAIN) {
      return Verdict.NOTHING;
    }
    boolean wanted =
        route.protocol() == Marks.ROUTE_PROTOCOL
            ? routes.containsKey(key(route))
            : beforeOurs(route);
    return new Verdict(
        wanted ? Set.of(ROUTES) : Set.of(),
        route.protocol() != Marks.ROUTE_PROTOCOL && !ours(name(route.device())));
  }

  private Verdict neighbourChanged(Neighbour neighbour) {
    String device = name(neighbour.device());
    Mac wanted = neighbours.get(new NeighbourRow.Key(device, neighbour.ip()));
    boolean fine =
        wanted == null || (neighbour.isPermanent() && neighbour.mac().equals(Optional.of(wanted)));
    return fine ? Verdict.NOTHING : owner(device);
  }

  private Verdict neighbourGone(Neighbour neighbour) {
    String device = name(neighbour.device());
    boolean wanted = neighbours.containsKey(new NeighbourRow.Key(device, neighbour.ip()));
    return wanted ? owner(device) : Verdict.NOTHING;
  }

  private Verdict fdbChanged(FdbEntry entry) {
    String device = name(entry.device());
    if (!tunnels.containsKey(device)) {
      return Verdict.NOTHING;
    }
    Ip wanted = fdb.get(new FdbRow.Key(device, entry.mac()));
    boolean fine =
        wanted != null && entry.isPermanent() && entry.destination().equals(Optional.of(wanted));
    return fine ? Verdict.NOTHING : new Verdict(Set.of(TUNNELS), false);
  }

  private Verdict fdbGone(FdbEntry entry) {
    boolean wanted = fdb.containsKey(new FdbRow.Key(name(entry.device()), entry.mac()));
    return wanted ? new Verdict(Set.of(TUNNELS), false) : Verdict.NOTHING;
  }

  private Verdict owner(String device) {
    return new Verdict(Set.of(tunnels.containsKey(device) ? TUNNELS : PODS), false);
  }

  /** Whether the kernel prefers it to a route that we want, or keeps ours out for it. */
  private boolean beforeOurs(RouteEntry route) {
    int metric = Lowering.metric(route.destination());
    return Integer.compareUnsigned(route.metric(), metric) <= 0
        && routes.containsKey(new RouteRow.Key(route.destination(), metric));
  }

  private static RouteRow.Key key(RouteEntry route) {
    return new RouteRow.Key(route.destination(), route.metric());
  }

  private String name(int index) {
    Link link = links.get(index);
    return link == null ? "" : link.name();
  }

  private boolean ours(String device) {
    return device.startsWith(Marks.POD_DEVICE_PREFIX) || tunnels.containsKey(device);
  }
}
