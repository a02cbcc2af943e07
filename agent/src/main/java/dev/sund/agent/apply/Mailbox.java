package dev.sund.agent.apply;

import dev.sund.engine.cluster.Attachment;
import dev.sund.engine.cluster.ClusterEvent;
import dev.sund.model.ObjectRef;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * From many threads to one writer. Of two events with one {@link ClusterEvent#key} only the later
 * is kept, at the earlier one's place, so that the mailbox never holds more than one event for each
 * object that exists, however slow its reader is. What somebody waits for, attachments and
 * networks, is taken before all that the cluster tells, but together with what decides about it: a
 * pod must not be attached under older policies than the cluster has told by then.
 *
 * <p>Any thread may {@link #put}; one thread takes.
 */
public final class Mailbox {
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition filled = lock.newCondition();
  private final Map<ObjectRef, ClusterEvent> awaited = new LinkedHashMap<>();

  /** Policies and namespaces: few, and in force before the next pod is attached. */
  private final Map<ObjectRef, ClusterEvent> policies = new LinkedHashMap<>();

  private Map<ObjectRef, ClusterEvent> events = new LinkedHashMap<>();
  private long coalesced;
  private boolean woken;

  /** Puts an event in; never waits. */
  public void put(ClusterEvent event) {
    lock.lock();
    try {
      if (lane(event).put(event.key(), event) != null) {
        coalesced++;
      }
      filled.signal();
    } finally {
      lock.unlock();
    }
  }

  /** A refusal comes only where the object's own events come. */
  private Map<ObjectRef, ClusterEvent> lane(ClusterEvent event) {
    return switch (event) {
      case ClusterEvent.Attached _,
          ClusterEvent.Detached _,
          ClusterEvent.NetworkSeen _,
          ClusterEvent.NetworkGone _,
          ClusterEvent.PortsSeen _,
          ClusterEvent.PortsGone _,
          ClusterEvent.BridgeJoined _,
          ClusterEvent.BridgeLeft _ ->
          awaited;
      case ClusterEvent.PolicySeen _,
          ClusterEvent.PolicyGone _,
          ClusterEvent.PoliciesTold _,
          ClusterEvent.NamespaceSeen _,
          ClusterEvent.NamespaceGone _ ->
          policies;
      case ClusterEvent.NodeSeen _,
          ClusterEvent.NodeGone _,
          ClusterEvent.PodSeen _,
          ClusterEvent.PodGone _,
          ClusterEvent.PoolSeen _,
          ClusterEvent.PoolGone _,
          ClusterEvent.BlockSeen _,
          ClusterEvent.ReservationSeen _,
          ClusterEvent.ReservationGone _,
          ClusterEvent.BlockGone _,
          ClusterEvent.ServiceSeen _,
          ClusterEvent.ServiceGone _,
          ClusterEvent.SliceSeen _,
          ClusterEvent.SliceGone _,
          ClusterEvent.ServicesSet _,
          ClusterEvent.ConntrackSet _,
          ClusterEvent.StrictSet _,
          ClusterEvent.TunnelsAddressed _,
          ClusterEvent.LayerSeen _,
          ClusterEvent.LayerGone _,
          ClusterEvent.Refused _,
          ClusterEvent.FactsSeen _,
          ClusterEvent.Synced _ ->
          events;
    };
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
   * Takes events, of each sort in the order of their keys' first arrival. Waits until there is one.
   *
   * @param most the most events to take of those that nobody waits for; the rest stays
   * @param maxWaitNanos the longest wait; 0 or less does not wait
   * @return empty when nothing came in time, or after {@link #wake}
   */
  public List<ClusterEvent> take(int most, long maxWaitNanos) throws InterruptedException {
    long left = maxWaitNanos;
    lock.lockInterruptibly();
    try {
      while (isEmpty() && !woken && left > 0) {
        left = filled.awaitNanos(left);
      }
      woken = false;
      return drain(most);
    } finally {
      lock.unlock();
    }
  }

  /** The number of events that wait. */
  public int size() {
    lock.lock();
    try {
      return awaited.size() + policies.size() + events.size();
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

  private boolean isEmpty() {
    return awaited.isEmpty() && policies.isEmpty() && events.isEmpty();
  }

  private List<ClusterEvent> drain(int most) {
    List<ClusterEvent> taken = new ArrayList<>(policies.values());
    policies.clear();
    for (ClusterEvent event : awaited.values()) {
      if (event instanceof ClusterEvent.Attached(Attachment attachment)) {
        ClusterEvent pod = events.remove(new ObjectRef("Pod", attachment.pod().toString()));
        if (pod != null) {
          taken.add(pod);
        }
      }
      taken.add(event);
    }
    awaited.clear();
    if (events.size() <= most) {
      taken.addAll(events.values());
      // A map that once held a whole cluster would keep its table: start anew.
      events = new LinkedHashMap<>();
      return taken;
    }
    Iterator<ClusterEvent> first = events.values().iterator();
    for (int i = 0; i < most; i++) {
      taken.add(first.next());
      first.remove();
    }
    return taken;
  }
}
