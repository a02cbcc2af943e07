package dev.sund.agent.services;

import dev.sund.agent.apply.ApplyLoop;
import dev.sund.agent.log.Log;
import dev.sund.engine.ServiceSummary;
import dev.sund.engine.cluster.ClusterEvent;
import dev.sund.kernel.NetNs;
import dev.sund.model.Condition;
import dev.sund.model.Marks;
import dev.sund.model.ObjectRef;
import dev.sund.model.Reason;
import dev.sund.model.ServiceKey;
import io.prometheus.metrics.core.metrics.Gauge;
import java.io.IOException;
import java.net.InetAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/**
 * Keeps the health-check node ports of Services (S11) as their objects say: opened, closed, and
 * told how many ready endpoints are on this node, within a fraction of a second of a change.
 *
 * <p>One platform thread, {@code sund-health-ports}, since it opens sockets in the node's
 * namespace; it asks the engine only while there are such ports. What happens when the agent dies:
 * nobody answers, and the load balancer sends its clients elsewhere until the next agent does.
 */
final class HealthPorts implements AutoCloseable {
  private static final Duration PATIENCE = Duration.ofSeconds(5);
  private static final Duration SETTLE = Duration.ofMillis(50);
  private static final Duration AGAIN = Duration.ofSeconds(2);

  private final NetNs namespace;
  private final Supplier<List<InetAddress>> addresses;
  private final BooleanSupplier healthy;
  private final Gauge count;
  private final Log log;
  private volatile Optional<Thread> thread = Optional.empty();
  private final Set<ServiceKey> asking = ConcurrentHashMap.newKeySet();
  private final Semaphore changed = new Semaphore(0);
  private final Map<ServiceKey, Open> open = new HashMap<>();
  private volatile List<Condition> conditions = List.of();

  /** A port that is answered. */
  private record Open(int port, List<InetAddress> addresses, List<HealthServer> servers) {}

  /**
   * Ports that are opened from {@link #start} on.
   *
   * @param addresses where node ports are; the unspecified address for all of the node's
   * @param healthy whether the agent works
   */
  HealthPorts(
      NetNs namespace,
      Supplier<List<InetAddress>> addresses,
      BooleanSupplier healthy,
      Gauge count,
      Log log) {
    this.namespace = namespace;
    this.addresses = addresses;
    this.healthy = healthy;
    this.count = count;
    this.log = log;
  }

  /**
   * Begins.
   *
   * @param loop knows which endpoints there are
   */
  void start(ApplyLoop loop) {
    Thread made =
        Thread.ofPlatform()
            .daemon(true)
            .name(Marks.THREAD_PREFIX + "health-ports")
            .unstarted(() -> run(loop));
    thread = Optional.of(made);
    made.start();
  }

  /** Hears what the cluster says. Any thread; never waits. */
  void see(ClusterEvent event) {
    switch (event) {
      case ClusterEvent.ServiceSeen(var service) -> {
        boolean asks = service.healthCheckNodePort().isPresent();
        boolean asked = asks ? !asking.add(service.key()) : asking.remove(service.key());
        if (asks || asked) {
          changed.release();
        }
      }
      case ClusterEvent.ServiceGone(var key) -> {
        if (asking.remove(key)) {
          changed.release();
        }
      }
      case ClusterEvent.SliceSeen(var slice) -> {
        if (asking.contains(slice.service())) {
          changed.release();
        }
      }
      case ClusterEvent.SliceGone _ -> {
        if (!asking.isEmpty()) {
          changed.release();
        }
      }
      case ClusterEvent _ -> {}
    }
  }

  /** What keeps a port from being answered. */
  List<Condition> conditions() {
    return conditions;
  }

  @Override
  public void close() throws InterruptedException {
    if (thread.isPresent()) {
      thread.get().interrupt();
      thread.get().join();
    }
    open.keySet().stream().toList().forEach(this::shut);
  }

  private void run(ApplyLoop loop) {
    try {
      while (true) {
        // What was put into the mailbox just now may not be compiled yet: hence once more later.
        boolean asked = changed.tryAcquire(AGAIN.toNanos(), TimeUnit.NANOSECONDS);
        changed.drainPermits();
        if (asked) {
          Thread.sleep(SETTLE);
        }
        if (asked || !asking.isEmpty() || !open.isEmpty()) {
          look(loop);
        }
      }
    } catch (InterruptedException _) {
      // the agent ends
    }
  }

  private void look(ApplyLoop loop) throws InterruptedException {
    Map<ServiceKey, ServiceSummary> wanted = new TreeMap<>();
    for (ServiceKey key : asking) {
      try {
        Optional<ServiceSummary> summary = loop.ask(compiler -> compiler.service(key), PATIENCE);
        summary
            .filter(found -> found.service().healthCheckNodePort().isPresent())
            .ifPresent(found -> wanted.put(key, found));
      } catch (TimeoutException _) {
        return; // the ports stay as they are, and are looked at again
      }
    }
    List<InetAddress> where = addresses.get();
    for (ServiceKey key : List.copyOf(open.keySet())) {
      ServiceSummary summary = wanted.get(key);
      Open now = open.get(key);
      if (now != null
          && (summary == null
              || summary.service().healthCheckNodePort().orElse(0) != now.port
              || !now.addresses.equals(where))) {
        shut(key);
      }
    }
    List<Condition> found = new ArrayList<>();
    wanted.forEach((key, summary) -> ensure(key, summary, where).ifPresent(found::add));
    if (!found.equals(conditions)) {
      found.forEach(one -> log.error("a health-check port is not answered", "what", one));
    }
    conditions = List.copyOf(found);
    count.set(open.size());
  }

  private Optional<Condition> ensure(
      ServiceKey key, ServiceSummary summary, List<InetAddress> where) {
    Open before = open.get(key);
    if (before != null) {
      before.servers.forEach(server -> server.localReady(summary.localReady()));
      return Optional.empty();
    }
    int port = summary.service().healthCheckNodePort().orElseThrow();
    List<HealthServer> servers = new ArrayList<>();
    Open made = new Open(port, where, servers);
    try {
      for (InetAddress address : where) {
        servers.add(
            HealthServer.open(namespace, address, port, key, summary.localReady(), healthy));
      }
      open.put(key, made);
      log.info("a health-check port is answered", "service", key, "port", port);
      return Optional.empty();
    } catch (IOException e) {
      servers.forEach(this::shut);
      return Optional.of(
          new Condition(
              Reason.KERNEL_REFUSED,
              new ObjectRef("Service", key.toString()),
              "spec.healthCheckNodePort",
              port + " cannot be listened at: " + e.getMessage() + ".",
              "Find who has the port ('ss -ltnp'); kube-proxy has it while it runs."));
    }
  }

  private void shut(ServiceKey key) {
    Open gone = open.remove(key);
    if (gone != null) {
      gone.servers.forEach(this::shut);
    }
  }

  private void shut(HealthServer server) {
    try {
      server.close();
    } catch (IOException e) {
      log.warn("a health-check port is not closed", "error", String.valueOf(e.getMessage()));
    }
  }
}
