package dev.sund.agent.peers;

import dev.sund.agent.log.Log;
import dev.sund.kernel.NetNs;
import dev.sund.model.Condition;
import dev.sund.model.Ip;
import dev.sund.model.Marks;
import dev.sund.model.NodeName;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.Selector;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeoutException;

/**
 * Measures loss, round trip and jitter to a few other nodes, and answers those that measure this
 * one: at its own addresses, over each family that both have. One platform thread, {@code
 * sund-peers}; two small buffers and a few hundred bytes for each peer.
 *
 * <p>It changes nothing: its sockets end with the process, and nothing of the kernel's is kept.
 */
public final class PeerWatch implements AutoCloseable {
  /** How many questions a window has: a minute's, at one a second. */
  static final int PLACES = 60;

  private static final Duration PATIENCE = Duration.ofSeconds(1);

  /** How soon after a change of nodes the peers are chosen anew; and when that failed. */
  private static final Duration LOOK = Duration.ofSeconds(2);

  /** An address or a port that could not be had is tried again. */
  private static final Duration AGAIN = Duration.ofSeconds(10);

  private static final Ip[] NONE = {};

  private final Means means;
  private final PeerOptions options;
  private final Log log;
  private final long asker = ThreadLocalRandom.current().nextLong();
  private final ByteBuffer buffer = ByteBuffer.allocateDirect(2 * PeerMessage.LENGTH);
  private final Map<Ip, PeerEcho> echoes = new LinkedHashMap<>();
  private final Map<PeerLink.Way, PeerLink> links = new LinkedHashMap<>();
  private final Thread thread =
      Thread.ofPlatform()
          .daemon()
          .name(Marks.THREAD_PREFIX + "peers")
          .inheritInheritableThreadLocals(false)
          .unstarted(this::run);
  private final Selector selector;
  private Ip[] known = NONE;
  private volatile boolean changed = true;
  private volatile boolean closing;
  private volatile List<PeerLink> measured = List.of();
  private volatile String problem = "";
  private volatile long echoed;

  /** Tells of the cluster's nodes. */
  @FunctionalInterface
  public interface Nodes {
    /**
     * All of them; none while the cluster is not known.
     *
     * @throws TimeoutException when nobody has time to say
     */
    List<PeerNode> all() throws InterruptedException, TimeoutException;
  }

  /**
   * What it works with.
   *
   * @param self this node
   * @param namespace its network
   * @param nodes tells of the cluster
   */
  public record Means(NodeName self, NetNs namespace, Nodes nodes, Log log) {}

  private PeerWatch(Means means, PeerOptions options) throws IOException {
    this.means = means;
    this.options = options;
    this.log = means.log();
    this.selector = Selector.open();
  }

  /** Begins; opens its ports as soon as the node's addresses are known. */
  public static PeerWatch start(Means means, PeerOptions options) throws IOException {
    PeerWatch watch = new PeerWatch(means, options);
    watch.thread.start();
    return watch;
  }

  /** Nodes came, went or changed; from any thread, never waits. */
  public void nodesChanged() {
    changed = true;
  }

  /** Which ways are bad now. From any thread. */
  public List<Condition> conditions() {
    long now = System.nanoTime();
    List<Condition> found = new ArrayList<>();
    for (PeerLink link : measured) {
      PeerLink.Way way = link.way();
      options.limits().judge(way.peer(), way.remote(), link.figures(now)).ifPresent(found::add);
    }
    return found;
  }

  /** What was measured, for the metrics: each way once. From any thread. */
  void each(Told told) {
    long now = System.nanoTime();
    for (PeerLink link : measured) {
      told.tell(link.way().peer().text(), link.way().remote().family().label(), link.figures(now));
    }
  }

  /** Takes what was measured of a way. */
  @FunctionalInterface
  interface Told {
    void tell(String peer, String family, PeerFigures figures);
  }

  /** How many questions of others were answered so far. */
  long echoed() {
    return echoed;
  }

  /** For {@code sund status}: {@code port}, {@code problem}, {@code ways[]}. From any thread. */
  public Map<String, Object> report() {
    long now = System.nanoTime();
    List<Object> ways = new ArrayList<>();
    for (PeerLink link : measured) {
      PeerFigures figures = link.figures(now);
      Map<String, Object> way = new LinkedHashMap<>();
      way.put("node", link.way().peer().text());
      way.put("family", link.way().remote().family().label());
      way.put("address", link.way().remote().toString());
      way.put("state", figures.state());
      way.put("answered", figures.answered());
      way.put("lost", figures.lost());
      way.put("refused", figures.refused());
      way.put("lossPercent", rounded(100 * figures.lossRatio()));
      way.put("medianMillis", rounded(figures.median()));
      way.put("p99Millis", rounded(figures.p99()));
      way.put("jitterMillis", rounded(figures.jitter()));
      ways.add(way);
    }
    Map<String, Object> report = new LinkedHashMap<>();
    report.put("port", options.port());
    report.put("problem", problem);
    report.put("ways", ways);
    return report;
  }

  private static double rounded(double value) {
    return Math.round(value * 1_000) / 1_000.0;
  }

  @Override
  public void close() throws InterruptedException {
    closing = true;
    selector.wakeup();
    thread.join(Duration.ofSeconds(5));
  }

  private void run() {
    try {
      long look = System.nanoTime();
      while (!closing) {
        long now = System.nanoTime();
        if (now - look >= 0) {
          boolean chosen = !changed && problem.isEmpty() || choose();
          look = now + (chosen ? LOOK : AGAIN).toNanos();
        }
        long next = Math.min(look, ask(System.nanoTime()));
        long millis = Math.max(1, (next - System.nanoTime()) / 1_000_000);
        selector.select(
            key -> {
              switch (key.attachment()) {
                case PeerLink link -> link.take(buffer);
                case PeerEcho echo -> echoed += echo.answer(buffer, this::isNode, now);
                default -> throw new IllegalStateException("a key of somebody else's");
              }
            },
            millis);
      }
    } catch (InterruptedException _) {
      // nobody interrupts this thread but the end of the process
    } catch (IOException | RuntimeException e) {
      log.error("other nodes are measured no more", "error", e);
      problem = "ended by a fault: " + e;
    } finally {
      measured = List.of();
      end();
    }
  }

  private void end() {
    try (selector) {
      for (PeerLink link : links.values()) {
        link.close();
      }
      for (PeerEcho echo : echoes.values()) {
        echo.close();
      }
    } catch (IOException e) {
      log.debug("a socket could not be closed", "error", e.getMessage());
    }
  }

  /** Asks every peer whose time has come; when the next one's comes. */
  private long ask(long now) {
    long next = now + LOOK.toNanos();
    for (PeerLink link : links.values()) {
      if (now - link.due >= 0) {
        link.ask(buffer, System.nanoTime());
        // Not from now on: a thread that is late now and then must not drift.
        link.due += options.interval().toNanos();
        if (now - link.due >= 0) {
          link.due = now + options.interval().toNanos();
        }
      }
      next = Math.min(next, link.due);
    }
    return next;
  }

  private boolean isNode(Ip address) {
    return Arrays.binarySearch(known, address) >= 0;
  }

  /** Opens and closes what the cluster's nodes ask for; whether everything could be had. */
  private boolean choose() throws InterruptedException, IOException {
    changed = false;
    List<PeerNode> nodes;
    try {
      nodes = means.nodes().all();
    } catch (TimeoutException _) {
      changed = true;
      return true; // in a moment
    }
    Set<Ip> addresses = new HashSet<>();
    nodes.forEach(node -> addresses.addAll(node.every()));
    known = addresses.toArray(NONE);
    Arrays.sort(known);
    List<Ip> own =
        nodes.stream()
            .filter(node -> node.name().equals(means.self()))
            .findFirst()
            .map(PeerNode::addresses)
            .orElse(List.of());
    List<String> troubles = new ArrayList<>();
    listen(own, troubles);
    measure(wanted(nodes, own), troubles);
    selector.selectNow(_ -> {}); // lets go of what was closed
    String now = String.join("; ", troubles);
    if (!now.isEmpty() && !now.equals(problem)) {
      log.warn("other nodes cannot be measured in full", "why", now);
    }
    problem = now;
    return now.isEmpty();
  }

  private void listen(List<Ip> own, List<String> troubles) throws IOException {
    for (PeerEcho echo : List.copyOf(echoes.values())) {
      if (!own.contains(echo.address())) {
        echo.close();
        echoes.remove(echo.address());
      }
    }
    for (Ip address : own) {
      if (!echoes.containsKey(address)) {
        try {
          echoes.put(
              address,
              means.namespace().call(() -> PeerEcho.open(address, options.port(), selector)));
        } catch (IOException e) {
          troubles.add("UDP " + address + " port " + options.port() + ": " + e.getMessage());
        }
      }
    }
  }

  private List<PeerLink.Way> wanted(List<PeerNode> nodes, List<Ip> own) {
    List<NodeName> names = nodes.stream().map(PeerNode::name).toList();
    List<NodeName> chosen = PeerRing.of(means.self(), names, options.most());
    List<PeerLink.Way> ways = new ArrayList<>();
    for (PeerNode node : nodes) {
      if (chosen.contains(node.name())) {
        for (Ip local : own) {
          node.address(local.family())
              .ifPresent(remote -> ways.add(new PeerLink.Way(node.name(), local, remote)));
        }
      }
    }
    return ways;
  }

  private void measure(List<PeerLink.Way> wanted, List<String> troubles) throws IOException {
    for (PeerLink link : List.copyOf(links.values())) {
      if (!wanted.contains(link.way())) {
        link.close();
        links.remove(link.way());
      }
    }
    long now = System.nanoTime();
    for (PeerLink.Way way : wanted) {
      if (!links.containsKey(way)) {
        PeerWindow window = new PeerWindow(PLACES, PATIENCE.toNanos());
        try {
          PeerLink link =
              means
                  .namespace()
                  .call(() -> PeerLink.open(way, options.port(), asker, window, selector));
          // Each at its own time, so that neither this node nor a peer gets them in a bunch.
          link.due = now + ThreadLocalRandom.current().nextLong(options.interval().toNanos());
          links.put(way, link);
        } catch (IOException e) {
          troubles.add("from " + way.local() + " to " + way.remote() + ": " + e.getMessage());
        }
      }
    }
    measured =
        links.values().stream()
            .sorted(
                Comparator.comparing((PeerLink link) -> link.way().peer())
                    .thenComparing(link -> link.way().remote().family()))
            .toList();
  }
}
