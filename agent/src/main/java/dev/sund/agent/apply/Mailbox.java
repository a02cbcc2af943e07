package dev.sund.agent.apply;

import dev.sund.engine.cluster.ClusterEvent;
import dev.sund.model.ObjectRef;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * From many threads to one writer. Of two events with one {@link ClusterEvent#key} only the later
 * is kept, at the earlier one's place, so that the mailbox never holds more than one event for each
 * object that exists, however slow its reader is.
 *
 * <p>Any thread may {@link #put}; one thread takes.
 */
public final class Mailbox {
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition filled = lock.newCondition();
  private Map<ObjectRef, ClusterEvent> events = new LinkedHashMap<>();
  private long coalesced;
  private boolean woken;

  /** Puts an event in; never waits. */
  public void put(ClusterEvent event) {
    lock.lock();
    try {
      if (events.put(event.key(), event) != null) {
        coalesced++;
      }
      filled.signal();
    } finally {
      lock.unlock();
    }
  }

  /** Makes a waiting or the next {@link #take} return, perhaps with nothing. */
  public void wake() {
    lock.lock();
    try {
      woken = true;
      filled.signal();
    } finally {
      lock.unlock();
    }
  }

  /**
   * Takes all events, in the order of their keys' first arrival. Waits until there is one.
   *
   * @param maxWaitNanos the longest wait; 0 or less does not wait
   * @return empty when nothing came in time, or after {@link #wake}
   */
  public List<ClusterEvent> take(long maxWaitNanos) throws InterruptedException {
    long left = maxWaitNanos;
    lock.lockInterruptibly();
    try {
      while (events.isEmpty() && !woken && left > 0) {
        left = filled.awaitNanos(left);
      }
      woken = false;
      return drain();
    } finally {
      lock.unlock();
    }
  }

  /** The number of events that wait. */
  public int size() {
    lock.lock();
    try {
      return events.size();
    } finally {
      lock.unlock();
    }
  }

  /** How many events were overtaken by a later one, since this was last asked. */
  public long takeCoalesced() {
    lock.lock();
    try {
      long since = coalesced;
      coalesced = 0;
      return since;
    } finally {
      lock.unlock();
    }
  }

  private List<ClusterEvent> drain() {
    if (events.isEmpty()) {
      return List.of();
    }
    List<ClusterEvent> taken = new ArrayList<>(events.values());
    // A map that once held a whole cluster would keep its table: start anew.
    events = new LinkedHashMap<>();
    return taken;
  }
}
