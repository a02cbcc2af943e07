package dev.sund.engine;

import dev.sund.engine.Mtu.Encapsulation;
import dev.sund.engine.cluster.IpPool;
import dev.sund.engine.cluster.IpPool.IpipMode;
import dev.sund.engine.cluster.IpPool.VxlanMode;
import dev.sund.model.Family;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/**
 * How packets of a pool travel between two nodes.
 *
 * @param by how they are wrapped, where they are
 * @param near whether they are also wrapped between nodes on one subnet
 */
record Wrapping(Encapsulation by, boolean near) {
  /** Nodes are each other's next hop. */
  static final Wrapping NEVER = new Wrapping(Encapsulation.NONE, false);

  /** What holds without pools. */
  static final Wrapping BUILT_IN = new Wrapping(Encapsulation.VXLAN, false);

  /** What a pool asks for. */
  static Wrapping of(IpPool pool) {
    return pool.ipipMode() == IpipMode.NEVER ? of(pool.vxlanMode()) : of(pool.ipipMode());
  }

  /**
   * What is asked for, by family.
   *
   * @param families those that any pod, range or pool has
   */
  static Map<Family, Set<Wrapping>> inUse(Pools pools, Set<Family> families) {
    Map<Family, Set<Wrapping>> wrappings = new EnumMap<>(Family.class);
    for (Family family : Family.values()) {
      Set<Wrapping> wanted = new HashSet<>();
      if (pools.any(family)) {
        pools.ranges().held().stream()
            .filter(range -> range.family() == family)
            .forEach(range -> wanted.add(pools.wrapping(range)));
      } else if (families.contains(family)) {
        wanted.add(BUILT_IN);
      }
      wrappings.put(family, wanted);
    }
    return wrappings;
  }

  private static Wrapping of(VxlanMode mode) {
    return switch (mode) {
      case NEVER -> NEVER;
      case ALWAYS -> new Wrapping(Encapsulation.VXLAN, true);
      case CROSS_SUBNET -> new Wrapping(Encapsulation.VXLAN, false);
    };
  }

  private static Wrapping of(IpipMode mode) {
    return switch (mode) {
      case NEVER -> NEVER;
      case ALWAYS -> new Wrapping(Encapsulation.IPIP, true);
      case CROSS_SUBNET -> new Wrapping(Encapsulation.IPIP, false);
    };
  }

  /**
   * How packets to another node are wrapped.
   *
   * @param sameSubnet whether both nodes are on one subnet
   */
  Encapsulation to(boolean sameSubnet) {
    return sameSubnet && !near ? Encapsulation.NONE : by;
  }
}
