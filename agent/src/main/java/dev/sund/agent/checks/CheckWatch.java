package dev.sund.agent.checks;

import dev.sund.agent.checks.CheckRounds.Open;
import dev.sund.agent.checks.CheckRounds.Standing;
import dev.sund.agent.checks.CheckRounds.Unread;
import dev.sund.agent.log.Log;
import dev.sund.doctor.Blind;
import dev.sund.doctor.Catalogue;
import dev.sund.doctor.Check;
import dev.sund.doctor.Examination;
import dev.sund.doctor.Facts;
import dev.sund.doctor.Host;
import dev.sund.doctor.Severity;
import dev.sund.doctor.UnreadException;
import dev.sund.doctor.WholeFile;
import dev.sund.doctor.live.LiveFacts;
import dev.sund.kernel.NetNs;
import dev.sund.model.Marks;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/**
 * Runs the doctor's checks now and then. They read and change nothing; what they find is said and
 * never makes the agent less ready. One platform thread, {@code sund-doctor}; between two runs
 * nothing is held but the findings.
 *
 * <p>The first run is some time after the start, and none begins while the kernel is brought to a
 * new program: pods that wait need the processor more.
 */
public final class CheckWatch implements AutoCloseable {
  /** Of each run so long counters are watched, unless the period is shorter than twice of it. */
  private static final Duration WINDOW = Duration.ofSeconds(10);

  private static final Duration FIRST = Duration.ofSeconds(30);
  private static final Duration WHILE_BUSY = Duration.ofSeconds(5);

  /** With more connections than this the node's table is not read through by an agent. */
  private static final long MANY_CONNECTIONS = 250_000;

  private static final String CONNECTIONS = "proc/sys/net/netfilter/nf_conntrack_count";

  private final Means means;
  private final CheckOptions options;
  private final Log log;
  private final CheckRounds rounds;
  private final CountDownLatch ending = new CountDownLatch(1);
  private final Thread thread =
      Thread.ofPlatform()
          .daemon()
          .name(Marks.THREAD_PREFIX + "doctor")
          .inheritInheritableThreadLocals(false)
          .unstarted(this::follow);
  private final Set<String> told = new HashSet<>();

  /** For how long this run has watched counters so far. */
  private long rested;

  private volatile Standing standing = Standing.NONE;
  private volatile String ran = "";
  private volatile double seconds;

  /**
   * What it works with.
   *
   * @param namespace the node's network
   * @param elsewhere whether this process is in another network than that
   * @param quiet whether nobody waits for the processor; else it is asked again in a moment
   */
  public record Means(
      NetNs namespace, boolean elsewhere, BooleanSupplier quiet, CheckMetrics metrics, Log log) {}

  private CheckWatch(Means means, CheckOptions options, List<Check<?>> checks) {
    this.means = means;
    this.options = options;
    this.log = means.log();
    this.rounds = new CheckRounds(checks);
  }

  /** Begins. */
  public static CheckWatch start(Means means, CheckOptions options) {
    CheckWatch watch = new CheckWatch(means, options, Catalogue.node());
    watch.thread.start();
    return watch;
  }

  /** What was found in the last run, as conditions are reported; without notes. */
  public List<Map<String, Object>> conditions() {
    List<Map<String, Object>> found = new ArrayList<>();
    for (Open one : standing.open()) {
      if (one.severity() != Severity.NOTE) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("reason", one.check());
        fields.put("severity", one.severity().label());
        fields.put("object", Map.of("kind", "check", "name", one.check()));
        fields.put("field", one.object());
        fields.put("text", one.text());
        fields.put("remedy", one.remedy());
        found.add(fields);
      }
    }
    return found;
  }

  /** For {@code sund status}. From any thread. */
  public Map<String, Object> report() {
    Standing now = standing;
    Map<String, Object> findings = new LinkedHashMap<>();
    for (Severity severity : Severity.values()) {
      findings.put(
          severity.label(), now.open().stream().filter(one -> one.severity() == severity).count());
    }
    List<Object> unread = new ArrayList<>();
    for (Unread one : now.unread()) {
      Map<String, Object> fields = new LinkedHashMap<>();
      fields.put("check", one.check());
      fields.put("why", one.why());
      fields.put("remedy", one.remedy());
      unread.add(fields);
    }
    Map<String, Object> report = new LinkedHashMap<>();
    report.put("period", options.period().toSeconds());
    report.put("ran", ran);
    report.put("seconds", Math.round(seconds * 1_000) / 1_000.0);
    report.put("checks", now.checks());
    report.put("findings", findings);
    report.put("unread", unread);
    return report;
  }

  @Override
  public void close() throws InterruptedException {
    ending.countDown();
    thread.join(Duration.ofSeconds(5));
  }

  private void follow() {
    try {
      Duration period = options.period();
      Duration pause = jittered(period.compareTo(FIRST) < 0 ? period : FIRST);
      while (!ends(pause)) {
        if (means.quiet().getAsBoolean()) {
          look();
          pause = jittered(period);
        } else {
          pause = period.compareTo(WHILE_BUSY) < 0 ? period : WHILE_BUSY;
        }
      }
    } catch (InterruptedException _) {
      // the agent ends
    } catch (RuntimeException e) {
      log.error("the doctor's checks run no more", "error", e);
    }
  }

  private boolean ends(Duration pause) throws InterruptedException {
    return ending.await(pause.toMillis(), TimeUnit.MILLISECONDS);
  }

  /** A tenth more or less, so that not all nodes of a cluster look in the same moment. */
  private static Duration jittered(Duration time) {
    long millis = time.toMillis();
    return Duration.ofMillis(
        millis + ThreadLocalRandom.current().nextLong(-millis / 10, millis / 10 + 1));
  }

  private void look() throws InterruptedException {
    Duration window = options.period().dividedBy(2);
    window = window.compareTo(WINDOW) < 0 ? window : WINDOW;
    long begun = System.nanoTime();
    rested = 0;
    Standing now = rounds.take(Examination.of(host(window), rounds.next()));
    seconds = (System.nanoTime() - begun - rested) / 1e9;
    means.metrics().ran(now, seconds);
    tell(now);
    ran = Instant.now().truncatedTo(ChronoUnit.SECONDS).toString();
    standing = now; // who sees it there finds it in the metrics and in the log too
  }

  private Host host(Duration window) {
    Path root = options.hostRoot();
    LiveFacts live = LiveFacts.of(root, means.namespace());
    Set<Blind> blind = new HashSet<>(Blind.here(root));
    if (means.elsewhere()) {
      blind.add(Blind.NETWORK);
    }
    return new Host(root, window, this::rest, live.with(Facts.CONNECTIONS, this::few), blind);
  }

  /** The window of a run; an agent that ends does not wait for it. */
  private void rest(Duration time) throws InterruptedException {
    long begun = System.nanoTime();
    if (ends(time)) {
      throw new InterruptedException();
    }
    rested += System.nanoTime() - begun;
  }

  /** The connections, unless there are so many that counting them costs too much. */
  private String few(String fact) throws UnreadException {
    try {
      Path file = Path.of("/").resolve(CONNECTIONS);
      long count = Long.parseLong(WholeFile.text(file).strip());
      if (count > MANY_CONNECTIONS) {
        throw new UnreadException(
            "%,d connections are more than an agent counts through".formatted(count),
            "Run sund doctor --only conntrack-talkers,conntrack-timeouts on the node.");
      }
    } catch (IOException | NumberFormatException e) {
      log.debug("connections cannot be counted before they are read", "error", e.getMessage());
    }
    return LiveFacts.of(options.hostRoot(), means.namespace()).tell(fact);
  }

  /** Says in the log what is new, and what is mended, once. */
  private void tell(Standing now) {
    Set<String> keys = new HashSet<>();
    for (Open one : now.open()) {
      keys.add(one.key());
      if (told.add(one.key()) && one.severity() != Severity.NOTE) {
        log.warn(
            "the doctor finds",
            "check",
            one.check(),
            "severity",
            one.severity().label(),
            "object",
            one.object(),
            "text",
            one.text(),
            "remedy",
            one.remedy());
      }
    }
    for (Unread one : now.unread()) {
      String key = one.check() + " unread";
      keys.add(key);
      if (told.add(key)) {
        log.info("the doctor could not read", "check", one.check(), "why", one.why());
      }
    }
    told.removeIf(key -> {
      boolean gone = !keys.contains(key);
      if (gone) {
        log.info("the doctor finds no more", "what", key);
      }
      return gone;
    });
  }
}
