package dev.sund.lab.offline;

import dev.sund.agent.local.Answer;
import dev.sund.agent.local.Json;
import dev.sund.agent.trace.Expectation;
import dev.sund.agent.trace.Expectation.Part;
import dev.sund.agent.trace.ProbeRequest;
import dev.sund.agent.trace.ProbeResult;
import dev.sund.agent.trace.WatchRequest;
import dev.sund.agent.trace.WatchResult;
import dev.sund.dataplane.probe.ProbeFinding;
import dev.sund.dataplane.probe.WatchedPacket;
import dev.sund.engine.trace.Packet;
import dev.sund.engine.trace.Packet.FromPod;
import dev.sund.engine.trace.Trace;
import dev.sund.engine.trace.Underlay;
import dev.sund.model.Ip;
import dev.sund.model.NodeName;
import dev.sund.model.PodKey;
import dev.sund.model.Reason;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Real packets, sent by one node's agent and watched by the agents of all other nodes on their way
 * that can be asked, beside what a trace says of them.
 *
 * <p>A pod that was attached a moment ago, or a policy that was, is known to one agent sooner than
 * to another: a difference counts when it is found twice, a second apart, of programs that stayed
 * the same meanwhile.
 */
public final class LiveProbe {
  private static final int TRIES = 5;
  private static final Duration PAUSE = Duration.ofSeconds(1);
  private static final Duration KNOWN_WITHIN = Duration.ofSeconds(3);
  private static final Duration STEP = Duration.ofMillis(100);

  private final Agents agents;
  private final Duration patience;

  /** The agents that can be asked. */
  @FunctionalInterface
  public interface Agents {
    /**
     * Asks one.
     *
     * @throws IOException when none answers
     */
    Answer ask(NodeName node, Map<String, Object> request) throws IOException;
  }

  /**
   * What is known when a probe is sent.
   *
   * @param traces what becomes of the packet, whichever endpoint it gets
   * @param programs the nodes whose agents can be asked, and the numbers of their programs
   */
  public record View(List<Trace> traces, SortedMap<NodeName, Long> programs) {
    public View {
      programs = new TreeMap<>(programs);
    }
  }

  /** Looks anew at what is known. */
  @FunctionalInterface
  public interface Eye {
    /** What is known now. */
    View look() throws IOException;
  }

  /**
   * What became of a packet.
   *
   * @param view what was known
   * @param parts what each node's kernel did, the sender's first, then in the order of the way
   * @param unseen the other nodes on the way, whose kernels were not asked
   * @param differences where a kernel did something else than the program says, a sentence each
   * @param between whether the programs changed meanwhile, so that {@code differences} say nothing
   */
  public record Story(
      View view,
      List<Part> parts,
      List<NodeName> unseen,
      List<String> differences,
      boolean between) {
    public Story {
      parts = List.copyOf(parts);
      unseen = List.copyOf(unseen);
      differences = List.copyOf(differences);
    }

    /** Whether a kernel does something else than the program says. */
    public boolean differs() {
      return !between && !differences.isEmpty();
    }
  }

  /** An agent does not do what it is asked; with what to do. */
  public static final class RefusedException extends IOException {
    private static final long serialVersionUID = 1;

    private final String remedy;

    RefusedException(String message, String remedy) {
      super(message);
      this.remedy = remedy;
    }

    /** What to do. */
    public String remedy() {
      return remedy;
    }
  }

  /**
   * Probes.
   *
   * @param patience how long an answer is waited for
   */
  public LiveProbe(Agents agents, Duration patience) {
    this.agents = agents;
    this.patience = patience;
  }

  /**
   * Sends a packet.
   *
   * @param sender the node of its origin
   * @param pod which of its pods sends it; empty for the node itself
   * @throws IOException when an agent does not answer, or refuses
   */
  public Story send(
      Packet packet, NodeName sender, Optional<PodKey> pod, Underlay underlay, Eye eye)
      throws IOException, InterruptedException {
    for (int attempt = 1; ; attempt++) {
      View view = known(packet, eye);
      Story story = once(packet, sender, pod, underlay, view, attempt > 1);
      boolean sure = attempt > 1 && !story.between();
      if (story.differences().isEmpty() || sure || attempt == TRIES) {
        return story;
      }
      Thread.sleep(PAUSE);
    }
  }

  /** Waits for a moment until the sender is known to all that tell of it. */
  private static View known(Packet packet, Eye eye) throws IOException, InterruptedException {
    long end = System.nanoTime() + KNOWN_WITHIN.toNanos();
    View view = eye.look();
    while (isUnknown(view) && System.nanoTime() < end) {
      Thread.sleep(STEP);
      view = eye.look();
    }
    if (isUnknown(view)) {
      throw new RefusedException(
          "The agent has not heard of "
              + (packet.origin() instanceof FromPod(PodKey pod) ? "pod " + pod : packet.origin())
              + " from the API server yet, and so its program says nothing of this packet.",
          "Ask again in a moment; look at sund status when that goes on.");
    }
    return view;
  }

  private static boolean isUnknown(View view) {
    return view.traces().stream().allMatch(trace -> trace.outcome() == Reason.SENDER_UNKNOWN);
  }

  private Story once(
      Packet packet,
      NodeName sender,
      Optional<PodKey> pod,
      Underlay underlay,
      View view,
      boolean again)
      throws IOException {
    List<NodeName> watching = new ArrayList<>();
    List<NodeName> unseen = new ArrayList<>();
    for (NodeName node : nodes(view.traces(), underlay)) {
      if (!node.equals(sender)) {
        (watches(packet, view, node, again) ? watching : unseen).add(node);
      }
    }
    ProbeResult sent;
    SortedMap<NodeName, ProbeResult> seen = new TreeMap<>();
    try {
      sent = probe(packet, sender, pod, view, again);
    } finally {
      for (NodeName node : watching) {
        watched(node).ifPresent(result -> seen.put(node, result));
      }
    }
    boolean between = sent.between();
    List<Part> parts = new ArrayList<>();
    parts.add(new Part(sender, Expectation.of(view.traces(), sender), sent.finding()));
    for (NodeName node : watching) {
      ProbeResult result = seen.get(node);
      between |= result != null && result.between();
      parts.add(
          new Part(
              node,
              Expectation.of(view.traces(), node),
              result == null ? nothing(sent.finding()) : result.finding()));
    }
    return new Story(
        view,
        parts,
        unseen,
        watching.isEmpty() ? sent.differences() : Expectation.differences(parts),
        between);
  }

  /** The nodes on the ways there, in the order of the ways. */
  public static Set<NodeName> nodes(List<Trace> traces, Underlay underlay) {
    Set<NodeName> nodes = new LinkedHashSet<>();
    for (Trace trace : traces) {
      for (Trace.Hop hop : trace.there()) {
        underlay
            .host(hop.machine())
            .filter(host -> host.role() == Underlay.Role.NODE)
            .ifPresent(host -> nodes.add(new NodeName(host.name())));
      }
    }
    return nodes;
  }

  /** What is waited for on another node. */
  public static WatchRequest.Watched watched(Packet packet, List<Trace> traces, NodeName node) {
    Set<Ip> destinations = new LinkedHashSet<>(List.of(packet.destination()));
    traces.forEach(trace -> destinations.add(trace.destinationSeen()));
    return new WatchRequest.Watched(
        new WatchedPacket(
            packet.destination().family(), packet.protocol(), List.copyOf(destinations)),
        Expectation.of(traces, node));
  }

  private boolean watches(Packet packet, View view, NodeName node, boolean again)
      throws IOException {
    Long program = view.programs().get(node);
    if (program == null) {
      return false;
    }
    WatchRequest request =
        new WatchRequest(List.of(watched(packet, view.traces(), node)), again, program);
    Answer answer;
    try {
      answer = agents.ask(node, request.fields());
    } catch (RefusedException e) {
      throw e;
    } catch (IOException _) {
      return false; // it has ended meanwhile
    }
    return fields(answer).containsKey("watched");
  }

  private Optional<ProbeResult> watched(NodeName node) throws IOException {
    try {
      return WatchResult.of(fields(agents.ask(node, WatchRequest.question(true)))).seen().stream()
          .map(WatchResult.Seen::result)
          .findFirst();
    } catch (Json.MalformedException e) {
      throw notUnderstood(e);
    }
  }

  private ProbeResult probe(
      Packet packet, NodeName sender, Optional<PodKey> pod, View view, boolean again)
      throws IOException {
    ProbeRequest request =
        new ProbeRequest(
            pod,
            packet.destination(),
            packet.protocol(),
            packet.port(),
            patience,
            Expectation.of(view.traces(), sender),
            again,
            view.programs().getOrDefault(sender, 0L));
    try {
      return ProbeResult.of(fields(agents.ask(sender, request.fields())));
    } catch (Json.MalformedException e) {
      throw notUnderstood(e);
    }
  }

  /**
   * What an agent said.
   *
   * @throws RefusedException when it refuses
   */
  public static Map<String, Object> fields(Answer answer) throws RefusedException {
    try {
      Map<String, Object> fields = Json.object(answer.json().getBytes(StandardCharsets.UTF_8));
      if (answer.exitCode() != 0) {
        throw new RefusedException(
            String.valueOf(fields.get("msg")), String.valueOf(fields.get("details")));
      }
      return fields;
    } catch (Json.MalformedException e) {
      throw notUnderstood(e);
    }
  }

  /** An agent of another version. */
  public static RefusedException notUnderstood(Json.MalformedException e) {
    return new RefusedException(
        "The agent's answer is not understood: " + e.getMessage() + ".",
        "Use a sund of the agent's version.");
  }

  private static ProbeFinding nothing(ProbeFinding sent) {
    return new ProbeFinding(
        sent.flow(),
        ProbeFinding.Answer.ELSEWHERE,
        List.of(),
        List.of(),
        new ProbeFinding.NotSeen());
  }
}
