package dev.sund.lab;

import dev.sund.engine.ProgramCompiler;
import dev.sund.engine.cluster.ClusterEvent;
import dev.sund.kube.object.Kinds;
import dev.sund.kube.tree.Tree;
import dev.sund.lab.scene.Scene;
import dev.sund.model.Condition;
import java.util.ArrayList;
import java.util.List;

/** What the compiler says of a scene before anything is built. */
final class SceneCheck {
  private SceneCheck() {}

  /** What is wrong with the objects taken together, such as two pods with one address. */
  static List<Condition> errors(Scene scene) {
    List<ClusterEvent> events = new ArrayList<>();
    for (Tree.Mapping object : scene.objects()) {
      Kinds.of(object.text("apiVersion").orElse(""), object.text("kind").orElse(""))
          .flatMap(kind -> kind.ref(object).flatMap(ref -> kind.parse(ref, object).value()))
          .ifPresent(events::add);
    }
    scene.nodes().forEach(node -> events.add(new ClusterEvent.NodeSeen(node.node())));
    scene.pods().forEach(pod -> events.add(new ClusterEvent.PodSeen(pod.pod())));
    events.add(new ClusterEvent.Synced());
    ProgramCompiler compiler = new ProgramCompiler(scene.nodes().getFirst().name(), scene.fabric());
    return compiler.apply(events).conditions();
  }
}
