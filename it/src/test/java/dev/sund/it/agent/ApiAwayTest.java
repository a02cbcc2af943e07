package dev.sund.it.agent;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.agent.local.Answer;
import dev.sund.cli.StatusCommand;
import dev.sund.it.agent.AgentScene.PodHandle;
import dev.sund.kube.tree.JsonText;
import dev.sund.kube.tree.Tree;
import dev.sund.lab.api.Resource;
import dev.sund.model.Family;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** What agents need the API server for, and what they do without it. */
@Tag("netns")
@Timeout(180)
class ApiAwayTest {
  private static final Duration LIMIT = Duration.ofSeconds(30);

  @TempDir private Path directory;

  @Test
  void podsKeepTheirNetworkAndWhatIsKnownCanBeAddedWhileTheApiServerIsAway() throws Exception {
    try (AgentScene scene = AgentScene.build(directory)) {
      scene.startAgent(1);
      scene.startAgent(2);
      scene.awaitReady(1, LIMIT);
      scene.awaitReady(2, LIMIT);
      PodHandle a = scene.addPod("a", 1);
      PodHandle b = scene.addPod("b", 2);
      scene.await("n1 says that its network is there", LIMIT, () -> networkIsThere(scene));

      List<String> well = status(scene);
      assertThat(well).hasSize(10);
      assertThat(well.get(0)).isEqualTo("node       n1: 192.168.1.11, fd00:192:168:1::11");
      assertThat(well.get(1)).startsWith("agent      ready, version ");
      assertThat(well.get(2)).startsWith("API        192.168.1.254:6443 answers since ");
      assertThat(well.get(3))
          .startsWith("pods       1 with a network, MTU 1450 (v4), 1430 (v6); eth0 1500; ");
      assertThat(well.get(4))
          .startsWith("program    ")
          .contains("sund-vxlan4", "to 2 peers", "; 0 Services, ");
      assertThat(well.get(5)).startsWith("addresses  10.244.1.0/24 1 of ");
      assertThat(well.get(9)).isEqualTo("open       nothing");

      PodHandle late = scene.makePod("late", 1);
      scene.announce(late);
      scene.awaitTold(late, LIMIT);
      scene.stopApi();
      scene.await("the loss is told", LIMIT, () -> scene.metric(1, "sund_api_reachable") == 0);
      assertThat(scene.get(1, "/readyz")).startsWith("HTTP/1.1 200");
      List<String> away = status(scene);
      assertThat(away.get(1)).startsWith("agent      ready");
      assertThat(away.get(2)).startsWith("API        away since ");
      assertThat(away.get(9)).contains("APIServer", "[api-unreachable]");
      assertThat(scene.reaches(a, b, Family.V4)).isTrue();
      scene.run(scene.node(1), "ip", "route", "del", "10.244.2.0/24");
      scene.await(
          "drift is repaired",
          LIMIT,
          () -> scene.run(scene.node(1), "ip", "route").contains("10.244.2.0/24"));
      scene.await(
          "the repair is told", LIMIT, () -> status(scene).get(6).equals("repaired   1 in routes"));

      Answer added = scene.ask(late, "ADD");
      assertThat(added.exitCode()).as(added.json()).isZero();
      assertThat(scene.reaches(late, a, Family.V6)).isTrue();
      assertThat(scene.ask(late, "DEL").exitCode()).isZero();

      scene.kill(1);
      scene.startAgent(1);
      scene.await("the agent answers", LIMIT, () -> !scene.get(1, "/readyz").isEmpty());
      assertThat(scene.get(1, "/readyz")).startsWith("HTTP/1.1 503");
      Answer early = scene.ask(scene.makePod("early", 1), "ADD");
      assertThat(early.exitCode()).isNotZero();
      assertThat(early.json()).contains("\"code\":11");
      assertThat(scene.reaches(a, b, Family.V4)).as("nothing is swept").isTrue();

      scene.resumeApi();
      scene.awaitReady(1, LIMIT);
      assertThat(scene.reaches(a, b, Family.V6)).isTrue();
    }
  }

  /** What {@code sund status} prints of n1. */
  private static List<String> status(AgentScene scene) {
    StringWriter out = new StringWriter();
    new CommandLine(new StatusCommand())
        .setOut(new PrintWriter(out, true))
        .execute("--run-dir", scene.runDir(1).toString());
    return out.toString().lines().toList();
  }

  private static boolean networkIsThere(AgentScene scene) {
    Tree.Mapping node = scene.api().get(Resource.NODES, "n1").orElseThrow();
    return JsonText.of(node)
        .contains(
            "{\"type\":\"NetworkUnavailable\",\"status\":\"False\",\"reason\":\"SundIsReady\"");
  }
}
