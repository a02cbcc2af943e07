package dev.sund.lab.measure;

import dev.sund.kernel.KernelException;
import dev.sund.kernel.socket.Epoll;
import dev.sund.kernel.socket.NetSocket;
import dev.sund.kernel.socket.Wakeup;
import dev.sund.model.Marks;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;

/**
 * One thread with one epoll that serves all sockets of a lab. Work is handed to it by {@link #run}
 * and runs on that thread; while it runs it calls {@link #turn} to let the sockets have their say.
 */
final class ProbeLoop implements AutoCloseable {
  private static final long WAKEUP = 0;

  /** Is told what happened to a socket. */
  @FunctionalInterface
  interface Handler {
    /**
     * Does all that can be done without waiting.
     *
     * @param events bits of {@link Epoll}
     */
    void ready(int events) throws KernelException;
  }

  private final Epoll epoll;
  private final Wakeup wakeup;
  private final ConcurrentLinkedQueue<Runnable> work = new ConcurrentLinkedQueue<>();
  private final Map<Long, Handler> handlers = new HashMap<>();
  private final Thread thread;
  private long lastToken = WAKEUP;
  private volatile boolean closed;

  private ProbeLoop(Epoll epoll, Wakeup wakeup) {
    this.epoll = epoll;
    this.wakeup = wakeup;
    this.thread =
        Thread.ofPlatform().name(Marks.THREAD_PREFIX + "probes").daemon(true).unstarted(this::loop);
  }

  /** Starts one. */
  static ProbeLoop start() throws KernelException {
    Epoll epoll = Epoll.open();
    Wakeup wakeup = Wakeup.open();
    epoll.add(wakeup, WAKEUP);
    ProbeLoop loop = new ProbeLoop(epoll, wakeup);
    loop.thread.start();
    return loop;
  }

  /** Runs {@code job} on the loop's thread and waits for it. Not from that thread. */
  <T> T run(Callable<T> job) throws KernelException, InterruptedException {
    CompletableFuture<T> outcome = new CompletableFuture<>();
    work.add(() -> {
      try {
        outcome.complete(job.call());
      } catch (Exception | Error e) { // carried to the caller, whatever it is
        outcome.completeExceptionally(e);
      }
    });
    wakeup.signal();
    try {
      return outcome.get();
    } catch (ExecutionException e) {
      switch (e.getCause()) {
        case KernelException cause -> throw cause;
        case RuntimeException cause -> throw cause;
        case Error cause -> throw cause;
        case null, default -> throw new IllegalStateException(e.getCause());
      }
    }
  }

  /** Runs {@code job} on the loop's thread and does not wait for it. */
  void submit(Runnable job) {
    work.add(job);
    wakeup.signal();
  }

  /** Serves the socket from now on; on the loop's thread. */
  void add(NetSocket socket, int events, Handler handler) throws KernelException {
    long token = ++lastToken;
    handlers.put(token, handler);
    epoll.add(socket, events, token);
  }

  /** As {@link #add}, for a socket that its handler closes: {@link #forget} ends it. */
  long register(NetSocket socket, int events, Handler handler) throws KernelException {
    add(socket, events, handler);
    return lastToken;
  }

  /** Waits for other events of the socket with this token. */
  void change(NetSocket socket, int events, long token) throws KernelException {
    epoll.change(socket, events, token);
  }

  /** Serves the socket no more; its owner closes it. */
  void forget(long token) {
    handlers.remove(token);
  }

  /**
   * Lets all sockets that are ready have their say; on the loop's thread.
   *
   * @param timeoutMillis how long to wait for the first, -1 for as long as it takes
   * @return whether one was ready
   */
  boolean turn(int timeoutMillis) throws KernelException {
    int count = epoll.await(timeoutMillis);
    for (int i = 0; i < count; i++) {
      long token = epoll.token(i);
      if (token == WAKEUP) {
        wakeup.clear();
        continue;
      }
      Handler handler = handlers.get(token);
      if (handler != null) {
        handler.ready(epoll.events(i));
      }
    }
    return count > 0;
  }

  private void loop() {
    while (!closed) {
      Runnable job = work.poll();
      if (job != null) {
        job.run();
        continue;
      }
      try {
        turn(-1);
      } catch (KernelException e) {
        System.getLogger(ProbeLoop.class.getName())
            .log(System.Logger.Level.WARNING, "a probe's socket failed: {0}", e.getMessage());
      }
    }
  }

  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    wakeup.signal();
    try {
      thread.join(5_000);
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
    if (!thread.isAlive()) { // else the descriptors go with the process
      epoll.close();
      wakeup.close();
    }
  }
}
