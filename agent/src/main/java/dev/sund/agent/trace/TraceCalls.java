package dev.sund.agent.trace;

import dev.sund.agent.AgentMetrics;
import dev.sund.agent.apply.ApplyLoop;
import dev.sund.agent.local.Answer;
import dev.sund.agent.local.Json;
import dev.sund.agent.log.Log;
import dev.sund.dataplane.probe.KernelProbe;
import dev.sund.dataplane.probe.ProbeFinding;
import dev.sund.engine.FabricSettings;
import dev.sund.engine.LastWords;
import dev.sund.engine.ProgramCompiler;
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

  /** Whether a probe runs in this process: each of a node needs the one table for itself. */
  private static final Set<NodeName> PROBING = ConcurrentHashMap.newKeySet();

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
      LastWords words = loop.ask(ProgramCompiler::lastWords, PATIENCE);
      return Answer.success(new KnownCluster(node, fabric, words).fields());
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
    if (!PROBING.add(node)) {
      return Answer.error(
          FORM, NOT_NOW, "Another probe is under way on " + node + ".", "Ask again.");
    }
    try {
      ProbeFinding finding = onThread(request, sender.get());
      List<String> differences = request.expected().differences(finding);
      metrics.probes.labelValues(differences.isEmpty() ? "agrees" : "differs").inc();
      if (!differences.isEmpty()) {
        log.error(
            "the kernel does something else than the program",
            "reason",
            Reason.PROBE_DIFFERS.code(),
            "packet",
            finding.flow(),
            "what",
            differences);
      }
      return Answer.success(new ProbeResult(finding, differences).fields());
    } catch (ExecutionException e) {
      if (e.getCause() instanceof KernelException refused) {
        return Answer.error(
            FORM,
            INVALID,
            "The probe was not sent: " + refused.getMessage() + ".",
            "See the reason.");
      }
      throw new IllegalStateException("a probe failed", e.getCause());
    } finally {
      PROBING.remove(node);
    }
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
