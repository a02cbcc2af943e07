package dev.sund.agent.apply;

import dev.sund.agent.log.Log;
import dev.sund.dataplane.Reaper;
import dev.sund.kernel.KernelException;
import dev.sund.model.Marks;
import java.time.Duration;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Deletes the devices of pods that have gone, behind everybody's back: the kernel takes some 20 ms
 * for it, however many there are. One platform thread, {@code sund-reaper}.
 */
final class ReaperThread implements AutoCloseable {
  /** Pods that go together are deleted together. */
  private static final Duration GATHER = Duration.ofMillis(50);

  private final Reaper reaper;
  private final Log log;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition called = lock.newCondition();
  private final Thread thread;
  private boolean due = true; // an earlier agent may have left some
  private boolean closing;

  /**
   * A thread that stands still until {@link #start}.
   *
   * @param reaper closed with this
   */
  ReaperThread(Reaper reaper, Log log) {
    this.reaper = reaper;
    this.log = log;
    this.thread =
        Thread.ofPlatform()
            .name(Marks.THREAD_PREFIX + "reaper")
            .daemon(true)
            .inheritInheritableThreadLocals(false)
            .unstarted(this::run);
  }

  void start() {
    thread.start();
  }

  /** There may be something to delete. From any thread. */
  void call() {
    lock.lock();
    try {
      due = true;
      called.signal();
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void close() throws InterruptedException {
    lock.lock();
    try {
      closing = true;
      called.signalAll();
    } finally {
      lock.unlock();
    }
    if (thread.isAlive()) {
      thread.join(Duration.ofSeconds(5));
    }
    reaper.close();
  }

  private void run() {
    try {
      while (awaitCall()) {
        try {
          reaper.reap();
        } catch (KernelException e) {
          log.warn("the devices of gone pods are not deleted", "error", e.getMessage());
        }
      }
    } catch (InterruptedException _) {
      // nobody interrupts this thread but the end of the process
    }
  }

  private boolean awaitCall() throws InterruptedException {
    lock.lock();
    try {
      while (!due && !closing) {
        called.await();
      }
      long left = GATHER.toNanos();
      while (!closing && left > 0) {
        left = called.awaitNanos(left);
      }
      due = false;
      return !closing;
    } finally {
      lock.unlock();
    }
  }
}
