package dev.sund.lab;

import dev.sund.agent.local.Json;
import dev.sund.agent.trace.KnownCluster;
import dev.sund.engine.trace.Packet;
import dev.sund.engine.trace.Packet.FromNode;
import dev.sund.engine.trace.Packet.FromOutside;
import dev.sund.engine.trace.Packet.FromPod;
import dev.sund.engine.trace.PathTracer;
import dev.sund.engine.trace.Trace;
import dev.sund.kernel.KernelException;
import dev.sund.lab.offline.LiveProbe;
import dev.sund.lab.offline.LiveText;
import dev.sund.lab.offline.OfflineCluster;
import dev.sund.lab.offline.PolicyOpening;
import dev.sund.lab.offline.TraceJson;
import dev.sund.lab.offline.TraceText;
import dev.sund.lab.scene.Scene.SceneNode;
import dev.sund.lab.scene.Scene.ScenePod;
import dev.sund.model.NodeName;
import dev.sund.model.PodKey;
import java.io.IOException;
import java.io.PrintStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * {@code sund lab trace}: packets over the programs that are in the nodes' kernels, and where these
 * differ, over those that are wanted; and what would let one through that policies stop. With
 * {@code --live}, real packets besides, seen by the agents of all nodes on their way.
 */
final class LabTrace {
  /** As {@code sund trace} says it. */
  private static final int KERNEL_DIFFERS = 4;

  private static final Duration PATIENCE = Duration.ofSeconds(1);

  private final LabCluster cluster;

  LabTrace(LabCluster cluster) {
    this.cluster = cluster;
  }

  /** Prints what becomes of the packets, as JSON or as text; whether it is what is wanted. */
  boolean print(Collection<Packet> packets, boolean json, PrintStream out) throws KernelException {
    ClusterPrograms programs = cluster.programs();
    PathTracer inForce = new PathTracer(programs.inForce(), cluster.topology().underlay());
    PathTracer wanted = new PathTracer(programs.wanted(), cluster.topology().underlay());
    Openings openings = new Openings();
    List<Trace> now = packets.stream().map(inForce::trace).toList();
    List<Trace> should = packets.stream().map(wanted::trace).toList();
    if (json) {
      out.printf(
          "{\"inForce\":%s,\"wanted\":%s,\"drift\":%s}%n",
          json(now, List.of(), openings),
          json(should, List.of(), openings),
          Json.write(programs.drift()));
    }
    boolean same = true;
    for (int i = 0; i < now.size(); i++) {
      boolean asWanted = isSame(now.get(i), should.get(i));
      same &= asWanted;
      if (!json) {
        print(now.get(i), should.get(i), asWanted, openings, out);
      }
    }
    if (!json) {
      programs.drift().forEach(drift -> out.println("drift: " + drift));
    }
    return same;
  }

  private static boolean isSame(Trace one, Trace other) {
    return one.path().equals(other.path()) && one.outcome() == other.outcome();
  }

  private static void print(
      Trace now, Trace should, boolean asWanted, Openings openings, PrintStream out) {
    out.print(TraceText.of(now));
    if (!asWanted) {
      out.println("as wanted:");
      out.print(TraceText.of(should));
    } else {
      openings.of(should).ifPresent(change -> out.print(TraceText.change(change)));
    }
  }

  /**
   * What would let packets through that policies stop. The cluster is asked for when the first one
   * is stopped, and once: all of it comes from an agent.
   */
  private final class Openings {
    private boolean asked;
    private Optional<OfflineCluster> known = Optional.empty();

    Optional<String> of(Trace trace) {
      if (trace.blocked().isEmpty()) {
        return Optional.empty();
      }
      if (!asked) {
        asked = true;
        known = known();
      }
      return known.flatMap(cluster -> PolicyOpening.of(cluster, trace));
    }
  }

  private static String json(List<Trace> traces, List<LiveProbe.Story> stories, Openings openings) {
    return TraceJson.of(traces, openings::of, stories, LabTrace::later, List.of());
  }

  /** What shows of a node without an agent what it does. */
  private static String later(NodeName node) {
    return "sund lab trace --live, when the agent of %s runs".formatted(node);
  }

  /**
   * Sends the packets and prints what the kernels did with them.
   *
   * @return an exit code of {@code sund trace}
   */
  int live(Collection<Packet> packets, boolean json, PrintStream out)
      throws IOException, InterruptedException {
    List<LiveProbe.Story> stories = new ArrayList<>();
    List<Trace> traces = new ArrayList<>();
    boolean differs = false;
    boolean between = false;
    boolean answered = true;
    for (Packet packet : packets) {
      NodeName sender = sender(packet.origin());
      Optional<PodKey> pod =
          packet.origin() instanceof FromPod(PodKey key) ? Optional.of(key) : Optional.empty();
      LiveProbe.Story story =
          new LiveProbe((node, request) -> cluster.ask(node).ask(request), PATIENCE)
              .send(packet, sender, pod, cluster.topology().underlay(), () -> look(packet));
      stories.add(story);
      traces.addAll(story.view().traces());
      if (!json) {
        story.view().traces().forEach(trace -> out.print(TraceText.of(trace)));
        out.print(LiveText.of(story, LabTrace::later));
      }
      differs |= story.differs();
      between |= story.between() && !story.differences().isEmpty();
      answered &= story.view().traces().stream().allMatch(Trace::answered);
    }
    if (json) {
      out.println(json(traces, stories, new Openings()));
    }
    if (differs) {
      return KERNEL_DIFFERS;
    }
    return between ? Lab.COULD_NOT_RUN : answered ? Lab.AGREE : Lab.DIFFER;
  }

  private NodeName sender(Packet.Origin origin) {
    return switch (origin) {
      case FromPod(PodKey key) ->
          cluster.scene().pods().stream()
              .filter(pod -> pod.pod().key().equals(key))
              .map(ScenePod::node)
              .findFirst()
              .orElseThrow(() -> new IllegalArgumentException("no node has pod " + key));
      case FromNode(NodeName name) -> name;
      case FromOutside(var name) ->
          throw new IllegalArgumentException(
              "no agent can send as " + name + ": --live sends from a pod or a node");
    };
  }

  /** What is wanted of all kernels, and the numbers of the agents' programs. */
  private LiveProbe.View look(Packet packet) throws IOException {
    SortedMap<NodeName, Long> numbers = new TreeMap<>();
    for (SceneNode node : cluster.scene().nodes()) {
      if (!cluster.isDead(node.name())) {
        known(node).ifPresent(known -> numbers.put(node.name(), known.program()));
      }
    }
    PathTracer wanted = new PathTracer(cluster.programs().wanted(), cluster.topology().underlay());
    return new LiveProbe.View(wanted.traces(packet), numbers);
  }

  /** The cluster as the first agent knows it that answers. */
  private Optional<OfflineCluster> known() {
    for (SceneNode node : cluster.scene().nodes()) {
      Optional<KnownCluster> known = known(node);
      if (known.isPresent()) {
        return Optional.of(
            OfflineCluster.of(known.get(), cluster.topology().underlay(), List.of()));
      }
    }
    return Optional.empty();
  }

  private Optional<KnownCluster> known(SceneNode node) {
    try {
      return Optional.of(
          KnownCluster.of(LiveProbe.fields(cluster.ask(node.name()).ask(KnownCluster.question()))));
    } catch (IOException | Json.MalformedException _) {
      return Optional.empty(); // this one is dead; another knows the same
    }
  }
}
