package dev.sund.agent.drops;

import dev.sund.agent.PolicyMetrics;
import dev.sund.agent.apply.ApplyLoop;
import dev.sund.agent.drops.DropTally.Standing;
import dev.sund.agent.local.Answer;
import dev.sund.agent.log.Log;
import dev.sund.dataplane.nft.PolicyDrops;
import dev.sund.dataplane.nft.PolicyDrops.Count;
import dev.sund.engine.DropNames;
import dev.sund.engine.DropStory;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.NetNs;
import dev.sund.kernel.nflog.PacketLog;
import dev.sund.model.Marks;
import dev.sund.model.PodKey;
import dev.sund.model.Reason;
import dev.sund.model.RuleId;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * Answers {@code sund drops}: {@code {"command":"DROPS"}} with {@code {"counters":[...],
 * "events":[...], "last":N, "log":{...}}}. {@code "after":N} asks for events behind that number
 * only, {@code "wait":MILLIS} waits for the first of them, and {@code "counters":false} leaves the
 * counters alone.
 *
 * <p>The log is read by a thread of its own, from when policies are in force ({@link
 * #policiesInForce}) or from the first question on: without policies nothing is dropped that
 * somebody waits to hear of. Any thread; the kernel is asked on platform threads.
 */
public final class DropWatch implements AutoCloseable {
  private static final String FORM = "1.0.0";
  private static final int FAILED = 5;
  private static final int NOT_NOW = 11;
  private static final int KEPT = 512;
  private static final int HEADERS = 128;
  private static final Duration PATIENCE = Duration.ofSeconds(5);
  private static final Duration LONGEST_WAIT = Duration.ofSeconds(25);
  private static final Duration AFTER_TROUBLE = Duration.ofSeconds(30);

  private final NetNs namespace;
  private final ApplyLoop loop;
  private final PolicyMetrics metrics;
  private final Log log;
  private final DropRing ring = new DropRing(KEPT);
  private final DropTally tally = new DropTally();
  private @Nullable PacketLog reading;
  private Optional<Instant> since = Optional.empty();
  private volatile boolean isReading;
  private final AtomicBoolean beginning = new AtomicBoolean();
  private final CountDownLatch ending = new CountDownLatch(1);
  private volatile String trouble = "";
  private volatile long nextTry = Long.MIN_VALUE;
  private boolean closed;

  /** A counter with what it is about. */
  private record Named(Count count, String kind, String name, List<RuleId> isolating) {}

  /**
   * A watch that reads nothing yet.
   *
   * @param namespace the node's
   * @param loop knows the program
   */
  public DropWatch(NetNs namespace, ApplyLoop loop, PolicyMetrics metrics, Log log) {
    this.namespace = namespace;
    this.loop = loop;
    this.metrics = metrics;
    this.log = log;
  }

  /**
   * The kernel has policies: the log is to be read from now on, and if that cannot be, it is tried
   * again until it can. Never waits; from any thread.
   */
  public void policiesInForce() {
    if (!isReading && beginning.compareAndSet(false, true)) {
      Thread.ofPlatform()
          .name(Marks.THREAD_PREFIX + "drops-begin")
          .daemon(true)
          .inheritInheritableThreadLocals(false)
          .start(this::begin);
    }
  }

  private void begin() {
    try {
      do {
        listen();
      } while (!isReading && !ending.await(AFTER_TROUBLE.toMillis(), TimeUnit.MILLISECONDS));
    } catch (InterruptedException _) {
      // nobody interrupts this thread but the end of the process
    } finally {
      beginning.set(false);
    }
  }

  /** Reads the log from now on. Nothing when it does; on a platform thread. */
  private synchronized void listen() {
    if (reading != null || closed || System.nanoTime() - nextTry < 0 && nextTry != Long.MIN_VALUE) {
      return;
    }
    try {
      tally.begin(PolicyDrops.read(namespace));
      PacketLog opened = PacketLog.open(namespace, Marks.DROP_LOG_GROUP, HEADERS);
      reading = opened;
      isReading = true;
      since = Optional.of(Instant.now().truncatedTo(ChronoUnit.MILLIS));
      trouble = "";
      opened.start(
          Marks.THREAD_PREFIX + "drops",
          new DropReader(namespace, loop, ring, tally, this::failed, log));
    } catch (KernelException e) {
      failed(String.valueOf(e.getMessage()));
    }
  }

  private void failed(String why) {
    if (!why.equals(trouble)) {
      log.warn(
          "the log of dropped packets cannot be read; they are counted all the same",
          "why",
          why,
          "remedy",
          "let no other program read nflog group " + Marks.DROP_LOG_GROUP);
    }
    trouble = why;
    nextTry = System.nanoTime() + AFTER_TROUBLE.toNanos();
  }

  /** Answers {@code sund drops}. */
  public Answer answer(Map<String, Object> request) throws InterruptedException {
    try {
      return Answer.success(onPlatformThread(() -> report(request)));
    } catch (ExecutionException e) {
      if (e.getCause() instanceof TimeoutException) {
        return Answer.error(
            FORM, NOT_NOW, "The agent is busy.", "Ask again; look at sund status if it stays so.");
      }
      return Answer.error(
          FORM,
          FAILED,
          "The counters of dropped packets cannot be read: " + e.getCause() + ".",
          "Look at the agent's log.");
    }
  }

  /** Brings the metrics up to date with the kernel's counters. */
  public void measure() throws InterruptedException {
    try {
      onPlatformThread(() -> {
        List<Named> named = counters();
        List<PolicyMetrics.Drops> drops = new ArrayList<>();
        merged(named)
            .forEach((labels, packets) ->
                drops.add(
                    new PolicyMetrics.Drops(
                        labels.get(0), labels.get(1), labels.get(2), labels.get(3), packets)));
        metrics.drops(drops);
        Standing standing = tally.standing();
        metrics.log(standing.told(), standing.untold(), standing.lost());
        return Map.<String, Object>of();
      });
    } catch (ExecutionException e) {
      log.debug("drops are not measured", "why", String.valueOf(e.getCause()));
    }
  }

  /** By pod, whatever its addresses: the labels of a metric must be there once. */
  private static Map<List<String>, Long> merged(List<Named> named) {
    Map<List<String>, Long> merged = new LinkedHashMap<>();
    for (Named one : named) {
      boolean pod = one.kind().equals(DropStory.Kind.POD.label());
      PodKey key = pod ? PodKey.parse(one.name()) : new PodKey("-", one.name());
      merged.merge(
          List.of(
              pod ? key.namespace() : "",
              key.name(),
              one.count().direction().label(),
              one.count().reason()),
          one.count().packets(),
          Long::sum);
    }
    return merged;
  }

  private Map<String, Object> report(Map<String, Object> request)
      throws KernelException, InterruptedException, TimeoutException {
    listen();
    Map<String, Object> report = new LinkedHashMap<>();
    boolean counters = !Boolean.FALSE.equals(request.get("counters"));
    long after = request.get("after") instanceof Long number ? number : 0;
    long wait = request.get("wait") instanceof Long millis ? Math.max(0, millis) : 0;
    List<DropEvent> events =
        ring.after(after, Duration.ofMillis(Math.min(wait, LONGEST_WAIT.toMillis())));
    if (counters) {
      report.put("counters", counters().stream().map(DropWatch::fields).toList());
    }
    report.put("events", events.stream().map(DropEvent::fields).toList());
    report.put("last", events.isEmpty() ? Math.min(after, ring.last()) : events.getLast().number());
    report.put("log", logFields());
    return report;
  }

  private synchronized Map<String, Object> logFields() {
    Standing standing = tally.standing();
    Map<String, Object> fields = new LinkedHashMap<>();
    since.ifPresent(time -> fields.put("since", time.toString()));
    fields.put("told", standing.told());
    fields.put("untold", standing.untold());
    fields.put("lost", standing.lost());
    if (!trouble.isEmpty()) {
      fields.put("trouble", trouble);
    }
    return fields;
  }

  /** The kernel's counters as they are now, with names. */
  private List<Named> counters() throws KernelException, InterruptedException, TimeoutException {
    List<Count> counts = PolicyDrops.read(namespace);
    tally.see(counts);
    if (counts.isEmpty()) {
      return List.of();
    }
    List<Named> named =
        new ArrayList<>(
            loop.ask(
                compiler -> {
                  DropNames names = compiler.drops();
                  return counts.stream().map(count -> named(names, count)).toList();
                },
                PATIENCE));
    named.sort((one, other) -> {
      int byPackets = Long.compare(other.count().packets(), one.count().packets());
      return byPackets == 0 ? one.count().key().compareTo(other.count().key()) : byPackets;
    });
    return named;
  }

  private static Named named(DropNames names, Count count) {
    if (count.pod().isPresent()) {
      DropStory.Party pod = names.party(count.pod().get());
      return new Named(
          count,
          pod.kind().label(),
          pod.name(),
          names.isolating(count.pod().get(), count.direction()));
    }
    Optional<DropNames.Holder> holder = names.behind(count.device());
    return new Named(
        count,
        holder.map(DropNames.Holder::kind).orElse(DropStory.Kind.ADDRESS).label(),
        holder.map(DropNames.Holder::name).orElse(count.device()),
        count.reason().equals(Reason.POLICY_UNSEEN.code())
            ? names.isolating(count.device())
            : List.of());
  }

  private static Map<String, Object> fields(Named one) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("kind", one.kind());
    fields.put("pod", one.name());
    one.count().pod().ifPresent(ip -> fields.put("address", ip.toString()));
    if (!one.count().device().isEmpty()) {
      fields.put("device", one.count().device());
    }
    fields.put("direction", one.count().direction().label());
    fields.put("reason", one.count().reason());
    fields.put("packets", one.count().packets());
    fields.put("bytes", one.count().bytes());
    fields.put("policies", DropEvent.names(one.isolating()));
    return fields;
  }

  /** What asks the kernel. */
  private interface Question {
    Map<String, Object> ask() throws Exception;
  }

  /** Waits in the kernel are no matter of virtual threads. */
  private static Map<String, Object> onPlatformThread(Question question)
      throws InterruptedException, ExecutionException {
    FutureTask<Map<String, Object>> asking = new FutureTask<>(question::ask);
    Thread thread =
        Thread.ofPlatform().name(Marks.THREAD_PREFIX + "drops-asked").daemon(true).start(asking);
    try {
      return asking.get();
    } catch (InterruptedException e) {
      thread.interrupt();
      throw e;
    }
  }

  /** Reads the log no more; the kernel goes on counting. */
  @Override
  public void close() {
    PacketLog open;
    ending.countDown();
    synchronized (this) {
      closed = true;
      open = reading;
      reading = null;
    }
    if (open != null) {
      open.close();
    }
  }
}
