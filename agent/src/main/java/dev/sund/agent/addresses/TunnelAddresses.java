package dev.sund.agent.addresses;

import dev.sund.agent.log.Log;
import dev.sund.agent.state.StateDir;
import dev.sund.engine.cluster.ClusterEvent;
import dev.sund.engine.ipam.AddressPlan;
import dev.sund.engine.ipam.AddressPool;
import dev.sund.engine.ipam.AddressRequest;
import dev.sund.engine.ipam.Allocation;
import dev.sund.engine.ipam.Allocator;
import dev.sund.model.Condition;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.PodKey;
import java.io.IOException;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;

/**
 * Takes an address of the pools for the node's own end of its tunnels, one of each family whose
 * pools wrap packets: mode {@code pools} only. It is written to disk before the kernel learns of
 * it, as pods' addresses are, and lasts as long as the boot.
 *
 * <p>One thread.
 */
final class TunnelAddresses {
  /** Whose addresses they are, in the allocator's book: no attachment has a key like this. */
  private static final String OWNER = "tunnels/";

  private static final PodKey NO_POD = new PodKey("-", "tunnels");

  private final Allocator allocator;
  private final AddressPlan plan;
  private final StateDir state;
  private final Consumer<ClusterEvent> told;
  private final Log log;
  private final Map<Family, Ip> held = new EnumMap<>(Family.class);
  private final Map<Family, Condition> refused = new EnumMap<>(Family.class);

  /**
   * Nothing is held yet.
   *
   * @param told hears which addresses the tunnels have
   */
  TunnelAddresses(
      Allocator allocator, AddressPlan plan, StateDir state, Consumer<ClusterEvent> told, Log log) {
    this.allocator = allocator;
    this.plan = plan;
    this.state = state;
    this.told = told;
    this.log = log;
  }

  /** Whether an owner of addresses is the tunnels, and no attachment. */
  static boolean isOwner(String owner) {
    return owner.startsWith(OWNER);
  }

  private static String owner(Family family) {
    return OWNER + family.label();
  }

  /** Takes up what an earlier agent of this boot had taken. */
  void restore(List<Ip> addresses) {
    for (Ip ip : addresses) {
      if (allocator.note(owner(ip.family()), NO_POD, List.of(ip))) {
        held.put(ip.family(), ip);
      }
    }
    tell();
  }

  /** Takes what is missing, gives back what is of no use any more. */
  void tend() throws IOException, InterruptedException {
    boolean changed = false;
    List<Family> idle = new ArrayList<>();
    for (Family family : Family.values()) {
      List<AddressPool> pools = plan.poolsForTunnels(family);
      if (pools.isEmpty() && held.containsKey(family)) {
        held.remove(family);
        idle.add(family);
      } else if (!pools.isEmpty() && !held.containsKey(family)) {
        changed |= take(family, pools);
      }
    }
    if (changed || !idle.isEmpty()) {
      state.writeTunnels(List.copyOf(held.values()));
      tell();
      idle.forEach(family -> allocator.release(owner(family)));
    }
  }

  private boolean take(Family family, List<AddressPool> pools) throws InterruptedException {
    AddressRequest request =
        new AddressRequest(owner(family), NO_POD, "", Set.of(family), List.of(), pools);
    switch (allocator.allocate(request)) {
      case Allocation.Given(List<Ip> addresses) -> {
        held.put(family, addresses.getFirst());
        refused.remove(family);
        log.info("the tunnels have an address", "address", addresses.getFirst());
        return true;
      }
      case Allocation.Refused(Condition why, _) -> {
        if (!why.equals(refused.put(family, why))) {
          log.warn(
              "the tunnels get no address; packets of the node itself carry the node's",
              "why",
              why.text(),
              "remedy",
              why.remedy());
        }
        return false;
      }
    }
  }

  private void tell() {
    told.accept(new ClusterEvent.TunnelsAddressed(List.copyOf(held.values())));
  }
}
