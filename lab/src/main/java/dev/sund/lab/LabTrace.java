package dev.sund.lab;

import dev.sund.agent.local.Answer;
import dev.sund.agent.local.Json;
import dev.sund.agent.trace.KnownCluster;
import dev.sund.engine.trace.Packet;
import dev.sund.engine.trace.PathTracer;
import dev.sund.engine.trace.Trace;
import dev.sund.kernel.KernelException;
import dev.sund.lab.offline.OfflineCluster;
import dev.sund.lab.offline.PolicyOpening;
import dev.sund.lab.offline.TraceText;
import dev.sund.lab.scene.Scene.SceneNode;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Collection;
import java.util.List;
import java.util.Optional;

/**
 * {@code sund lab trace}: packets over the programs that are in the nodes' kernels, and where these
 * differ, over those that are wanted; and what would let one through that policies stop.
 */
final class LabTrace {
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

  /** The cluster as the first agent knows it that answers. */
  private Optional<OfflineCluster> known() {
    for (SceneNode node : cluster.scene().nodes()) {
      try {
        Answer answer = cluster.ask(node.name()).ask(KnownCluster.question());
        if (answer.exitCode() == 0) {
          KnownCluster known =
              KnownCluster.of(Json.object(answer.json().getBytes(StandardCharsets.UTF_8)));
          return Optional.of(OfflineCluster.of(known, cluster.topology().underlay(), List.of()));
        }
      } catch (IOException | Json.MalformedException _) {
        // This one is dead; another knows the same.
      }
    }
    return Optional.empty();
  }
}
