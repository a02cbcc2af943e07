package dev.sund.agent.apply;

import dev.sund.engine.cluster.ClusterEvent;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Follows how far the kernel enforces the policies that the API has: told by the engine's thread
 * which versions go with which program, and by the data plane's which program the kernel holds.
 */
final class PolicyProgress {
  private final ReentrantLock lock = new ReentrantLock();
  private final Deque<Waiting> waiting = new ArrayDeque<>();
  private final Map<String, Long> enforced = new TreeMap<>();

  /** The last program whose policies differ from those before it, and whether it is waited for. */
  private volatile long changed;

  private boolean changing;

  /** Versions that hold with a program that the kernel does not hold yet. */
  private record Waiting(long number, String kind, long version) {}

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
          waiting.removeIf(one -> one.kind.equals(kind) && one.number == number);
          waiting.add(new Waiting(number, kind, version));
        }
      }
    } finally {
      lock.unlock();
    }
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
        enforced.put(done.kind, done.version);
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
}
