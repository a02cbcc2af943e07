package dev.sund.agent.apply;

import dev.sund.model.Marks;
import java.time.Duration;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * One platform thread, {@code sund-NAME}, that does one thing whenever it is called. Calls that
 * come while it gathers or works are one call.
 */
public final class CalledThread implements AutoCloseable {
  private static final Duration JOIN = Duration.ofSeconds(5);

  /** What is done at a call. */
  @FunctionalInterface
  public interface Work {
    /**
     * Does it.
     *
     * @return how long the thread then rests, whoever calls meanwhile
     */
    Duration run();
  }

  private final Duration gather;
  private final Work work;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition called = lock.newCondition();
  private final Thread thread;
  private boolean due;
  private boolean closing;

  /**
   * A thread that stands still until {@link #start}.
   *
   * @param name without the prefix of Sund's threads
   * @param gather how long it waits after a call for others to come
   */
  public CalledThread(String name, Duration gather, Work work) {
    this.gather = gather;
    this.work = work;
    this.thread =
        Thread.ofPlatform()
            .name(Marks.THREAD_PREFIX + name)
            .daemon(true)
            .inheritInheritableThreadLocals(false)
            .unstarted(this::run);
  }

  /** From now on calls are answered, those before included. */
  public void start() {
    thread.start();
  }

  /** There may be something to do. From any thread; never waits. */
  public void call() {
    lock.lock();
    try {
      due = true;
      called.signal();
    } finally {
      lock.unlock();
    }
  }

  /** Ends the thread; work that has begun is waited for, 5 seconds at most. */
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
      thread.join(JOIN);
    }
  }

  private void run() {
    try {
      while (awaitCall()) {
        pause(work.run());
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
      pause(gather);
      due = false;
      return !closing;
    } finally {
      lock.unlock();
    }
  }

  private void pause(Duration time) throws InterruptedException {
    lock.lock();
    try {
      long left = time.toNanos();
      while (!closing && left > 0) {
        left = called.awaitNanos(left);
      }
    } finally {
      lock.unlock();
    }
  }
}
