package dev.sund.agent.trace;

import dev.sund.agent.AgentMetrics;
import dev.sund.agent.apply.ApplyLoop;
import dev.sund.agent.local.Answer;
import dev.sund.agent.local.Json;
import dev.sund.agent.log.Log;
import dev.sund.dataplane.probe.KernelProbe;
import dev.sund.dataplane.probe.ProbeFinding;
import dev.sund.engine.FabricSettings;
import dev.sund.engine.cluster.Attachment;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.NetNs;
import dev.sund.model.Marks;
import dev.sund.model.NodeName;
import dev.sund.model.PodKey;
import dev.sund.model.Protocol;
import dev.sund.model.Reason;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;

/** Answers {@code sund trace}. Any thread. */
public final class TraceCalls {
  private static final String FORM = "1.0.0";
  private static final int INVALID = 4;
  private static final int NOT_NOW = 11;

  /** The engine's thread answers between two batches. */
  private static final Duration PATIENCE = Duration.ofSeconds(10);

  /** How long it is waited for a kernel that does not hold the last program yet. */
  private static final Duration SETTLING = Duration.ofSeconds(2);

  private static final Duration STEP = Duration.ofMillis(5);
  private static final Duration LISTENING = Duration.ofSeconds(2);

  /** Whether a probe runs in this process: each of a node needs the one table for itself. */
  private static final Set<NodeName> PROBING = ConcurrentHashMap.newKeySet();

  /** Who watches in this process; until it is asked or somebody else needs the table. */
  private static final Map<NodeName, Watching> WATCHING = new ConcurrentHashMap<>();

  private final NodeName node;
  private final FabricSettings fabric;
  private final ApplyLoop loop;
  private final NetNs namespace;
  private final Supplier<Collection<Attachment>> attachments;
  private final AgentMetrics metrics;
  private final Log log;

  /**
   * For this agent.
   *
   * @param fabric what it has been told of the fabric
   * @param loop whose engine knows the cluster
   * @param namespace the node's
   * @param attachments its pods' now
   */
  public TraceCalls(
      NodeName node,
      FabricSettings fabric,
      ApplyLoop loop,
      NetNs namespace,
      Supplier<Collection<Attachment>> attachments,
      AgentMetrics metrics,
      Log log) {
    this.node = node;
    this.fabric = fabric;
    this.loop = loop;
    this.namespace = namespace;
    this.attachments = attachments;
    this.metrics = metrics;
    this.log = log;
  }

  /** The answer; errors are answers too. */
  public Answer answer(Map<String, Object> request) throws InterruptedException {
    return switch (String.valueOf(request.get("verb"))) {
      case "known" -> known();
      case "probe" -> probe(request);
      case "watch" -> watch(request);
      case "watched" -> watched(Boolean.TRUE.equals(request.get("last")));
      default ->
          Answer.error(
              FORM,
              INVALID,
              "verb '" + request.get("verb") + "' is not known.",
              "Use a sund of the agent's version.");
    };
  }

  private Answer known() throws InterruptedException {
    if (!loop.state().hold().isEmpty()) {
      return Answer.error(
          FORM,
          NOT_NOW,
          "The agent does not know the cluster yet: " + loop.state().hold().get(),
          "Look at sund status, or trace on files (-f).");
    }
    try {
      return Answer.success(
          loop.ask(
                  engine -> new KnownCluster(node, fabric, engine.lastWords(), loop.program()),
                  PATIENCE)
              .fields());
    } catch (TimeoutException _) {
      return Answer.error(FORM, NOT_NOW, "The engine did not answer in time.", "Ask again.");
    }
  }

  private Answer probe(Map<String, Object> fields) throws InterruptedException {
    ProbeRequest request;
    try {
      request = ProbeRequest.of(fields);
    } catch (Json.MalformedException e) {
      return Answer.error(
          FORM,
          INVALID,
          "The probe is " + e.getMessage() + ".",
          "Use the agent's version of sund.");
    }
    Optional<NetNs> sender = request.pod().map(this::of).orElse(Optional.of(namespace));
    if (sender.isEmpty()) {
      return Answer.error(
          FORM,
          INVALID,
          "Pod " + request.pod().get() + " is none of node " + node + "'s.",
          "Run sund trace --live on the pod's own node.");
    }
    boolean possible = request.protocol() == Protocol.TCP || request.protocol() == Protocol.UDP;
    if (!possible || request.port() == 0) {
      return Answer.error(
          FORM,
          INVALID,
          "A probe by " + request.protocol().label() + " is not possible.",
          "Probe a port by TCP or UDP: TO:PORT/tcp.");
    }
    return alone(() -> {
      settle();
      ProbeFinding finding = onThread(request, sender.get());
      return Answer.success(
          judged(request.expected(), finding, request.again(), request.program()).fields());
    });
  }

  /** Something to do that needs the table of probes. */
  @FunctionalInterface
  private interface WithTable {
    Answer answer() throws InterruptedException, ExecutionException, TimeoutException;
  }

  /** A watch that stands gives way; a probe does not. */
  private Answer alone(WithTable call) throws InterruptedException {
    if (!PROBING.add(node)) {
      return Answer.error(
          FORM, NOT_NOW, "Another probe is under way on " + node + ".", "Ask again.");
    }
    try {
      Watching former = WATCHING.remove(node);
      if (former != null) {
        endFormer(former);
      }
      return call.answer();
    } catch (TimeoutException _) {
      return Answer.error(FORM, NOT_NOW, "The kernel did not answer in time.", "Ask again.");
    } catch (ExecutionException e) {
      return refused(e);
    } finally {
      PROBING.remove(node);
    }
  }

  private static void endFormer(Watching former) throws InterruptedException {
    try {
      former.end();
    } catch (ExecutionException _) {
      // What the kernel refused it concerns its own asker.
    }
  }

  /** Waits for a moment until the kernel holds what is wanted; what it refuses it never will. */
  private void settle() throws InterruptedException {
    long end = System.nanoTime() + SETTLING.toNanos();
    while (!loop.isSettled() && System.nanoTime() < end) {
      Thread.sleep(STEP);
    }
  }

  /**
   * Compares, and reports a difference that is none of a passing state: one that was found before,
   * of the program that the agent still has.
   */
  private ProbeResult judged(
      Expectation expected, ProbeFinding finding, boolean again, long program) {
    List<String> differences = expected.differences(finding);
    boolean between = program != loop.program();
    if (differences.isEmpty()) {
      metrics.probes.labelValues("agrees").inc();
    } else if (again && !between) {
      metrics.probes.labelValues("differs").inc();
      log.error(
          "the kernel does something else than the program",
          "reason",
          Reason.PROBE_DIFFERS.code(),
          "packet",
          finding.flow(),
          "what",
          differences);
    }
    return new ProbeResult(finding, differences, between);
  }

  private Answer watch(Map<String, Object> fields) throws InterruptedException {
    WatchRequest request;
    try {
      request = WatchRequest.of(fields);
    } catch (Json.MalformedException e) {
      return Answer.error(
          FORM,
          INVALID,
          "The watch is " + e.getMessage() + ".",
          "Use the agent's version of sund.");
    }
    return alone(() -> {
      settle();
      WATCHING.put(node, Watching.start(request, namespace));
      return Answer.success(new WatchResult(false, List.of()).fields());
    });
  }

  private Answer watched(boolean last) throws InterruptedException {
    Watching watching = WATCHING.get(node);
    if (watching == null) {
      return Answer.error(
          FORM,
          NOT_NOW,
          "Agent " + node + " does not watch for a probe any more.",
          "Another probe has taken its place; ask again.");
    }
    try {
      Optional<List<Optional<ProbeFinding>>> found =
          last ? Optional.of(watching.end()) : watching.await(LISTENING);
      if (found.isEmpty()) {
        return Answer.success(new WatchResult(false, List.of()).fields());
      }
      WATCHING.remove(node, watching);
      List<WatchResult.Seen> seen = new ArrayList<>();
      for (int i = 0; i < found.get().size(); i++) {
        WatchRequest.Watched packet = watching.request().packets().get(i);
        if (found.get().get(i).isPresent()) {
          seen.add(
              new WatchResult.Seen(
                  i,
                  judged(
                      packet.expected(),
                      found.get().get(i).get(),
                      watching.request().again(),
                      watching.request().program())));
        }
      }
      return Answer.success(new WatchResult(true, seen).fields());
    } catch (ExecutionException e) {
      WATCHING.remove(node, watching);
      return refused(e);
    }
  }

  /** What the kernel refuses. */
  private static Answer refused(ExecutionException e) {
    if (e.getCause() instanceof KernelException refused) {
      return Answer.error(
          FORM,
          INVALID,
          "The kernel refuses the probe: " + refused.getMessage() + ".",
          "See the reason.");
    }
    throw new IllegalStateException("a probe failed", e.getCause());
  }

  private Optional<NetNs> of(PodKey pod) {
    return attachments.get().stream()
        .filter(one -> one.pod().equals(pod))
        .map(Attachment::netns)
        .filter(path -> !path.isEmpty())
        .map(path -> NetNs.at(Path.of(path)))
        .filter(NetNs::exists)
        .findFirst();
  }

  /** Namespaces are entered by platform threads alone. */
  private ProbeFinding onThread(ProbeRequest request, NetNs sender)
      throws InterruptedException, ExecutionException {
    Duration patience =
        request.patience().compareTo(ProbeRequest.LONGEST) < 0
            ? request.patience()
            : ProbeRequest.LONGEST;
    FutureTask<ProbeFinding> task =
        new FutureTask<>(() ->
            KernelProbe.send(
                namespace, sender, request.to(), request.protocol(), request.port(), patience));
    Thread.ofPlatform()
        .name(Marks.THREAD_PREFIX + "probe")
        .daemon(true)
        .inheritInheritableThreadLocals(false)
        .start(task);
    return task.get();
  }
}
