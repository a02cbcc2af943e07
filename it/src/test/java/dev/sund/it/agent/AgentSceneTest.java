package dev.sund.it.agent;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.it.agent.AgentScene.PodHandle;
import dev.sund.model.Family;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Tag("netns")
@Timeout(120)
class AgentSceneTest {
  @TempDir private Path directory;

  @Test
  void podsOfThreeNodesReachEachOtherInBothFamilies() throws Exception {
    try (AgentScene scene = AgentScene.build(directory)) {
      scene.startAll();
      PodHandle a = scene.addPod("a", 1);
      PodHandle b = scene.addPod("b", 1);
      PodHandle c = scene.addPod("c", 2);
      PodHandle d = scene.addPod("d", 3);
      for (PodHandle to : new PodHandle[] {b, c, d}) {
        for (Family family : Family.values()) {
          assertThat(scene.reaches(a, to, family)).as("a to %s %s", to.key(), family).isTrue();
        }
      }
      assertThat(scene.ask(a, "CHECK").exitCode()).isZero();
      scene.removePod(b);
    }
  }
}
