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
import dev.sund.lab.offline.TraceText;
import dev.sund.lab.scene.Scene.SceneNode;
import dev.sund.lab.scene.Scene.ScenePod;
import dev.sund.model.NodeName;
import dev.sund.model.PodKey;
import java.io.IOException;
import java.io.PrintStream;
import java.time.Duration;
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

  /** Prints what becomes of the packets; whether it is what is wanted. */
  boolean print(Collection<Packet> packets, PrintStream out) throws KernelException {
    ClusterPrograms programs = cluster.programs();
    PathTracer inForce = new PathTracer(programs.inForce(), cluster.topology().underlay());
    PathTracer wanted = new PathTracer(programs.wanted(), cluster.topology().underlay());
    boolean same = true;
    for (Packet packet : packets) {
      Trace now = inForce.trace(packet);
      out.print(TraceText.of(now));
      Trace should = wanted.trace(packet);
      if (!should.path().equals(now.path()) || should.outcome() != now.outcome()) {
        same = false;
        out.println("as wanted:");
        out.print(TraceText.of(should));
      } else if (now.blocked().isPresent()) {
        known()
            .flatMap(known -> PolicyOpening.of(known, should))
            .ifPresent(change -> out.print(TraceText.change(change)));
      }
    }
    programs.drift().forEach(drift -> out.println("drift: " + drift));
    return same;
  }

  /**
   * Sends the packets and prints what the kernels did with them.
   *
   * @return an exit code of {@code sund trace}
   */
  int live(Collection<Packet> packets, PrintStream out) throws IOException, InterruptedException {
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
      story.view().traces().forEach(trace -> out.print(TraceText.of(trace)));
      out.print(LiveText.of(story, node -> "sund lab trace --live, when its agent runs"));
      differs |= story.differs();
      between |= story.between() && !story.differences().isEmpty();
      answered &= story.view().traces().stream().allMatch(Trace::answered);
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
