package dev.sund.agent.apply;

import dev.sund.agent.AgentMetrics;
import dev.sund.agent.log.Log;
import dev.sund.agent.log.LogSink;
import dev.sund.engine.FlannelSubnet;
import dev.sund.engine.NodeSummary;
import dev.sund.engine.ProgramCompiler;
import dev.sund.engine.cluster.AddressNotice;
import dev.sund.engine.cluster.Attachment;
import dev.sund.engine.cluster.BridgedNetwork;
import dev.sund.engine.cluster.ClusterEvent;
import dev.sund.engine.cluster.MappedContainer;
import dev.sund.engine.cluster.PortOnBridge;
import dev.sund.kernel.NetNs;
import dev.sund.kube.enforced.NodePolicies.Generation;
import dev.sund.model.Marks;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * The agent's two writers: {@code sund-engine} compiles what comes out of the mailbox, {@code
 * sund-dataplane} brings the kernel to it. They share nothing but the handover.
 *
 * <p>Attach calls go the same way as everything else, by the mailbox; the callers wait with a
 * ticket. When a thread dies of a bug, {@link #health} says so, the kernel stays as it is, and
 * whoever watches the agent restarts it.
 */
public final class ApplyLoop implements AutoCloseable {
  /** How long the engine may take to say what policies forbid. */
  private static final Duration ANSWER = Duration.ofSeconds(5);

  private static final long IDLE_NANOS = 1_000_000_000L;

  /**
   * How many events are compiled at once: few enough that the data plane's thread begins with the
   * first of many while the others are compiled.
   */
  private static final int BATCH = 128;

  private final Mailbox mailbox;
  private final EngineStep engine;
  private final ApplyCycle cycle;
  private final Inbox inbox = new Inbox();
  private final Tickets tickets = new Tickets();
  private final AgentMetrics metrics;
  private final LogSink sink;
  private final Log log;
  private final Thread engineThread;
  private final Thread dataplaneThread;
  private final AtomicReference<ApplyState> state = new AtomicReference<>(ApplyState.FIRST);
  private final AtomicReference<Optional<String>> death = new AtomicReference<>(Optional.empty());
  private final ConcurrentLinkedQueue<FutureTask<?>> questions = new ConcurrentLinkedQueue<>();
  private final ProgramCompiler compiler;
  private final KernelLatency latency;
  private final PolicyProgress policies = new PolicyProgress();
  private volatile Runnable policiesListener = () -> {};
  private final PolicyLatency policyLatency;
  private volatile NodeSummary summary = NodeSummary.NONE;
  private volatile long handed;
  private volatile boolean closing;
  private volatile long engineBeat = System.nanoTime();
  private volatile long dataplaneBeat = System.nanoTime();

  /**
   * A loop that stands still until {@link #start}.
   *
   * @param mailbox where events come from
   * @param compiler for the engine's thread alone, from now on
   * @param kernel for the data plane's thread alone, from now on
   */
  public ApplyLoop(
      Mailbox mailbox,
      ProgramCompiler compiler,
      KernelSide kernel,
      Timing timing,
      AgentMetrics metrics,
      LogSink sink) {
    this.mailbox = mailbox;
    this.compiler = compiler;
    this.metrics = metrics;
    this.sink = sink;
    this.log = sink.log("apply");
    this.engine = new EngineStep(compiler, metrics, System::nanoTime);
    this.cycle =
        new ApplyCycle(kernel, tickets, timing, System::nanoTime, metrics, log, this::stands);
    this.latency = new KernelLatency(metrics.proxy, InstantSource.system());
    this.policyLatency =
        new PolicyLatency(metrics.policy.enforceSeconds::observe, System::nanoTime);
    this.engineThread = thread("engine", this::runEngine);
    this.dataplaneThread = thread("dataplane", this::runDataplane);
  }

  /**
   * Tells what flannel would tell of this node, whenever that changes. Before {@link #start}.
   *
   * @param listener called on the engine's thread
   */
  public void tellSubnets(Consumer<FlannelSubnet> listener) {
    engine.tellSubnets(listener);
  }

  /**
   * Tells what this node's object must say of its addresses, whenever that changes; empty when it
   * says so. Before {@link #start}.
   *
   * @param listener called on the engine's thread; must not wait
   */
  public void tellNotices(Consumer<Optional<AddressNotice>> listener) {
    engine.tellNotices(listener);
  }

  /**
   * What cuts connections that this loop's policies forbid, once it is asked to. Before {@link
   * #start}.
   */
  public StrictPolicies strict(NetNs namespace, Log strictLog) {
    StrictPolicies strict =
        new StrictPolicies(
            namespace,
            new StrictPolicies.InForce() {
              @Override
              public long number() {
                return policies.changed();
              }

              @Override
              public ForbiddenConnections forbidden()
                  throws InterruptedException, TimeoutException {
                return ask(
                    known -> ForbiddenConnections.of(known.policies(), known.localPods()), ANSWER);
              }
            },
            metrics,
            strictLog);
    tellPolicies(strict::changed);
    return strict;
  }

  /**
   * Tells when the kernel has other policies than before, also at first. Before {@link #start}.
   *
   * @param listener called on the data plane's thread; must not wait
   */
  public void tellPolicies(Runnable listener) {
    Runnable before = policiesListener;
    policiesListener =
        () -> {
          before.run();
          listener.run();
        };
  }

  /** Starts both threads. Not from inside a namespace: they belong to the caller's. */
  public void start() {
    engineThread.start();
    dataplaneThread.start();
  }

  /** Where events are put. */
  public Mailbox mailbox() {
    return mailbox;
  }

  /** Says that parts of the kernel changed, not by us. From any thread. */
  public void dirty(Set<String> parts, String cause) {
    inbox.dirty(parts, cause);
  }

  /**
   * Reads all of the kernel again, repairs it, and tells how things stand then; as they stand now
   * when that takes longer than the limit.
   */
  public ApplyState reread(Duration limit) throws InterruptedException {
    var ticket = inbox.reread();
    try {
      return ticket.get(limit.toNanos(), TimeUnit.NANOSECONDS);
    } catch (TimeoutException _) {
      return state.get();
    } catch (ExecutionException e) {
      throw new AssertionError("a ticket is never completed by an exception", e);
    }
  }

  /** How things stand. */
  public ApplyState state() {
    return state.get();
  }

  /** The number of the last program that was made; the kernel may not hold it yet. */
  public long program() {
    return handed;
  }

  /** Whether the kernel holds the last program that was made, as far as it takes it. */
  public boolean isSettled() {
    ApplyState now = state.get();
    return now.pending() == 0 && now.hold().isEmpty() && now.applied() >= handed;
  }

  /** The wanted program in a few numbers. */
  public NodeSummary summary() {
    return summary;
  }

  /**
   * Asks the engine something about what it knows, on its own thread, between two batches. The
   * question must be short: pods wait meanwhile.
   *
   * @throws TimeoutException when there is no answer in time
   */
  public <T> T ask(Function<ProgramCompiler, T> question, Duration limit)
      throws InterruptedException, TimeoutException {
    FutureTask<T> asked = new FutureTask<>(() -> question.apply(compiler));
    questions.add(asked);
    mailbox.wake();
    try {
      return asked.get(limit.toNanos(), TimeUnit.NANOSECONDS);
    } catch (ExecutionException e) {
      throw new IllegalStateException("a question about the program failed", e.getCause());
    } finally {
      questions.remove(asked);
    }
  }

  private void answer() {
    FutureTask<?> asked = questions.poll();
    while (asked != null) {
      asked.run();
      asked = questions.poll();
    }
  }

  private void stands(ApplyState now) {
    state.set(now);
    if (now.pending() == 0 && now.hold().isEmpty()) {
      latency.applied(now.applied());
      policies.applied(now.applied());
      if (policies.takeChange(now.applied())) {
        policiesListener.run();
      }
      policyLatency.applied(now.applied());
    }
  }

  /** Why the loop does not run, as a sentence; empty when it does. */
  public Optional<String> health() {
    if (death.get().isPresent()) {
      return death.get();
    }
    long now = System.nanoTime();
    long limit = Duration.ofSeconds(60).toNanos();
    if (now - engineBeat > limit) {
      return Optional.of("The engine's thread has not moved for a minute.");
    }
    if (now - dataplaneBeat > limit) {
      return Optional.of("The data plane's thread has not moved for a minute.");
    }
    return Optional.empty();
  }

  /** Attaches a pod and waits until the kernel holds its rules and routes. */
  public AttachOutcome attach(Attachment attachment, Duration limit) throws InterruptedException {
    var ticket = tickets.open(attachment.key());
    mailbox.put(new ClusterEvent.Attached(attachment));
    return tickets.await(attachment.key(), ticket, limit);
  }

  /** Detaches a pod and waits until the kernel holds nothing of it. */
  public AttachOutcome detach(String attachmentKey, Duration limit) throws InterruptedException {
    var ticket = tickets.open(attachmentKey);
    mailbox.put(new ClusterEvent.Detached(attachmentKey));
    return tickets.await(attachmentKey, ticket, limit);
  }

  /**
   * Says what of a network on a bridge is translated, and waits until the kernel's rules are so.
   */
  public AttachOutcome translate(BridgedNetwork network, Duration limit)
      throws InterruptedException {
    return enforce(event(network), limit);
  }

  /** Has a container's ports lead to it, and waits until the kernel's rules are so. */
  public AttachOutcome open(MappedContainer container, Duration limit) throws InterruptedException {
    return enforce(new ClusterEvent.PortsSeen(container), limit);
  }

  /** As {@link #open}, without waiting. */
  public void announce(MappedContainer container) {
    mailbox.put(new ClusterEvent.PortsSeen(container));
  }

  /** Has a container's ports lead nowhere, without waiting. */
  public void shut(String container) {
    mailbox.put(new ClusterEvent.PortsGone(container));
  }

  /** Has a container on a bridge judged, and waits until the kernel's rules are so. */
  public AttachOutcome join(PortOnBridge port, Duration limit) throws InterruptedException {
    return enforce(new ClusterEvent.BridgeJoined(port), limit);
  }

  /** As {@link #join}, without waiting. */
  public void announce(PortOnBridge port) {
    mailbox.put(new ClusterEvent.BridgeJoined(port));
  }

  /** A container is on its bridge no more; without waiting. */
  public void leave(String container) {
    mailbox.put(new ClusterEvent.BridgeLeft(container));
  }

  private AttachOutcome enforce(ClusterEvent event, Duration limit) throws InterruptedException {
    String key = ticket(event);
    var ticket = tickets.open(key);
    mailbox.put(event);
    return tickets.await(key, ticket, limit);
  }

  /** As {@link #translate}, without waiting. */
  public void announce(BridgedNetwork network) {
    mailbox.put(event(network));
  }

  private static ClusterEvent event(BridgedNetwork network) {
    return network.translated().isEmpty()
        ? new ClusterEvent.NetworkGone(network.name())
        : new ClusterEvent.NetworkSeen(network);
  }

  /** The ticket of what is no attachment; those begin with a container's id. */
  static String ticket(ClusterEvent event) {
    return "/" + event.key();
  }

  /** Ends both threads, after the kernel's transaction that is under way. Idempotent. */
  @Override
  public void close() throws InterruptedException {
    closing = true;
    mailbox.wake();
    inbox.wake();
    engineThread.interrupt(); // it may wait for room in the inbox; it makes no kernel calls
    if (engineThread.isAlive()) {
      engineThread.join(Duration.ofSeconds(10));
    }
    if (dataplaneThread.isAlive()) {
      dataplaneThread.join(Duration.ofSeconds(10));
    }
  }

  /** Up to which version of the API's each kind of policies is enforced. From any thread. */
  public Map<String, Long> enforcedPolicies() {
    ApplyState now = state.get();
    if (now.pending() == 0 && now.hold().isEmpty()) {
      policies.applied(now.applied()); // also what needed no change of the kernel
    }
    return policies.enforced();
  }

  /** The cluster's own policies that are enforced, by name. From any thread. */
  public Map<String, Generation> enforcedGenerations() {
    return policies.generations();
  }

  /** The cluster's own policies that there are, by name; the same map until they change. */
  public Map<String, Generation> clusterPolicies() {
    return policies.told();
  }

  private void runEngine() {
    try {
      while (!closing) {
        engineBeat = System.nanoTime();
        List<ClusterEvent> batch = mailbox.take(BATCH, IDLE_NANOS);
        metrics.mailboxEvents.set(mailbox.size());
        metrics.eventsCoalesced.inc(mailbox.takeCoalesced());
        latency.came(batch);
        long began = System.nanoTime();
        Optional<Handover> outcome = engine.compile(batch);
        if (outcome.isPresent()) {
          handed = outcome.get().number();
        }
        answer();
        if (!batch.isEmpty()) {
          summary = engine.summary();
        }
        policies.wanted(handed, batch);
        if (outcome.isPresent()) {
          if (outcome.get().delta().policy().size() > 0) {
            policies.changed(outcome.get().number());
            policyLatency.wanted(outcome.get().number(), began);
          }
          latency.wanted(outcome.get().number(), batch);
          inbox.put(outcome.get());
        } else {
          latency.held(batch);
        }
      }
    } catch (InterruptedException _) {
      // closing
    } catch (RuntimeException | Error e) {
      died("engine", e);
    }
  }

  private void runDataplane() {
    try {
      long next = System.nanoTime();
      while (!closing) {
        dataplaneBeat = System.nanoTime();
        long wait = next == Long.MAX_VALUE ? IDLE_NANOS : next - System.nanoTime();
        Inbox.Work work = inbox.take(Math.min(wait, IDLE_NANOS));
        if (closing) {
          return;
        }
        if (!work.dirty().isEmpty()) {
          cycle.dirty(work.dirty(), work.cause());
        }
        work.handover().ifPresent(cycle::take);
        work.rereads().forEach(cycle::reread);
        next = cycle.step();
        sink.flush();
      }
    } catch (InterruptedException _) {
      // closing
    } catch (RuntimeException | Error e) {
      died("dataplane", e);
    }
  }

  private void died(String thread, Throwable why) {
    StackTraceElement[] trace = why.getStackTrace();
    String text =
        "The "
            + thread
            + "'s thread ended by a fault of the program: "
            + why
            + (trace.length == 0 ? "" : " at " + trace[0])
            + ".";
    death.compareAndSet(Optional.empty(), Optional.of(text));
    log.error("a thread died", "thread", thread, "error", why, "at", List.of(trace));
  }

  private static Thread thread(String name, Runnable body) {
    return Thread.ofPlatform()
        .name(Marks.THREAD_PREFIX + name)
        .daemon(true)
        .inheritInheritableThreadLocals(false)
        .unstarted(body);
  }
}
