package dev.sund.engine;

import dev.sund.engine.cluster.ClusterEvent;
import dev.sund.engine.cluster.ClusterEvent.LayerGone;
import dev.sund.engine.cluster.ClusterEvent.LayerSeen;
import dev.sund.engine.cluster.ClusterEvent.PoolGone;
import dev.sund.engine.cluster.ClusterEvent.PoolSeen;
import dev.sund.engine.cluster.FabricLayer;
import dev.sund.engine.cluster.IpPool;
import dev.sund.model.ObjectRef;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.stream.Stream;

/**
 * The pools that count: the cluster's IPPools, and those that the configuration of another network
 * makes where no IPPool has their name. Calico makes a pool of its nodes' environment only for a
 * family that has none; so does this.
 *
 * <p>Depends on the last words about each object, not on their order. For one thread.
 */
public final class PoolsInForce {
  private final Map<String, IpPool> stated = new TreeMap<>();
  private final Map<ObjectRef, FabricLayer> layers = new HashMap<>();
  private NavigableMap<String, IpPool> pools = new TreeMap<>();

  /**
   * Takes an event in; those that are about neither pools nor layers change nothing.
   *
   * @return whether {@link #pools} may have changed
   */
  public boolean take(ClusterEvent event) {
    if (event instanceof PoolSeen(var pool)) {
      stated.put(pool.name(), pool);
    } else if (event instanceof PoolGone(var name)) {
      stated.remove(name);
    } else if (event instanceof LayerSeen(var layer)) {
      layers.put(layer.source(), layer);
    } else if (event instanceof LayerGone(var source)) {
      layers.remove(source);
    } else {
      return false;
    }
    pools = now();
    return true;
  }

  /** The pools that count, by name. */
  public NavigableMap<String, IpPool> pools() {
    return Collections.unmodifiableNavigableMap(pools);
  }

  /** The layers, the one that counts most first. */
  Collection<FabricLayer> layers() {
    return layers.values().stream().sorted().toList();
  }

  private NavigableMap<String, IpPool> now() {
    NavigableMap<String, IpPool> now = new TreeMap<>(stated);
    for (FabricLayer.Rank rank : FabricLayer.Rank.values()) {
      Map<String, IpPool> before = Map.copyOf(now);
      pools(rank)
          .filter(pool -> !rank.fallback() || before.values().stream().noneMatch(sameFamily(pool)))
          .forEach(pool -> now.putIfAbsent(pool.name(), pool));
    }
    return now;
  }

  private Stream<IpPool> pools(FabricLayer.Rank rank) {
    return layers().stream()
        .filter(layer -> layer.rank() == rank)
        .flatMap(layer -> layer.pools().stream());
  }

  private static Predicate<IpPool> sameFamily(IpPool pool) {
    return other -> other.cidr().family() == pool.cidr().family();
  }
}
