package dev.sund.agent.seen;

import dev.sund.agent.AgentMetrics;
import dev.sund.agent.log.Log;
import dev.sund.engine.policy.seen.Recorded;
import dev.sund.engine.policy.seen.Recording;
import dev.sund.engine.policy.seen.SeenLoss;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.NetNs;
import dev.sund.kernel.Sysctl;
import dev.sund.kernel.conntrack.ConntrackEntry;
import dev.sund.kernel.conntrack.ConntrackFilter;
import dev.sund.kernel.conntrack.ConntrackMonitor;
import dev.sund.kernel.conntrack.ConntrackSocket;
import dev.sund.kernel.netlink.Buffers;
import dev.sund.kernel.route.RouteSocket;
import dev.sund.model.Ip;
import dev.sund.model.Marks;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;

/**
 * Listens, adds up, and writes to disk: {@code sund-seen}, a platform thread that is there only
 * while something is recorded.
 *
 * <p>News gather in the socket for a moment and are read together, so a storm of connections wakes
 * this thread 20 times a second and no more. When the kernel had no room for them, its table is
 * read, where connections stay for a while after their end; so it is at the start, which finds what
 * began while no agent was there.
 */
final class SeenThread implements AutoCloseable {
  private static final Sysctl EVENTS = new Sysctl("net/netfilter/nf_conntrack_events");
  private static final Buffers ROOMY = new Buffers(128 << 10, 8 << 20, 32 << 10);
  private static final Duration IDLE = Duration.ofMillis(250);
  private static final Duration GATHER = Duration.ofMillis(50);
  private static final Duration ADD = Duration.ofSeconds(1);
  private static final Duration ADDRESSES = Duration.ofSeconds(10);
  private static final Duration LISTING = Duration.ofSeconds(10);
  private static final Duration WRITE_NEW_KINDS = Duration.ofSeconds(3);
  private static final Duration WRITE_ALL = Duration.ofMinutes(5);

  private final NetNs namespace;
  private final SeenState state;
  private final String node;
  private final Windows windows;
  private final Recording recording;
  private final SeenWork work;
  private final RawConnections raw = new RawConnections();
  private final InstantSource clock;
  private final AgentMetrics metrics;
  private final Log log;
  private final Thread thread;
  private final CompletableFuture<Optional<String>> opened = new CompletableFuture<>();
  private volatile boolean closing;
  private Set<Ip> own = Set.of();
  private long ownRead;
  private long added;
  private long listed;
  private boolean overrun;
  private long written;
  private long writtenKinds = -1;
  private String said = "";

  /** News of the kernel, taken as they are. */
  private final ConntrackMonitor.Sink sink =
      new ConntrackMonitor.Sink() {
        @Override
        public void began(ConntrackEntry entry) {
          raw.take(entry, true);
        }

        @Override
        public void overrun() {
          lose(SeenLoss.OVERRUN, 1);
          overrun = true;
        }

        @Override
        public void unreadable(String why) {
          lose(SeenLoss.UNREADABLE, 1);
          log.debug("news of a connection cannot be read", "why", why);
        }
      };

  SeenThread(
      ConnectionRecorder.Means means, SeenState state, Windows windows, Recording recording) {
    this.namespace = means.namespace();
    this.node = means.node();
    this.clock = means.clock();
    this.metrics = means.metrics();
    this.log = means.log();
    this.state = state;
    this.windows = windows;
    this.recording = recording;
    this.work = new SeenWork(recording, means.directory());
    this.thread =
        Thread.ofPlatform()
            .name(Marks.THREAD_PREFIX + "seen")
            .daemon(true)
            .inheritInheritableThreadLocals(false)
            .unstarted(this::run);
  }

  /** Starts it; completed when it listens, or with the reason why it does not. */
  CompletableFuture<Optional<String>> start() {
    thread.start();
    return opened;
  }

  /** How things stand; waits for what is being added. */
  Recorded recorded() {
    synchronized (recording) {
      return recording.recorded(node, windows.until(clock.instant()));
    }
  }

  private void run() {
    try (ConntrackMonitor monitor = ConntrackMonitor.open(namespace, ROOMY);
        ConntrackSocket table = ConntrackSocket.open(namespace);
        RouteSocket routes = RouteSocket.open(namespace, Buffers.SMALL)) {
      if (EVENTS.readInt(namespace).orElse(0) == 0) {
        throw new IllegalStateException(EVENTS + " is 0, or this kernel has no such setting");
      }
      state.write(recorded(), true); // from now on it goes on after a restart
      opened.complete(Optional.empty());
      overrun = true; // what began before is in the table
      while (!closing) {
        if (monitor.await(IDLE)) {
          Thread.sleep(GATHER);
          monitor.poll(sink);
        }
        look(table, routes);
      }
      monitor.poll(sink);
      add(true);
    } catch (IOException | RuntimeException e) {
      if (!opened.complete(Optional.of(String.valueOf(e.getMessage())))) {
        log.error("connections are recorded no more", "why", e);
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    } finally {
      if (opened.getNow(Optional.of("")).isEmpty()) {
        write(true);
      }
      metrics.recording.set(0);
    }
  }

  private void look(ConntrackSocket table, RouteSocket routes)
      throws KernelException, InterruptedException {
    long now = System.nanoTime();
    boolean list = overrun && (listed == 0 || now - listed > LISTING.toNanos());
    boolean due = now - added > ADD.toNanos() && (!raw.isEmpty() || work.isWaiting());
    if (list || due || raw.isFull()) {
      if (now - ownRead > ADDRESSES.toNanos() || ownRead == 0) {
        Set<Ip> found = new HashSet<>();
        routes.addresses().forEach(address -> found.add(address.address().ip()));
        own = found;
        ownRead = now;
      }
      add(true);
      if (list) {
        overrun = false;
        table.list(
            ConntrackFilter.ALL,
            entry -> {
              if (!entry.isDying()) {
                raw.take(entry, false);
              }
            });
        add(false);
        listed = System.nanoTime();
      }
      added = now;
    }
    metrics.recording.set(1);
    write(false);
  }

  private void add(boolean news) throws InterruptedException {
    long taken = raw.takeTaken();
    Map<RawConnections.Kind, RawConnections.Count> drained = raw.drain();
    long second = clock.instant().getEpochSecond();
    synchronized (recording) {
      lose(SeenLoss.FULL, raw.takeDropped());
      work.add(drained, news, own, second);
      metrics.seenFlows.set(recording.size());
    }
    if (news) {
      metrics.seenConnections.inc(taken);
    }
  }

  private void lose(SeenLoss what, long count) {
    if (count > 0) {
      synchronized (recording) {
        recording.lose(what, count);
      }
    }
  }

  /** Writes when there are new kinds, now and then for the counts, and at the end. */
  private void write(boolean end) {
    long now = System.nanoTime();
    long since = now - written;
    boolean first = writtenKinds < 0;
    boolean news = recording.kinds() != writtenKinds;
    if (!first
        && !end
        && since < WRITE_ALL.toNanos()
        && !(news && since > WRITE_NEW_KINDS.toNanos())) {
      return;
    }
    written = now;
    writtenKinds = recording.kinds();
    for (SeenLoss loss : SeenLoss.values()) {
      metrics.seenLost.labelValues(loss.label()).set((double) recording.lost(loss));
    }
    try {
      state.write(recorded(), true);
      said = "";
    } catch (IOException e) {
      String why = String.valueOf(e.getMessage());
      if (!why.equals(said)) {
        log.warn("what connections were seen cannot be written", "why", why);
        said = why;
      }
    }
  }

  /** When somebody looked: those of before, and the one that began with this thread. */
  static final class Windows {
    private static final int MOST = 64;
    private final List<Recorded.Window> before;
    private final Instant began;

    Windows(List<Recorded.Window> before, Instant began) {
      this.before = before.size() < MOST ? before : joined(before);
      this.began = began;
    }

    /**
     * The oldest are told as one: that there was a gap in it is forgotten, not that of late ones.
     */
    private static List<Recorded.Window> joined(List<Recorded.Window> windows) {
      int first = windows.size() - MOST + 2;
      List<Recorded.Window> kept = new ArrayList<>();
      kept.add(new Recorded.Window(windows.getFirst().from(), windows.get(first - 1).until()));
      kept.addAll(windows.subList(first, windows.size()));
      return kept;
    }

    List<Recorded.Window> until(Instant now) {
      List<Recorded.Window> all = new ArrayList<>(before);
      all.add(new Recorded.Window(seconds(began), seconds(now)));
      return all;
    }

    private static String seconds(Instant time) {
      return Instant.ofEpochSecond(time.getEpochSecond()).toString();
    }
  }

  /** Ends it; what was seen is on disk then. */
  @Override
  public void close() throws InterruptedException {
    closing = true;
    thread.join(Duration.ofSeconds(10));
  }
}
