package dev.sund.it.agent;

import dev.sund.it.agent.AgentScene.PodHandle;
import dev.sund.kernel.socket.Endpoint;
import dev.sund.lab.measure.Traffic.Flow;
import dev.sund.lab.measure.Traffic.Kind;
import dev.sund.model.Family;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** Flows by every way that a scene has. */
final class SceneFlows {
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private SceneFlows() {}

  /**
   * Attaches the pods a and b on n1, c on n2, d on n3, and waits until a reaches the others: on the
   * same node, routed, by tunnel. Each way gets a flow of each kind.
   */
  static List<Flow> everyWay(AgentScene scene) throws Exception {
    PodHandle a = scene.addPod("a", 1);
    List<PodHandle> others =
        List.of(scene.addPod("b", 1), scene.addPod("c", 2), scene.addPod("d", 3));
    // Each way carries each kind, the families by turns: both would be more than two cores bear.
    List<Flow> flows = new ArrayList<>();
    int port = 9000;
    for (Kind kind : Kind.OF_OWN_ENDS) {
      for (PodHandle to : others) {
        Family family = port % 2 == 0 ? Family.V4 : Family.V6;
        flows.add(
            new Flow(
                kind + " a to " + to.key().name() + " " + family,
                kind,
                a.netns(),
                to.netns(),
                new Endpoint(family == Family.V4 ? to.v4() : to.v6(), port++)));
      }
    }
    for (PodHandle to : others) {
      awaitReached(scene, a, to);
    }
    return flows;
  }

  /** Waits until a pod reaches another by both families. */
  static void awaitReached(AgentScene scene, PodHandle from, PodHandle to) throws Exception {
    for (Family family : Family.values()) {
      scene.await(
          from.key() + " reaches " + to.key() + " by " + family,
          PATIENCE,
          () -> scene.reaches(from, to, family));
    }
  }
}
