package dev.sund.agent.bridge;

import dev.sund.agent.cni.CniException;
import dev.sund.model.Prefix;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Which containers have which subnets translated. The program knows subnets alone, so that a
 * network's second container costs it nothing; a subnet goes with its last container.
 */
final class TranslatedNetworks {
  private final Translation translation;
  private final Map<String, Map<Prefix, Set<String>>> users = new HashMap<>();
  private final Map<String, SortedSet<Prefix>> inForce = new HashMap<>();
  private final ReentrantLock waiting = new ReentrantLock();

  TranslatedNetworks(Translation translation) {
    this.translation = translation;
  }

  /** Takes up a container of an earlier agent; the kernel has its rules. */
  void restore(BridgedContainer container) {
    announce(container.network(), count(container));
  }

  /** Has a container's subnets translated; returns when they are. */
  void add(BridgedContainer container) throws CniException, InterruptedException {
    if (container.translated().isEmpty()) {
      return;
    }
    count(container);
    if (isInForce(container)) {
      return;
    }
    waiting.lockInterruptibly(); // a network's first containers wait together
    try {
      if (!isInForce(container)) {
        translation.translate(container.network(), count(container));
        learn(container);
      }
    } finally {
      waiting.unlock();
    }
  }

  private boolean isInForce(BridgedContainer container) {
    synchronized (inForce) {
      SortedSet<Prefix> now = inForce.get(container.network());
      return now != null && now.containsAll(container.translated());
    }
  }

  private void learn(BridgedContainer container) {
    synchronized (inForce) {
      inForce.merge(
          container.network(),
          new TreeSet<>(container.translated()),
          (one, other) -> {
            TreeSet<Prefix> both = new TreeSet<>(one);
            both.addAll(other);
            return both;
          });
    }
  }

  /** Lets go of a container. */
  void remove(BridgedContainer container) {
    SortedSet<Prefix> left;
    synchronized (users) {
      Map<Prefix, Set<String>> subnets = users.get(container.network());
      if (subnets == null) {
        return;
      }
      boolean last = false;
      for (Prefix subnet : container.translated()) {
        Set<String> keys = subnets.get(subnet);
        if (keys != null && keys.remove(container.key()) && keys.isEmpty()) {
          subnets.remove(subnet);
          last = true;
        }
      }
      if (!last) {
        return;
      }
      left = new TreeSet<>(subnets.keySet());
      if (left.isEmpty()) {
        users.remove(container.network());
      }
      synchronized (inForce) {
        inForce.computeIfPresent(
            container.network(),
            (_, now) -> {
              TreeSet<Prefix> still = new TreeSet<>(now);
              still.retainAll(left);
              return still;
            });
      }
      translation.announce(container.network(), left);
    }
  }

  /** The subnets that are translated now, by network. */
  Map<String, SortedSet<Prefix>> all() {
    synchronized (users) {
      Map<String, SortedSet<Prefix>> all = new TreeMap<>();
      users.forEach((network, subnets) -> all.put(network, new TreeSet<>(subnets.keySet())));
      return all;
    }
  }

  private SortedSet<Prefix> count(BridgedContainer container) {
    synchronized (users) {
      Map<Prefix, Set<String>> subnets = users.get(container.network());
      if (container.translated().isEmpty()) {
        return new TreeSet<>();
      }
      if (subnets == null) {
        subnets = new HashMap<>();
        users.put(container.network(), subnets);
      }
      for (Prefix subnet : container.translated()) {
        subnets.computeIfAbsent(subnet, _ -> new HashSet<>()).add(container.key());
      }
      return new TreeSet<>(subnets.keySet());
    }
  }

  private void announce(String network, SortedSet<Prefix> subnets) {
    if (!subnets.isEmpty()) {
      translation.announce(network, subnets);
    }
  }
}
