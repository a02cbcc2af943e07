package dev.sund.agent.bridge;

import dev.sund.dataplane.BridgeLinks;
import dev.sund.model.Marks;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/**
 * The threads that make and remove containers' links: the local socket's virtual threads may make
 * no kernel calls. Each call has a {@link BridgeLinks} of its own while it runs. A few of them, so
 * that one that waits for a link to come up does not hold up the others.
 */
final class BridgeWorkers implements AutoCloseable {
  private static final int MOST = 4;

  private final Opener opener;
  private final Deque<BridgeLinks> idle = new ArrayDeque<>();
  private final ExecutorService threads;
  private boolean closed;

  /** Opens what a thread works with. */
  @FunctionalInterface
  interface Opener {
    BridgeLinks open() throws Exception;
  }

  /** Work on links. */
  @FunctionalInterface
  interface Work<T> {
    T run(BridgeLinks links) throws Exception;
  }

  BridgeWorkers(Opener opener) {
    this.opener = opener;
    this.threads =
        Executors.newFixedThreadPool(
            MOST,
            Thread.ofPlatform()
                .name(Marks.THREAD_PREFIX + "bridge-", 0)
                .daemon(true)
                .inheritInheritableThreadLocals(false)
                .factory());
  }

  /**
   * Does work on another thread and waits for it.
   *
   * @throws Exception what the work throws
   * @throws InterruptedException when interrupted; the work goes on, and its outcome is lost
   */
  <T> T call(Work<T> work) throws Exception {
    Future<T> outcome = threads.submit(() -> with(work));
    try {
      return outcome.get();
    } catch (ExecutionException e) {
      switch (e.getCause()) {
        case Exception cause -> throw cause;
        case Error cause -> throw cause;
        case null, default -> throw new AssertionError("work threw neither", e);
      }
    }
  }

  private <T> T with(Work<T> work) throws Exception {
    BridgeLinks links = take();
    try {
      return work.run(links);
    } finally {
      giveBack(links);
    }
  }

  private BridgeLinks take() throws Exception {
    synchronized (idle) {
      if (!idle.isEmpty()) {
        return idle.pop();
      }
    }
    return opener.open();
  }

  private void giveBack(BridgeLinks links) {
    synchronized (idle) {
      if (!closed) {
        idle.push(links);
        return;
      }
    }
    links.close();
  }

  /** Ends the threads, after what they do now. */
  @Override
  public void close() throws InterruptedException {
    threads.shutdown();
    if (!threads.awaitTermination(10, TimeUnit.SECONDS)) {
      threads.shutdownNow();
    }
    synchronized (idle) {
      closed = true;
      idle.forEach(BridgeLinks::close);
      idle.clear();
    }
  }
}
