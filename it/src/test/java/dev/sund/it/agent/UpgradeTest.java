package dev.sund.it.agent;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.it.agent.AgentScene.PodHandle;
import dev.sund.lab.measure.Traffic;
import dev.sund.lab.measure.Traffic.Account;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Agents are replaced by those of the next version and by those of the version before, while
 * numbered packets flow on a node, routed between nodes and by tunnel.
 */
@Tag("netns")
@Timeout(300)
class UpgradeTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  @TempDir private Path directory;

  @Test
  void upAndDownByOneVersionLosesNothingAndTwoVersionsDownAreRefused() throws Exception {
    Path before = OtherSchema.build(-1, directory.resolve("before"));
    Path after = OtherSchema.build(+1, directory.resolve("after"));
    try (AgentScene scene = AgentScene.build(directory)) {
      scene.classesFirst(before);
      scene.startAll();
      List<Traffic.Flow> flows = SceneFlows.everyWay(scene);
      try (Traffic traffic = Traffic.start(flows)) {
        scene.classesFirst();
        replace(scene, 1); // for a while both versions work side by side
        newPodsReachAll(scene, "mixed");
        replace(scene, 2, 3);
        newPodsReachAll(scene, "up");
        scene.classesFirst(after);
        replace(scene, 1);
        scene.classesFirst(before);
        replace(scene, 2, 3);
        newPodsReachAll(scene, "down");

        scene.terminate(1);
        scene.classesFirst(before);
        Process refused = scene.startAgent(1);
        assertThat(refused.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isTrue();
        assertThat(refused.exitValue()).isNotZero();
        Path version = scene.stateDir(1).resolve("version");
        assertThat(scene.logText(1))
            .contains(
                "file "
                    + version
                    + ": The state needs an agent that knows schema version 2, this one knows"
                    + " versions up to 1. Start the newer agent again, or drain the node, move "
                    + scene.stateDir(1)
                    + " away and start this one. [state-unreadable]");
        assertThat(version).hasContent("2\n");
        assertThat(scene.stateDir(1).resolve("attachments")).isNotEmptyDirectory();
        scene.classesFirst();
        scene.startAgent(1);
        scene.awaitReady(1, PATIENCE);
        assertFlawless(scene, flows.size(), traffic.stop());
      }
      try (var files = Files.list(scene.stateDir(1).resolve("attachments"))) {
        assertThat(files).as("attachments of n1, kept by all its agents").hasSize(2 + 3);
      }
    }
  }

  private static void replace(AgentScene scene, int... nodes) throws Exception {
    for (int node : nodes) {
      scene.terminate(node);
      scene.startAgent(node);
    }
    for (int node : nodes) {
      scene.awaitReady(node, PATIENCE);
    }
  }

  /** A new pod on each node, which the pods of before and of all versions reach. */
  private static void newPodsReachAll(AgentScene scene, String name) throws Exception {
    for (int node = 1; node <= scene.nodes(); node++) {
      PodHandle pod = scene.addPod(name + node, node);
      SceneFlows.awaitReached(scene, scene.pod("a"), pod);
      SceneFlows.awaitReached(scene, pod, scene.pod("d"));
    }
  }

  private static void assertFlawless(AgentScene scene, int flows, List<Account> accounts)
      throws Exception {
    assertThat(accounts).hasSize(flows);
    assertThat(accounts.stream().filter(account -> !account.flawless()))
        .as(String.join("\n", scene.lastLines()))
        .isEmpty();
  }
}
