package dev.sund.agent.apply;

import dev.sund.agent.log.Log;
import dev.sund.dataplane.Reaper;
import dev.sund.kernel.KernelException;
import java.time.Duration;

/**
 * Deletes the devices of pods that have gone, behind everybody's back: the kernel takes some 20 ms
 * for it, however many there are. One platform thread, {@code sund-reaper}.
 */
final class ReaperThread implements AutoCloseable {
  /** Pods that go together are deleted together. */
  private static final Duration GATHER = Duration.ofMillis(50);

  private final Reaper reaper;
  private final Log log;
  private final CalledThread thread = new CalledThread("reaper", GATHER, this::reap);

  /**
   * A thread that stands still until {@link #start}.
   *
   * @param reaper closed with this
   */
  ReaperThread(Reaper reaper, Log log) {
    this.reaper = reaper;
    this.log = log;
  }

  void start() {
    thread.call(); // an earlier agent may have left some
    thread.start();
  }

  /** There may be something to delete. From any thread. */
  void call() {
    thread.call();
  }

  @Override
  public void close() throws InterruptedException {
    thread.close();
    reaper.close();
  }

  private Duration reap() {
    try {
      reaper.reap();
    } catch (KernelException e) {
      log.warn("the devices of gone pods are not deleted", "error", e.getMessage());
    }
    return Duration.ZERO;
  }
}
