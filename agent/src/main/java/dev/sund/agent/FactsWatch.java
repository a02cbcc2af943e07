package dev.sund.agent;

import dev.sund.agent.apply.CalledThread;
import dev.sund.agent.log.Log;
import dev.sund.engine.cluster.NodeFacts;
import dev.sund.kernel.KernelException;
import java.time.Duration;
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
  private final CalledThread thread = new CalledThread("facts", SETTLE, this::reread);
  private NodeFacts last = NodeFacts.NONE;

  FactsWatch(Reader reader, Consumer<NodeFacts> changed, Log log) {
    this.reader = reader;
    this.changed = changed;
    this.log = log;
  }

  /** Reads for the first time, on the calling thread, and follows from then on. */
  void start() throws KernelException {
    last = reader.read();
    changed.accept(last);
    thread.start();
  }

  /** Something may have changed. From any thread; never waits. */
  void look() {
    thread.call();
  }

  @Override
  public void close() throws InterruptedException {
    thread.close();
  }

  private Duration reread() {
    try {
      NodeFacts now = reader.read();
      if (!now.equals(last)) {
        last = now;
        log.info("the node's own network changed", "devices", now.devices().size());
        changed.accept(now);
      }
      return REST;
    } catch (KernelException e) {
      log.error("the node's own network cannot be read", "error", e.getMessage());
      look();
      return RETRY;
    }
  }
}
