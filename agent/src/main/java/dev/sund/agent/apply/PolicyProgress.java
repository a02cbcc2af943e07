package dev.sund.agent.apply;

import dev.sund.engine.cluster.ClusterEvent;
import dev.sund.engine.cluster.Policy;
import dev.sund.kube.enforced.NodePolicies.Generation;
import dev.sund.model.ObjectRef;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Follows how far the kernel enforces the policies that the API has: told by the engine's thread
 * which versions go with which program, and by the data plane's which program the kernel holds. Of
 * policies of the cluster it knows the generations too: a version of theirs may mean that only
 * their status was written.
 */
final class PolicyProgress {
  private final ReentrantLock lock = new ReentrantLock();
  private final Deque<Waiting> waiting = new ArrayDeque<>();
  private final Map<String, Long> enforced = new TreeMap<>();

  /** The last program whose policies differ from those before it, and whether it is waited for. */
  private volatile long changed;

  private boolean changing;

  /** Policies of the cluster by name, as they were told last and as the kernel has them. */
  private volatile Map<String, Generation> told = Map.of();

  private final Map<String, Generation> generations = new TreeMap<>();

  /** What holds with a program that the kernel does not hold yet; without a generation: gone. */
  private record Waiting(
      long number, Map<String, Long> versions, Map<String, Optional<Generation>> generations) {}

  /**
   * A batch was compiled.
   *
   * @param number of the last program that was handed over; 0 before the first
   */
  void wanted(long number, List<ClusterEvent> batch) {
    lock.lock();
    try {
      for (ClusterEvent event : batch) {
        if (event instanceof ClusterEvent.PoliciesTold(var kind, var version)) {
          waiting(number).versions.put(kind, version);
        } else if (event instanceof ClusterEvent.PolicySeen(var policy, _)) {
          told(
              number, policy.ref(), Optional.of(new Generation(policy.uid(), policy.generation())));
        } else if (event instanceof ClusterEvent.PolicyGone(var ref)) {
          told(number, ref, Optional.empty());
        }
      }
    } finally {
      lock.unlock();
    }
  }

  private void told(long number, ObjectRef policy, Optional<Generation> generation) {
    String name = policy.name();
    if (!policy.kind().equals(Policy.CLUSTER_NETWORK_POLICY)
        || generation.equals(Optional.ofNullable(told.get(name)))) {
      return; // the same, as with each change of its status
    }
    Map<String, Generation> now = new TreeMap<>(told);
    generation.ifPresentOrElse(one -> now.put(name, one), () -> now.remove(name));
    told = Map.copyOf(now);
    waiting(number).generations.put(name, generation);
  }

  private Waiting waiting(long number) {
    if (waiting.isEmpty() || waiting.getLast().number != number) {
      waiting.add(new Waiting(number, new TreeMap<>(), new TreeMap<>()));
    }
    return waiting.getLast();
  }

  /** This program's policies differ from those of the one before it. */
  void changed(long number) {
    lock.lock();
    try {
      changed = number;
      changing = true;
    } finally {
      lock.unlock();
    }
  }

  /** The last program whose policies differ from those before it; 0 before the first. */
  long changed() {
    return changed;
  }

  /** Whether the kernel has other policies since this was last asked, all that are wanted. */
  boolean takeChange(long applied) {
    lock.lock();
    try {
      boolean taken = changing && applied >= changed;
      changing &= !taken;
      return taken;
    } finally {
      lock.unlock();
    }
  }

  /** The kernel holds everything up to this number. */
  void applied(long number) {
    lock.lock();
    try {
      while (!waiting.isEmpty() && waiting.getFirst().number <= number) {
        Waiting done = waiting.removeFirst();
        enforced.putAll(done.versions);
        done.generations.forEach((name, generation) ->
            generation.ifPresentOrElse(
                one -> generations.put(name, one), () -> generations.remove(name)));
      }
    } finally {
      lock.unlock();
    }
  }

  /** Up to which version each kind's policies are enforced; nothing of a kind without policies. */
  Map<String, Long> enforced() {
    lock.lock();
    try {
      return Map.copyOf(enforced);
    } finally {
      lock.unlock();
    }
  }

  /** The policies of the cluster that are enforced, by name. */
  Map<String, Generation> generations() {
    lock.lock();
    try {
      return Map.copyOf(generations);
    } finally {
      lock.unlock();
    }
  }

  /**
   * The policies of the cluster that there are, enforced or not, by name; the same until changed.
   */
  Map<String, Generation> told() {
    return told;
  }
}
