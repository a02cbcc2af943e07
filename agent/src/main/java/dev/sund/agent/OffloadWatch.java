package dev.sund.agent;

import dev.sund.agent.log.Log;
import dev.sund.dataplane.TunnelOffload;
import dev.sund.dataplane.TunnelOffload.Verdict;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.NetNs;
import dev.sund.model.Condition;
import dev.sund.model.ObjectRef;
import dev.sund.model.Reason;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/**
 * Has each VXLAN device tried ({@link TunnelOffload}) when it comes, now and then, and when it
 * leaves checksums to others again. One platform thread, {@code sund-offload}.
 */
final class OffloadWatch implements AutoCloseable {
  private static final Duration LOOK = Duration.ofSeconds(2);
  private static final Duration WHEN_KNOWN = Duration.ofMinutes(10);
  private static final Duration WHEN_UNKNOWN = Duration.ofSeconds(30);
  private static final Duration CLOSING = Duration.ofSeconds(2);

  private final TunnelOffload offload;
  private final BooleanSupplier ready;
  private final AgentMetrics metrics;
  private final Log log;
  private final CountDownLatch ending = new CountDownLatch(1);
  private final Thread thread =
      Thread.ofPlatform().daemon().name("sund-offload").unstarted(this::follow);

  /** When a device is due, in nanoseconds of the monotonic clock. */
  private final Map<String, Long> due = new HashMap<>();

  private volatile List<Condition> conditions = List.of();

  private OffloadWatch(
      TunnelOffload offload, BooleanSupplier ready, AgentMetrics metrics, Log log) {
    this.offload = offload;
    this.ready = ready;
    this.metrics = metrics;
    this.log = log;
  }

  /**
   * Begins.
   *
   * @param ready whether the node's program is in the kernel; before, nobody is asked
   */
  static OffloadWatch start(NetNs namespace, BooleanSupplier ready, AgentMetrics metrics, Log log)
      throws KernelException {
    OffloadWatch watch = new OffloadWatch(TunnelOffload.open(namespace), ready, metrics, log);
    watch.thread.start();
    return watch;
  }

  /** Which devices leave no checksums to others. */
  List<Condition> conditions() {
    return conditions;
  }

  private void follow() {
    try {
      while (!ending.await(LOOK.toMillis(), TimeUnit.MILLISECONDS)) {
        if (ready.getAsBoolean()) {
          look();
        }
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }

  private void look() throws InterruptedException {
    try {
      Map<String, Boolean> devices = offload.devices();
      due.keySet().retainAll(devices.keySet());
      List<Condition> now = new ArrayList<>();
      for (Map.Entry<String, Boolean> device : devices.entrySet()) {
        boolean on = device.getValue() && !isFoundBad(device.getKey());
        if (!on) {
          now.add(condition(device.getKey()));
        }
        metrics.offloadOff.labelValues(device.getKey()).set(on ? 0 : 1);
      }
      conditions = List.copyOf(now);
    } catch (KernelException e) {
      log.warn("the tunnels' offload cannot be read", "error", e.getMessage());
    }
  }

  /** Tries a device that is due; whether that switched its offload off. */
  private boolean isFoundBad(String device) throws KernelException, InterruptedException {
    long now = System.nanoTime();
    Long when = due.get(device);
    if (when != null && now - when < 0) {
      return false;
    }
    Verdict verdict = offload.check(device);
    if (verdict == Verdict.SWITCHED_OFF) {
      log.warn("checksums are made by the kernel from now on", "what", condition(device));
    }
    due.put(device, now + (verdict == Verdict.UNKNOWN ? WHEN_UNKNOWN : WHEN_KNOWN).toNanos());
    if (verdict == Verdict.SWITCHED_OFF) {
      due.remove(device); // on again: somebody wants it tried anew, or it was made anew
    }
    return verdict == Verdict.SWITCHED_OFF || verdict == Verdict.OFF;
  }

  private static Condition condition(String device) {
    return new Condition(
        Reason.OFFLOAD_CORRUPTS,
        new ObjectRef("link", device),
        "tx-checksum",
        "packets to other nodes arrive with wrong checksums when devices are to make them; the"
            + " kernel makes them now.",
        "Nothing needs to be done. When the driver or the hypervisor is mended: ethtool -K "
            + device
            + " tx on.");
  }

  @Override
  public void close() throws InterruptedException {
    ending.countDown();
    thread.interrupt();
    thread.join(CLOSING);
    offload.close();
  }
}
