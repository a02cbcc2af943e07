package dev.sund.engine;

import dev.sund.engine.Claimant.Kind;
import dev.sund.engine.Claims.Claim;
import dev.sund.engine.Claims.Owner;
import dev.sund.engine.cluster.ClusterEvent;
import dev.sund.engine.cluster.FabricLayer;
import dev.sund.engine.cluster.IpPool;
import dev.sund.model.Family;
import dev.sund.model.Prefix;
import java.util.Collection;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/** The pools that count, the ranges that they hold, and how packets to these travel. */
final class Pools {
  private final PoolsInForce choice = new PoolsInForce();
  private final Map<String, IpPool> pools = new TreeMap<>();
  private final Claims ranges = new Claims();

  /** Takes an event about a pool or a layer in; whether anything has changed. */
  boolean take(ClusterEvent event) {
    Collection<FabricLayer> before = choice.layers();
    choice.take(event);
    boolean changed = !before.equals(choice.layers());
    Set<String> names = new TreeSet<>(pools.keySet());
    names.addAll(choice.pools().keySet());
    for (String name : names) {
      changed |= put(name, Optional.ofNullable(choice.pools().get(name)));
    }
    return changed;
  }

  private boolean put(String name, Optional<IpPool> now) {
    Optional<IpPool> was =
        Optional.ofNullable(now.isPresent() ? pools.put(name, now.get()) : pools.remove(name));
    if (was.equals(now)) {
      return false;
    }
    ranges.replace(
        new Owner(Kind.POOL, name),
        now.stream().map(pool -> new Claim(Claimant.of(pool), pool.cidr())).toList());
    return true;
  }

  /** By name. */
  Collection<IpPool> all() {
    return pools.values();
  }

  /** What other networks' configurations set, the one that counts most first. */
  Collection<FabricLayer> layers() {
    return choice.layers();
  }

  /** Who holds which range. */
  Claims ranges() {
    return ranges;
  }

  /** The pool in force that contains all of {@code range}. */
  Optional<IpPool> covering(Prefix range) {
    return ranges
        .covering(range)
        .flatMap(claim -> Optional.ofNullable(pools.get(claim.claimant().name())));
  }

  /** Whether pools say how packets of this family travel; otherwise the built-in pool does. */
  boolean any(Family family) {
    return ranges.any(family);
  }

  /**
   * How packets to {@code range} travel. The built-in pool, in force for a family without pools,
   * wraps across subnets. Addresses that none of the given pools contains are never wrapped.
   */
  Wrapping wrapping(Prefix range) {
    if (!any(range.family())) {
      return Wrapping.BUILT_IN;
    }
    return covering(range).map(Wrapping::of).orElse(Wrapping.NEVER);
  }

  /**
   * What the pools of each family ask for.
   *
   * @param families those that any pod, range or pool has
   */
  Map<Family, Set<Wrapping>> wrappings(Set<Family> families) {
    return Wrapping.inUse(this, families);
  }
}
