package dev.sund.agent;

import dev.sund.agent.log.Log;
import dev.sund.engine.cluster.NodeFacts;
import dev.sund.kernel.KernelException;
import dev.sund.model.Marks;
import java.time.Duration;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;

/**
 * Follows what the node has that Sund did not make: reads it again a little after the kernel said
 * that something of it may have changed, and tells only real changes. One platform thread, {@code
 * sund-facts}.
 */
final class FactsWatch implements AutoCloseable {
  private static final Duration SETTLE = Duration.ofMillis(20);

  /** Between two readings, so that a routing daemon's thousands of routes cost little. */
  private static final Duration REST = Duration.ofMillis(200);

  private static final Duration RETRY = Duration.ofSeconds(1);

  /** Reads the facts. */
  interface Reader {
    /** What is there now. */
    NodeFacts read() throws KernelException;
  }

  private final Reader reader;
  private final Consumer<NodeFacts> changed;
  private final Log log;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition called = lock.newCondition();
  private final Thread thread;
  private NodeFacts last = NodeFacts.NONE;
  private boolean due;
  private boolean closing;

  FactsWatch(Reader reader, Consumer<NodeFacts> changed, Log log) {
    this.reader = reader;
    this.changed = changed;
    this.log = log;
    this.thread =
        Thread.ofPlatform()
            .name(Marks.THREAD_PREFIX + "facts")
            .daemon(true)
            .inheritInheritableThreadLocals(false)
            .unstarted(this::run);
  }

  /** Reads for the first time, on the calling thread, and follows from then on. */
  void start() throws KernelException {
    last = reader.read();
    changed.accept(last);
    thread.start();
  }

  /** Something may have changed. From any thread; never waits. */
  void look() {
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
  }

  private void run() {
    try {
      while (awaitCall()) {
        if (!pause(SETTLE)) {
          return;
        }
        clear();
        try {
          NodeFacts now = reader.read();
          if (!now.equals(last)) {
            last = now;
            log.info("the node's own network changed", "devices", now.devices().size());
            changed.accept(now);
          }
        } catch (KernelException e) {
          log.error("the node's own network cannot be read", "error", e.getMessage());
          look();
          if (!pause(RETRY)) {
            return;
          }
        }
        if (!pause(REST)) {
          return;
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
      return !closing;
    } finally {
      lock.unlock();
    }
  }

  private void clear() {
    lock.lock();
    try {
      due = false;
    } finally {
      lock.unlock();
    }
  }

  private boolean pause(Duration time) throws InterruptedException {
    lock.lock();
    try {
      long left = time.toNanos();
      while (!closing && left > 0) {
        left = called.awaitNanos(left);
      }
      return !closing;
    } finally {
      lock.unlock();
    }
  }
}
