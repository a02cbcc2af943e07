package dev.sund.agent.apply;

import dev.sund.agent.AgentMetrics;
import dev.sund.agent.apply.KernelSide.Progress;
import dev.sund.agent.log.Log;
import dev.sund.dataplane.ApplyReport;
import dev.sund.engine.program.Frontend;
import dev.sund.engine.program.LocalPod;
import dev.sund.engine.program.ProgramDelta;
import dev.sund.engine.program.Serving;
import dev.sund.kernel.KernelException;
import dev.sund.model.Condition;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/**
 * What the data plane's thread does and when: a machine without threads of its own, driven by
 * {@link #step}, so that tests drive it with simulated time. One thread.
 *
 * <p>The rules:
 *
 * <ul>
 *   <li>Before the kernel has been read nothing is changed; while a {@link Handover#hold} stands,
 *       only what follows from this node alone ({@link ProgramDelta#ofNodeAlone}). So a restarted
 *       agent removes nothing that it has not yet heard of.
 *   <li>Pods that come or go are served at once; a few other changes at most every {@link
 *       Timing#minimum}; many at once, a {@link Timing#slice} at a time, with a look at what came
 *       meanwhile in between.
 *   <li>What the kernel refused or deferred is tried again, less and less often.
 *   <li>A part that the kernel says has changed is read again after {@link Timing#settle} and
 *       repaired; all parts are, every {@link Timing#maximum}, or as much later as reading them
 *       takes a twentieth of the time. What can be known to be as it was left is passed over, but
 *       for each sixtieth time and when somebody asks.
 * </ul>
 */
final class ApplyCycle {
  private static final int LOGGED_REPAIRS = 20;

  /** How many changes are worth a cycle of their own at once. */
  private static final int MANY = 64;

  /**
   * How many changes are made at once when somebody waits for a pod: its own are among the first.
   */
  private static final int FEW = 16;

  /** Every how many readings nothing is passed over. */
  private static final int THOROUGH = 60;

  /** How much longer than a reading takes the time until the next one is. */
  private static final int REST = 20;

  private final KernelSide kernel;
  private final Tickets tickets;
  private final Timing timing;
  private final LongSupplier nanos;
  private final AgentMetrics metrics;
  private final Log log;
  private final Consumer<ApplyState> listener;

  private final Map<String, Handover.Coming> coming = new LinkedHashMap<>();
  private final Map<String, Handover.Going> going = new LinkedHashMap<>();

  /** By part, how many entries were found to differ and are not yet repaired. */
  private final Map<String, Integer> drift = new TreeMap<>();

  private final Set<String> dirty = new TreeSet<>();
  private final List<CompletableFuture<ApplyState>> rereads = new ArrayList<>();
  private String dirtyCause = "start";
  private long dirtyAt;
  private long readAllAt;
  private int readings;
  private final Set<String> open = new HashSet<>();
  private final HeldChanges held = new HeldChanges();
  private final Map<Frontend.Key, Serving> heldServing = new TreeMap<>();
  private long readRetryNanos;
  private boolean readOnce;
  private boolean sweeping;
  private boolean settledOnce;
  private boolean urgent;
  private int slice;
  private long notBefore;
  private long lastEnded;
  private long retryAt = Long.MAX_VALUE;
  private long retryNanos;
  private long number;
  private long applied;
  private Optional<String> hold = ApplyState.FIRST.hold();
  private List<Condition> engineConditions = List.of();

  ApplyCycle(
      KernelSide kernel,
      Tickets tickets,
      Timing timing,
      LongSupplier nanos,
      AgentMetrics metrics,
      Log log,
      Consumer<ApplyState> listener) {
    this.kernel = kernel;
    this.tickets = tickets;
    this.timing = timing;
    this.nanos = nanos;
    this.metrics = metrics;
    this.log = log;
    this.listener = listener;
    this.slice = timing.slice();
    this.lastEnded = nanos.getAsLong() - timing.minimum().toNanos();
    this.notBefore = nanos.getAsLong();
    this.readAllAt = nanos.getAsLong();
  }

  /** Takes a batch's outcome in; touches no kernel. */
  void take(Handover handover) {
    for (Handover.Coming pod : handover.attached()) {
      going.remove(pod.attachment().key());
      if (pod.wanted().isPresent()) {
        kernel.attached(pod.device(), pod.attachment());
        coming.put(pod.attachment().key(), pod);
        urgent = true;
      } else {
        tickets.settle(pod.attachment().key(), new AttachOutcome.Refused(pod.refusals()));
      }
    }
    for (Handover.Going pod : handover.detached()) {
      coming.remove(pod.attachmentKey());
      going.put(pod.attachmentKey(), pod);
      urgent = true;
    }
    if (!handover.tickets().isEmpty()) {
      open.addAll(handover.tickets());
      urgent = true;
    }
    if (handover.hold().isPresent()) {
      held.hold(handover.delta().ofCluster());
      ProgramDelta alone = handover.delta().ofNodeAlone();
      kernel.want(alone);
      Set<Frontend.Key> now = new HashSet<>();
      alone.frontends().forEach(change -> now.add(change.key()));
      alone.endpoints().forEach(change -> now.add(change.key().frontend()));
      for (Serving serving : handover.serving()) {
        if (now.contains(serving.frontend())) {
          kernel.serving(List.of(serving));
        } else {
          heldServing.put(serving.frontend(), serving);
        }
      }
    } else {
      kernel.want(held.release());
      kernel.want(handover.delta());
      kernel.serving(List.copyOf(heldServing.values()));
      heldServing.clear();
      kernel.serving(handover.serving());
    }
    if (!handover.delta().isEmpty()) {
      // What is new does not wait for the retry of what failed. A few changes are gathered for a
      // moment; of many, more come already while these are written.
      long gathered =
          kernel.pending() < MANY ? lastEnded + timing.minimum().toNanos() : nanos.getAsLong();
      notBefore = Math.min(notBefore, gathered);
    }
    handover.conntrack().ifPresent(kernel::connections);
    number = handover.number();
    engineConditions = handover.conditions();
    if (!hold.equals(handover.hold())) {
      handover
          .hold()
          .ifPresentOrElse(
              why -> log.info("the kernel stays as it is", "because", why),
              () -> log.info("the program is complete", "batch", number));
      hold = handover.hold();
      // What was read before it was known what is wanted says too little: read anew, at once.
      readOnce = false;
      readAllAt = nanos.getAsLong();
    }
    publish();
  }

  /** Some parts of the kernel are not as they were; {@code cause} goes to log and metric. */
  void dirty(Set<String> parts, String cause) {
    if (dirty.isEmpty()) {
      dirtyAt = nanos.getAsLong();
      dirtyCause = cause;
    }
    dirty.addAll(parts);
  }

  /** Reads everything again as soon as it may, and completes {@code ticket} when it is repaired. */
  void reread(CompletableFuture<ApplyState> ticket) {
    dirty(Set.copyOf(kernel.parts()), "asked");
    dirtyAt = Math.min(dirtyAt, nanos.getAsLong() - timing.settle().toNanos());
    rereads.add(ticket);
  }

  /**
   * Does what is due, at most one slice of it.
   *
   * @return when to call again, in the clock's nanoseconds; {@code Long.MAX_VALUE} when only a
   *     handover or an event of the kernel gives work
   */
  long step() {
    long now = nanos.getAsLong();
    if (now >= readAllAt) {
      dirty(Set.copyOf(kernel.parts()), readOnce ? "interval" : "start");
      dirtyAt = now - timing.settle().toNanos();
      readAllAt = now + timing.maximum().toNanos();
    }
    if (!dirty.isEmpty() && now - dirtyAt >= timing.settle().toNanos() && (!readOnce || free())) {
      read();
    }
    if (!readOnce) {
      return next();
    }
    if (hold.isPresent()) {
      if ((kernel.pending() > 0 || !open.isEmpty()) && (urgent || now >= notBefore)) {
        apply();
      }
      return next();
    }
    if (!sweeping) {
      sweeping = true;
      kernel.allowSweep();
    }
    if (now >= retryAt) {
      retryAt = Long.MAX_VALUE;
      kernel.retry();
    }
    if (kernel.pending() > 0
        ? urgent || now >= notBefore
        : urgent || !settledOnce || applied < number) {
      apply();
    }
    return next();
  }

  /** Whether what is pending would not be taken for drift. */
  private boolean free() {
    return hold.isEmpty() && kernel.pending() == 0;
  }

  private void read() {
    Set<String> parts = Set.copyOf(dirty);
    long began = nanos.getAsLong();
    try {
      if (!readOnce || !rereads.isEmpty() || ++readings % THOROUGH == 0) {
        kernel.resync(parts);
      } else {
        kernel.glance(parts);
      }
    } catch (KernelException e) {
      log.error("the kernel cannot be read", "error", e.getMessage());
      readRetryNanos = backOff(readRetryNanos);
      dirtyAt = nanos.getAsLong() + readRetryNanos - timing.settle().toNanos();
      return;
    }
    dirty.clear();
    readRetryNanos = 0;
    long ended = nanos.getAsLong();
    readAllAt = Math.max(readAllAt, ended + REST * (ended - began));
    metrics.resyncs.labelValues(dirtyCause).inc();
    if (readOnce && settledOnce) {
      for (String part : parts) {
        int found = kernel.pending(part);
        if (found > 0) {
          drift.merge(part, found, Integer::sum);
          log.warn("drift found", "table", part, "entries", found, "cause", dirtyCause);
          notBefore = nanos.getAsLong();
        }
      }
    }
    readOnce = true;
    publish();
  }

  private void apply() {
    long began = nanos.getAsLong();
    boolean bulk = !urgent;
    Map<String, ApplyReport> reports = kernel.apply(piece());
    lastEnded = nanos.getAsLong();
    if (bulk) {
      keepPace(lastEnded - began);
    }
    notBefore = lastEnded + timing.minimum().toNanos();
    urgent = false;
    metrics.applySeconds.observe((lastEnded - began) / 1e9);
    metrics.proxy.syncProxyRules.observe((lastEnded - began) / 1e9);
    reports.forEach(this::account);
    settleTickets();
    if (kernel.pending() > 0) {
      if (reports.values().stream().allMatch(report -> report.done().isEmpty())) {
        retryNanos = backOff(retryNanos); // busy objects: the kernel asks for patience
        notBefore = lastEnded + retryNanos;
      } else {
        notBefore = lastEnded; // the next slice, once news has been taken
      }
    } else {
      if (reports.values().stream().anyMatch(report -> !report.failed().isEmpty())) {
        retryNanos = backOff(retryNanos);
        retryAt = lastEnded + retryNanos;
      } else if (retryAt == Long.MAX_VALUE) {
        retryNanos = 0;
      }
      if (hold.isEmpty()) {
        applied = number;
        settledOnce = true;
      }
      drift.clear();
    }
    publish();
  }

  /**
   * How many changes to make now. All links of pods that wait are among them: their routes go first
   * among the routes, and a route without its link would fail.
   */
  private int piece() {
    return Math.max(urgent ? Math.min(FEW, slice) : slice, kernel.pending(DriftFilter.PODS));
  }

  /**
   * What one change costs the kernel depends on what it has: a route among ten thousand by one
   * device a hundred times as much as the first. So the next piece is measured by the last.
   */
  private void keepPace(long tookNanos) {
    if (tookNanos > timing.pace().toNanos()) {
      slice = Math.max(Math.min(FEW, timing.slice()), slice / 2);
    } else if (tookNanos < timing.pace().toNanos() / 2) {
      slice = Math.min(timing.slice(), slice * 2);
    }
  }

  /** Counts and tells what a driver did. */
  private void account(String part, ApplyReport report) {
    if (!report.done().isEmpty()) {
      metrics.changes.labelValues(part, "done").inc(report.done().size());
      log.debug("applied", "table", part, "done", report.done().size(), "batch", number);
    }
    if (!report.failed().isEmpty()) {
      metrics.changes.labelValues(part, "failed").inc(report.failed().size());
    }
    for (ApplyReport.Failure failure : report.failed()) {
      log.warn(
          "not applied",
          "object",
          failure.object(),
          "reason",
          failure.condition().reason().code(),
          "what",
          failure.condition().text(),
          "remedy",
          failure.condition().remedy());
    }
    Integer found = drift.get(part);
    if (found != null && !report.done().isEmpty()) {
      int repaired = Math.min(found, report.done().size());
      metrics.driftRepaired.labelValues(part).inc(repaired);
      drift.put(part, found - repaired);
      List<?> done = report.done();
      for (Object change : done.subList(0, Math.min(done.size(), LOGGED_REPAIRS))) {
        log.warn("drift repaired", "table", part, "change", change);
      }
      if (done.size() > LOGGED_REPAIRS) {
        log.warn("drift repaired", "table", part, "more", done.size() - LOGGED_REPAIRS);
      }
    }
  }

  private void settleTickets() {
    settleOpen();
    if (hold.isPresent()) {
      return; // what becomes of pods is not known
    }
    List<String> over = new ArrayList<>();
    for (Handover.Coming pod : coming.values()) {
      LocalPod wanted = pod.wanted().orElseThrow();
      String key = pod.attachment().key();
      switch (kernel.attachProgress(wanted)) {
        case Progress.Done() -> {
          over.add(key);
          log.info(
              "pod attached",
              "pod",
              wanted.pod(),
              "device",
              wanted.device(),
              "addresses",
              wanted.addresses());
          tickets.settle(key, new AttachOutcome.Done(Optional.of(wanted)));
        }
        case Progress.Failed(Condition condition) -> {
          over.add(key);
          tickets.settle(key, new AttachOutcome.Refused(List.of(condition)));
        }
        case Progress.Pending() -> {
          // the next slice, or a retry, or the asker's patience ends it
        }
      }
    }
    over.forEach(coming::remove);
    List<Handover.Going> gone = new ArrayList<>();
    for (Handover.Going pod : going.values()) {
      switch (pod.was().isEmpty() ? new Progress.Done() : kernel.detachProgress(pod.was().get())) {
        case Progress.Done() -> {
          gone.add(pod);
          pod.was().ifPresent(was -> kernel.detached(was.device()));
          pod.was()
              .ifPresent(was -> log.info("pod detached", "pod", was.pod(), "device", was.device()));
          tickets.settle(pod.attachmentKey(), new AttachOutcome.Done(pod.was()));
        }
        case Progress.Failed(Condition condition) -> {
          gone.add(pod);
          tickets.settle(pod.attachmentKey(), new AttachOutcome.Refused(List.of(condition)));
        }
        case Progress.Pending() -> {
          // as above
        }
      }
    }
    gone.forEach(pod -> going.remove(pod.attachmentKey()));
  }

  /** What concerns no pod: networks on bridges, containers' ports. */
  private void settleOpen() {
    if (open.isEmpty()) {
      return;
    }
    Optional<AttachOutcome> outcome =
        switch (kernel.translationProgress()) {
          case Progress.Done() -> Optional.of(new AttachOutcome.Done(Optional.empty()));
          case Progress.Failed(Condition condition) ->
              Optional.of(new AttachOutcome.Refused(List.of(condition)));
          case Progress.Pending() -> Optional.empty();
        };
    if (outcome.isPresent()) {
      open.forEach(ticket -> tickets.settle(ticket, outcome.get()));
      open.clear();
    }
  }

  private long next() {
    long next = readAllAt;
    if (!dirty.isEmpty() && (!readOnce || free())) {
      next = Math.min(next, dirtyAt + timing.settle().toNanos());
    }
    if (readOnce) {
      next = hold.isEmpty() ? Math.min(next, retryAt) : next;
      if (kernel.pending() > 0) {
        next = Math.min(next, urgent ? nanos.getAsLong() : notBefore);
      }
    }
    return next;
  }

  private void publish() {
    ApplyState now =
        new ApplyState(
            applied, hold, settledOnce, kernel.pending(), engineConditions, kernel.conditions());
    listener.accept(now);
    if (dirty.isEmpty() && now.pending() == 0) {
      rereads.forEach(ticket -> ticket.complete(now));
      rereads.clear();
    }
  }

  private long backOff(long before) {
    return before == 0
        ? timing.firstRetry().toNanos()
        : Math.min(2 * before, timing.lastRetry().toNanos());
  }
}
