package dev.sund.agent.apply;

import dev.sund.agent.ProxyMetrics;
import dev.sund.engine.cluster.ClusterEvent;
import dev.sund.engine.cluster.EndpointSlice;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;

/**
 * How long it took from a change of endpoints, as the slice's annotation tells it, to the kernel:
 * what clients of a Service wait for. The two clocks are of two machines. Changes from before the
 * agent's start are not counted: nobody waited for this agent then.
 *
 * <p>The engine's thread notes, the data plane's thread tells what is done.
 */
final class KernelLatency {
  /** So many changes at once are no longer measured one by one. */
  private static final int MOST = 16_384;

  private final ProxyMetrics metrics;
  private final InstantSource clock;
  private final Instant began;
  private final ReentrantLock lock = new ReentrantLock();
  private final Deque<Waiting> waiting = new ArrayDeque<>();

  /** A change that the kernel does not hold yet. */
  private record Waiting(long number, long triggered) {}

  KernelLatency(ProxyMetrics metrics, InstantSource clock) {
    this.metrics = metrics;
    this.clock = clock;
    this.began = clock.instant();
  }

  /** A batch came in. */
  void came(List<ClusterEvent> batch) {
    int slices = 0;
    int services = 0;
    for (ClusterEvent event : batch) {
      if (event instanceof ClusterEvent.SliceSeen || event instanceof ClusterEvent.SliceGone) {
        slices++;
      } else if (event instanceof ClusterEvent.ServiceSeen
          || event instanceof ClusterEvent.ServiceGone) {
        services++;
      }
    }
    if (slices + services > 0) {
      metrics.endpointChanges.inc(slices);
      metrics.serviceChanges.inc(services);
      metrics.lastQueued.set(clock.millis() / 1e3);
    }
  }

  /**
   * A batch changed nothing that the kernel is to hold: what it tells stands already. So it is when
   * a slice comes before its Service.
   */
  void held(List<ClusterEvent> batch) {
    long now = clock.millis();
    for (ClusterEvent event : batch) {
      if (event instanceof ClusterEvent.SliceSeen(var slice) && counts(slice)) {
        observe(slice.triggered(), now);
      }
    }
  }

  /** What happened before this agent's time says nothing about it. */
  private boolean counts(EndpointSlice slice) {
    return slice.triggered() >= began.toEpochMilli();
  }

  private void observe(long triggered, long now) {
    metrics.networkProgramming.observe(Math.max(0, now - triggered) / 1e3);
  }

  /** A batch changed the program, which the kernel is to take under this number. */
  void wanted(long number, List<ClusterEvent> batch) {
    lock.lock();
    try {
      for (ClusterEvent event : batch) {
        if (event instanceof ClusterEvent.SliceSeen(var slice)
            && counts(slice)
            && waiting.size() < MOST) {
          waiting.add(new Waiting(number, slice.triggered()));
        }
      }
    } finally {
      lock.unlock();
    }
  }

  /** The kernel holds everything up to this number. */
  void applied(long number) {
    long now = clock.millis();
    metrics.lastSync.set(now / 1e3);
    lock.lock();
    try {
      while (!waiting.isEmpty() && waiting.getFirst().number <= number) {
        observe(waiting.removeFirst().triggered, now);
      }
    } finally {
      lock.unlock();
    }
  }
}
