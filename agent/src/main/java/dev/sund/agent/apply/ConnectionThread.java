package dev.sund.agent.apply;

import dev.sund.agent.AgentMetrics;
import dev.sund.agent.log.Log;
import dev.sund.engine.program.Frontend;
import dev.sund.engine.program.Serving;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.NetNs;
import dev.sund.kernel.conntrack.ConntrackEntry;
import dev.sund.kernel.conntrack.ConntrackFilter;
import dev.sund.kernel.conntrack.ConntrackSocket;
import dev.sund.kernel.netlink.Buffers;
import dev.sund.kernel.route.Outcome;
import dev.sund.kernel.route.RouteSocket;
import dev.sund.model.Ip;
import dev.sund.model.Protocol;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Deletes UDP connections to endpoints that serve no more, behind everybody's back: the kernel's
 * table is read once for all that changed meanwhile, and not at all when nothing of UDP did. One
 * platform thread, {@code sund-connections}.
 */
final class ConnectionThread implements AutoCloseable {
  /** Frontends that change together are looked up together. */
  private static final Duration GATHER = Duration.ofMillis(5);

  /** Of the time at most one part in so many goes to reading the table. */
  private static final int SHARE = 20;

  private static final Duration MOST_REST = Duration.ofSeconds(2);
  private static final Duration AFTER_FAILURE = Duration.ofSeconds(5);

  private final ConntrackSocket conntrack;
  private final RouteSocket routes;
  private final AgentMetrics metrics;
  private final Log log;
  private final CalledThread thread = new CalledThread("connections", GATHER, this::sweep);
  private Map<Frontend.Key, Serving> waiting = new HashMap<>();
  private String said = "";

  private ConnectionThread(
      ConntrackSocket conntrack, RouteSocket routes, AgentMetrics metrics, Log log) {
    this.conntrack = conntrack;
    this.routes = routes;
    this.metrics = metrics;
    this.log = log;
  }

  /** Starts it in a namespace. */
  static ConnectionThread start(NetNs namespace, AgentMetrics metrics, Log log)
      throws KernelException {
    ConntrackSocket conntrack = ConntrackSocket.open(namespace);
    try {
      ConnectionThread started =
          new ConnectionThread(conntrack, RouteSocket.open(namespace, Buffers.SMALL), metrics, log);
      started.thread.start();
      return started;
    } catch (KernelException e) {
      conntrack.close();
      throw e;
    }
  }

  /** These rules stand now: what goes to others than these is stale. From any thread. */
  void call(Collection<Serving> changed) {
    if (changed.isEmpty()) {
      return;
    }
    synchronized (this) {
      changed.forEach(serving -> waiting.put(serving.frontend(), serving));
    }
    thread.call();
  }

  private synchronized Map<Frontend.Key, Serving> take() {
    Map<Frontend.Key, Serving> taken = waiting;
    waiting = new HashMap<>();
    return taken;
  }

  private Duration sweep() {
    Map<Frontend.Key, Serving> changed = take();
    StaleConnections stale = StaleConnections.of(changed.values());
    if (stale.isEmpty()) {
      return Duration.ZERO;
    }
    long began = System.nanoTime();
    try {
      delete(find(stale));
      said = "";
      Duration rest = Duration.ofNanos(SHARE * (System.nanoTime() - began));
      return rest.compareTo(MOST_REST) < 0 ? rest : MOST_REST;
    } catch (KernelException e) {
      String why = String.valueOf(e.getMessage());
      if (!why.equals(said)) {
        log.warn("stale connections are not deleted", "why", why);
        said = why;
      }
      synchronized (this) {
        changed.forEach(waiting::putIfAbsent);
      }
      thread.call();
      return AFTER_FAILURE;
    }
  }

  private List<ConntrackEntry> find(StaleConnections stale) throws KernelException {
    Set<Ip> own = new HashSet<>();
    if (stale.needsAddresses()) {
      routes.addresses().forEach(address -> own.add(address.address().ip()));
    }
    List<ConntrackEntry> found = new ArrayList<>();
    conntrack.list(
        ConntrackFilter.ofProtocol(Protocol.UDP.number()),
        entry -> {
          if (stale.contains(entry, ip -> ip.isLoopback() || own.contains(ip))) {
            found.add(entry);
          }
        });
    metrics.connectionListings.inc();
    return found;
  }

  private void delete(List<ConntrackEntry> stale) throws KernelException {
    int deleted = 0;
    List<Outcome> outcomes = conntrack.delete(stale);
    for (int i = 0; i < outcomes.size(); i++) {
      if (outcomes.get(i) == Outcome.DONE) {
        deleted++;
        log.debug(
            "stale connection deleted",
            "connection",
            stale.get(i).original(),
            "went to",
            stale.get(i).reply().source());
      }
    }
    if (deleted > 0) {
      metrics.connectionsDeleted.inc(deleted);
      log.info("stale connections deleted", "count", deleted);
    }
    for (Outcome outcome : outcomes) {
      outcome.orThrow();
    }
  }

  @Override
  public void close() throws InterruptedException {
    thread.close();
    conntrack.close();
    routes.close();
  }
}
