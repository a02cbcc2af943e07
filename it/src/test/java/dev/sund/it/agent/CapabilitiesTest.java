package dev.sund.it.agent;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.it.agent.AgentScene.PodHandle;
import dev.sund.model.Family;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** An agent with the capabilities that it names, and with one too few. */
@Tag("netns")
@Timeout(180)
class CapabilitiesTest {
  @TempDir private Path directory;

  @Test
  void twoCapabilitiesAreEnoughForEverything() throws Exception {
    try (AgentScene scene = AgentScene.build(directory)) {
      scene.startAgent(1, "-all,+net_admin,+sys_admin");
      scene.awaitReady(1, Duration.ofSeconds(60));
      PodHandle a = scene.addPod("a", 1);
      PodHandle b = scene.addPod("b", 1);
      for (Family family : Family.values()) {
        assertThat(scene.reaches(a, b, family)).as("a to b by %s", family).isTrue();
      }
      scene.run(scene.node(1), "nft", "flush", "ruleset");
      scene.await(
          "the table is back",
          Duration.ofSeconds(60),
          () ->
              scene
                  .run(scene.node(1), "nft", "list", "tables")
                  .lines()
                  .anyMatch("table inet sund"::equals)); // that of policies cannot be flushed
      assertThat(scene.ask(a, "CHECK").exitCode()).isZero();
      scene.removePod(a);
      assertThat(scene.logText(1)).doesNotContain("Denied").doesNotContain("not applied");
    }
  }

  @Test
  void theOneThatIsMissingIsNamed() throws Exception {
    try (AgentScene scene = AgentScene.build(directory)) {
      Process withoutNetAdmin = scene.startAgent(1, "-all,+sys_admin");
      assertThat(withoutNetAdmin.waitFor(60, TimeUnit.SECONDS)).isTrue();
      assertThat(withoutNetAdmin.exitValue()).isNotZero();
      assertThat(scene.logText(1)).contains("CAP_NET_ADMIN").contains("capability-missing");
      Process withoutSysAdmin = scene.startAgent(2, "-all,+net_admin");
      assertThat(withoutSysAdmin.waitFor(60, TimeUnit.SECONDS)).isTrue();
      assertThat(scene.logText(2)).contains("CAP_SYS_ADMIN").contains("capability-missing");
    }
  }
}
