package dev.sund.engine.ipam;

import dev.sund.engine.PoolsInForce;
import dev.sund.engine.cluster.ClusterEvent;
import dev.sund.engine.cluster.IpPool;
import dev.sund.engine.cluster.Namespace;
import dev.sund.engine.cluster.Node;
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
          ClusterEvent.TunnelsAddressed _,
          ClusterEvent.PortsSeen _,
          ClusterEvent.PortsGone _,
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
