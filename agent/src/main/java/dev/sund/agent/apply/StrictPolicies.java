package dev.sund.agent.apply;

import dev.sund.agent.AgentMetrics;
import dev.sund.agent.log.Log;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.NetNs;
import dev.sund.kernel.conntrack.ConntrackEntry;
import dev.sund.kernel.conntrack.ConntrackFilter;
import dev.sund.kernel.conntrack.ConntrackSocket;
import dev.sund.kernel.netlink.Buffers;
import dev.sund.kernel.route.Outcome;
import dev.sund.kernel.route.RouteSocket;
import dev.sund.model.Ip;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeoutException;

/**
 * Cuts connections that policies in force forbid, where the fabric asks for it ({@code
 * policies.strict}): once a change of policies stands in the kernel, the table of connections is
 * read once for all changes meanwhile, and what is forbidden in it is deleted. The next packet of
 * such a connection is of none, and policies judge it as a first one.
 *
 * <p>Never what a policy allows that came meanwhile: before each piece that is deleted it is looked
 * whether the policies are still those that it was judged by.
 *
 * <p>One platform thread, {@code sund-strict}, and none before it is asked for.
 */
public final class StrictPolicies implements AutoCloseable {
  /** Changes that come together are looked up together. */
  private static final Duration GATHER = Duration.ofMillis(5);

  /** Of the time at most one part in so many goes to reading the table. */
  private static final int SHARE = 20;

  private static final Duration LEAST_REST = Duration.ofMillis(100);
  private static final Duration MOST_REST = Duration.ofSeconds(2);
  private static final Duration AFTER_FAILURE = Duration.ofSeconds(5);

  /** How many are deleted at most after one reading: what is left is found by the next. */
  private static final int MOST = 10_000;

  /** How many are deleted at once. */
  private static final int PIECE = 200;

  /** What is in force. */
  interface InForce {
    /** A number that grows with each change of policies that is wanted. */
    long number();

    /**
     * What they forbid now.
     *
     * @throws TimeoutException when the engine does not answer in time
     */
    ForbiddenConnections forbidden() throws InterruptedException, TimeoutException;
  }

  private final NetNs namespace;
  private final InForce inForce;
  private final AgentMetrics metrics;
  private final Log log;
  private final CalledThread thread = new CalledThread("strict", GATHER, this::sweep);
  private String said = "";
  private boolean started;
  private volatile boolean on;

  /**
   * One that keeps all connections until it is told otherwise.
   *
   * @param namespace the node's
   */
  StrictPolicies(NetNs namespace, InForce inForce, AgentMetrics metrics, Log log) {
    this.namespace = namespace;
    this.inForce = inForce;
    this.metrics = metrics;
    this.log = log;
  }

  /** Whether forbidden connections are cut from now on, those that are there too. Any thread. */
  public synchronized void set(boolean strict) {
    on = strict;
    if (strict && !started) {
      started = true;
      thread.start();
    }
    changed();
  }

  /** Another program stands in the kernel, with other policies. Any thread; never waits. */
  public void changed() {
    if (on) {
      thread.call();
    }
  }

  private Duration sweep() {
    if (!on) {
      return Duration.ZERO;
    }
    long began = System.nanoTime();
    try {
      long number = inForce.number();
      ForbiddenConnections forbidden = inForce.forbidden();
      if (forbidden.isEmpty()) {
        return Duration.ZERO;
      }
      cut(number, forbidden);
      said = "";
      Duration rest = Duration.ofNanos(SHARE * (System.nanoTime() - began));
      return rest.compareTo(LEAST_REST) < 0
          ? LEAST_REST
          : rest.compareTo(MOST_REST) < 0 ? rest : MOST_REST;
    } catch (KernelException | TimeoutException e) {
      String why = String.valueOf(e.getMessage());
      if (!why.equals(said)) {
        log.warn("connections that policies forbid are not cut", "why", why);
        said = why;
      }
      thread.call();
      return AFTER_FAILURE;
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
      return Duration.ZERO;
    }
  }

  private void cut(long number, ForbiddenConnections forbidden) throws KernelException {
    try (ConntrackSocket conntrack = ConntrackSocket.open(namespace)) {
      List<ConntrackEntry> found = find(conntrack, forbidden);
      int cut = 0;
      Optional<KernelException> failure = Optional.empty();
      for (int from = 0; from < found.size(); from += PIECE) {
        if (!on || inForce.number() != number) {
          break; // whoever changed it has called
        }
        List<ConntrackEntry> piece = found.subList(from, Math.min(found.size(), from + PIECE));
        List<Outcome> outcomes = conntrack.delete(piece);
        for (int i = 0; i < outcomes.size(); i++) {
          if (outcomes.get(i) == Outcome.DONE) {
            cut++;
            log.debug("connection cut", "connection", piece.get(i).original());
          } else if (outcomes.get(i) instanceof Outcome.Failed(KernelException why)) {
            failure = Optional.of(why);
          }
        }
      }
      if (cut > 0) {
        metrics.policyConnectionsCut.inc(cut);
        log.info("connections cut that policies forbid", "count", cut);
      }
      if (found.size() == MOST) {
        thread.call();
      }
      if (failure.isPresent()) {
        throw failure.get();
      }
    }
  }

  private List<ConntrackEntry> find(ConntrackSocket conntrack, ForbiddenConnections forbidden)
      throws KernelException {
    Set<Ip> own = new HashSet<>();
    try (RouteSocket routes = RouteSocket.open(namespace, Buffers.SMALL)) {
      routes.addresses().forEach(address -> own.add(address.address().ip()));
    }
    List<ConntrackEntry> found = new ArrayList<>();
    conntrack.list(
        ConntrackFilter.ALL,
        entry -> {
          if (found.size() < MOST
              && forbidden.contains(entry, ip -> ip.isLoopback() || own.contains(ip))) {
            found.add(entry);
          }
        });
    metrics.connectionListings.inc();
    return found;
  }

  @Override
  public synchronized void close() throws InterruptedException {
    on = false;
    thread.close();
  }
}
