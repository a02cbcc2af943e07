package dev.sund.engine.ipam;

import dev.sund.engine.PoolsInForce;
import dev.sund.engine.cluster.ClusterEvent;
import dev.sund.engine.cluster.IpPool;
import dev.sund.engine.cluster.Namespace;
import dev.sund.engine.cluster.Node;
import dev.sund.engine.ipam.AddressWishes.PoolWish;
import dev.sund.model.Condition;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.NodeName;
import dev.sund.model.Prefix;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What the cluster's objects say about the addresses that one node may give. Events go in as they
 * come; any thread may ask.
 */
public final class AddressPlan {
  private static final Comparator<IpPool> OLDEST_FIRST =
      Comparator.comparingLong(IpPool::created)
          .thenComparing(IpPool::uid)
          .thenComparing(IpPool::name);

  private final NodeName self;
  private final PoolsInForce choice = new PoolsInForce();
  private final Map<String, Namespace> namespaces = new HashMap<>();
  private Optional<Node> node = Optional.empty();
  private final Map<String, List<Prefix>> reservations = new HashMap<>();
  private boolean synced;

  /** The plan of a node of which nothing is known yet. */
  public AddressPlan(NodeName self) {
    this.self = self;
  }

  /** Takes an event in. */
  public synchronized void see(ClusterEvent event) {
    switch (event) {
      case ClusterEvent.NodeSeen(Node seen) when seen.name().equals(self) ->
          node = Optional.of(seen);
      case ClusterEvent.NodeGone(NodeName gone) when gone.equals(self) -> node = Optional.empty();
      case ClusterEvent.PoolSeen _,
          ClusterEvent.PoolGone _,
          ClusterEvent.LayerSeen _,
          ClusterEvent.LayerGone _ ->
          choice.take(event);
      case ClusterEvent.NamespaceSeen(Namespace seen) -> namespaces.put(seen.name(), seen);
      case ClusterEvent.NamespaceGone(String name) -> namespaces.remove(name);
      case ClusterEvent.Synced() -> synced = true;
      case ClusterEvent.ReservationSeen(var name, var ranges) -> reservations.put(name, ranges);
      case ClusterEvent.ReservationGone(var name) -> reservations.remove(name);
      case ClusterEvent.NodeSeen _,
          ClusterEvent.NodeGone _,
          ClusterEvent.PodSeen _,
          ClusterEvent.PodGone _,
          ClusterEvent.Refused _,
          ClusterEvent.Attached _,
          ClusterEvent.Detached _,
          ClusterEvent.NetworkSeen _,
          ClusterEvent.NetworkGone _,
          ClusterEvent.BlockSeen _,
          ClusterEvent.BlockGone _,
          ClusterEvent.ServiceSeen _,
          ClusterEvent.ServiceGone _,
          ClusterEvent.SliceSeen _,
          ClusterEvent.SliceGone _,
          ClusterEvent.PolicySeen _,
          ClusterEvent.PolicyGone _,
          ClusterEvent.PoliciesTold _,
          ClusterEvent.ServicesSet _,
          ClusterEvent.ConntrackSet _,
          ClusterEvent.StrictSet _,
          ClusterEvent.TunnelsAddressed _,
          ClusterEvent.PortsSeen _,
          ClusterEvent.PortsGone _,
          ClusterEvent.BridgeJoined _,
          ClusterEvent.BridgeLeft _,
          ClusterEvent.FactsSeen _ -> {
        // It says nothing about what may be given.
      }
    }
  }

  /** The node's own pod ranges. */
  public synchronized List<Prefix> ranges() {
    return node.map(Node::podCidrs).orElse(List.of());
  }

  /** The node's own addresses, which are nobody else's. */
  public synchronized List<Prefix> nodeAddresses() {
    List<Ip> own = node.map(Node::addresses).orElse(List.of());
    return own.stream().map(Prefix::host).toList();
  }

  /** The ranges of which nothing is given unasked. */
  public synchronized List<Prefix> reservations() {
    return reservations.values().stream().flatMap(List::stream).toList();
  }

  /** What a namespace's annotations say of its pods' network. */
  public synchronized Map<String, String> annotations(String namespace) {
    Namespace known = namespaces.get(namespace);
    return known == null ? Map.of() : known.annotations();
  }

  /** All pools that blocks may be cut from; of two that overlap the older. */
  public synchronized List<AddressPool> pools() {
    return holding().stream().map(AddressPlan::pool).toList();
  }

  /** The pools that a pod of this namespace may have addresses from, on this node. */
  public synchronized List<AddressPool> poolsFor(String namespace) {
    Namespace of = namespaces.getOrDefault(namespace, new Namespace(namespace, "", 0));
    return holding().stream()
        .filter(pool -> !pool.disabled() && pool.automatic())
        .filter(pool -> pool.allowedUses().contains(IpPool.Use.WORKLOAD))
        .filter(pool -> node.filter(own -> pool.nodeSelector().matches(own.labels())).isPresent())
        .filter(pool -> pool.namespaceSelector().matches(of.labels()))
        .map(AddressPlan::pool)
        .toList();
  }

  /** Which pools a pod may have addresses from. */
  public sealed interface Choice {
    /** These. */
    record Pools(List<AddressPool> pools) implements Choice {}

    /** One that is asked for cannot be used. */
    record Refused(Condition why) implements Choice {}
  }

  /**
   * The pools that a pod may have addresses from, on this node.
   *
   * @param wishes the pools that are asked for; as in Calico a pool's selectors and its {@code
   *     assignmentMode} do not matter then
   */
  public synchronized Choice poolsFor(String namespace, Map<Family, PoolWish> wishes) {
    List<AddressPool> chosen = new ArrayList<>();
    for (PoolWish wish : wishes.values()) {
      Family family = wishes.get(Family.V4) == wish ? Family.V4 : Family.V6;
      for (String name : wish.names()) {
        Optional<IpPool> pool = named(name);
        Optional<Condition> why =
            pool.isEmpty()
                ? Optional.of(unknown(name, wish, family))
                : unusable(pool.get(), wish, family);
        if (why.isPresent()) {
          return new Choice.Refused(why.get());
        }
        chosen.add(pool(pool.orElseThrow()));
      }
    }
    poolsFor(namespace).stream()
        .filter(pool -> !wishes.containsKey(pool.cidr().family()))
        .forEach(chosen::add);
    return new Choice.Pools(chosen);
  }

  /** The pools of which a pod may have a certain address: any that serves pods. */
  public synchronized List<AddressPool> poolsAsked() {
    return holding().stream()
        .filter(pool -> !pool.disabled() && pool.serves(IpPool.Use.WORKLOAD))
        .map(AddressPlan::pool)
        .toList();
  }

  private Optional<IpPool> named(String text) {
    return choice.pools().values().stream()
        .filter(pool -> pool.name().equals(text) || pool.cidr().toString().equals(text))
        .findFirst();
  }

  private Condition unknown(String name, PoolWish wish, Family family) {
    List<String> usable =
        holding().stream()
            .filter(pool -> unusable(pool, wish, family).isEmpty())
            .map(IpPool::name)
            .toList();
    return wish.refused(
        "'" + name + "' is no IPPool of the cluster.",
        usable.isEmpty()
            ? "Make an IPPool of this name, or remove the annotation."
            : "Write the name or the cidr of one: " + String.join(", ", usable) + ".");
  }

  private Optional<Condition> unusable(IpPool pool, PoolWish wish, Family family) {
    String text = "IPPool " + pool.name() + " (" + pool.cidr() + ") ";
    if (pool.cidr().family() != family) {
      return Optional.of(
          wish.refused(
              text + "has addresses of the other family.",
              "Write pools of the family that the annotation names."));
    }
    if (pool.disabled()) {
      return Optional.of(wish.refused(text + "is disabled.", "Enable it, or write another pool."));
    }
    if (!pool.serves(IpPool.Use.WORKLOAD)) {
      return Optional.of(
          wish.refused(
              text + "serves no pods.", "Add Workload to its allowedUses, or write another pool."));
    }
    return holding().contains(pool)
        ? Optional.empty()
        : Optional.of(
            wish.refused(
                text + "shares addresses with an older pool, which keeps them.",
                "Write another pool, or delete one of the two."));
  }

  /**
   * The pools that this node's own end of the tunnels may have an address from: those that wrap
   * packets, and serve tunnels. None before all of the cluster's objects have been told.
   */
  public synchronized List<AddressPool> poolsForTunnels(Family family) {
    return holding().stream()
        .filter(_ -> synced)
        .filter(pool -> pool.cidr().family() == family && !pool.disabled() && pool.automatic())
        .filter(pool ->
            pool.vxlanMode() != IpPool.VxlanMode.NEVER || pool.ipipMode() != IpPool.IpipMode.NEVER)
        .filter(pool -> pool.serves(IpPool.Use.TUNNEL))
        .filter(pool -> node.filter(own -> pool.nodeSelector().matches(own.labels())).isPresent())
        .map(AddressPlan::pool)
        .toList();
  }

  /** The families of these ranges; IPv4 when there are none, so that their want is said. */
  public static Set<Family> families(List<Prefix> ranges) {
    Set<Family> families = EnumSet.noneOf(Family.class);
    ranges.forEach(range -> families.add(range.family()));
    return families.isEmpty() ? EnumSet.of(Family.V4) : families;
  }

  private List<IpPool> holding() {
    List<IpPool> holding = new ArrayList<>();
    for (IpPool pool : choice.pools().values().stream().sorted(OLDEST_FIRST).toList()) {
      if (holding.stream().noneMatch(older -> older.cidr().overlaps(pool.cidr()))) {
        holding.add(pool);
      }
    }
    return holding;
  }

  private static AddressPool pool(IpPool pool) {
    return new AddressPool(pool.name(), pool.cidr(), pool.blockSize());
  }
}
