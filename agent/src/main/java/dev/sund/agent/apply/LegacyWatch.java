package dev.sund.agent.apply;

import dev.sund.agent.log.Log;
import dev.sund.dataplane.xtables.LegacyForwardDriver;
import dev.sund.dataplane.xtables.LegacyLook;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.NetNs;
import dev.sund.model.Marks;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Looks four times a second whether rules of {@code iptables-legacy} changed in a way that concerns
 * pods, of which the kernel tells nobody. One platform thread, {@code sund-xtables}.
 */
final class LegacyWatch implements AutoCloseable {
  private static final Duration EACH = Duration.ofMillis(250);
  private static final Duration AFTER_FAILURE = Duration.ofSeconds(5);
  private static final Duration CLOSING = Duration.ofSeconds(2);

  private final LegacyLook look;
  private final DriftMonitor.Listener listener;
  private final Log log;
  private final CountDownLatch ending = new CountDownLatch(1);
  private final Thread thread =
      Thread.ofPlatform().daemon().name(Marks.THREAD_PREFIX + "xtables").unstarted(this::watch);
  private String said = "";

  private LegacyWatch(LegacyLook look, DriftMonitor.Listener listener, Log log) {
    this.look = look;
    this.listener = listener;
    this.log = log;
  }

  static LegacyWatch start(
      NetNs namespace, LegacyForwardDriver driver, DriftMonitor.Listener listener, Log log)
      throws KernelException {
    LegacyWatch watch = new LegacyWatch(LegacyLook.open(namespace, driver::changes), listener, log);
    watch.thread.start();
    return watch;
  }

  private void watch() {
    Duration pause = Duration.ZERO;
    try {
      while (!ending.await(pause.toMillis(), TimeUnit.MILLISECONDS)) {
        pause = look();
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }

  private Duration look() {
    try {
      if (look.changed()) {
        listener.drifted(Set.of(LegacyForwardDriver.NAME), "event");
      }
      said = "";
      return EACH;
    } catch (KernelException e) {
      String why = String.valueOf(e.getMessage());
      if (!why.equals(said)) {
        log.warn("the rules of iptables-legacy cannot be read", "why", why);
        said = why;
      }
      return AFTER_FAILURE;
    }
  }

  @Override
  public void close() throws InterruptedException {
    ending.countDown();
    thread.join(CLOSING);
    look.close();
  }
}
