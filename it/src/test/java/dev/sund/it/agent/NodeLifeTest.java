package dev.sund.it.agent;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.agent.cni.CniFiles;
import dev.sund.agent.local.Json;
import dev.sund.cli.CleanupCommand;
import dev.sund.cli.StatusCommand;
import dev.sund.it.agent.AgentScene.PodHandle;
import dev.sund.it.cni.Shim;
import dev.sund.kube.tree.JsonText;
import dev.sund.kube.tree.Tree;
import dev.sund.lab.api.Resource;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** A node from its agent's first start to its removal, as its container runtime sees it. */
@Tag("netns")
@Timeout(120)
class NodeLifeTest {
  private static final Duration LIMIT = Duration.ofSeconds(30);

  @TempDir private Path directory;

  @Test
  void theRuntimeIsToldWhenPodsMayComeAndNeverGetsHalfAPod() throws Exception {
    Path plugin = Shim.build(directory.resolve("built/sund-cni"));
    CniFiles files = new CniFiles(directory.resolve("net.d"), directory.resolve("bin"), plugin);
    Path conflist = files.confDir().resolve("10-sund.conflist");
    try (AgentScene scene = AgentScene.build(directory)) {
      Tree.Mapping node = AgentScene.nodeObject(1);
      Tree.Mapping spec = node.mapping("spec").orElseThrow();
      scene.api().put(node.with("spec", spec.without("podCIDR").without("podCIDRs")));
      scene.cni(files);
      scene.startAgent(1);
      scene.awaitReady(1, LIMIT);

      // The controller manager was started without --allocate-node-cidrs, or has not come to it.
      assertThat(status(scene))
          .contains(
              "Node n1: There is no pod range; pods of this node get no addresses from Sund. Let"
                  + " the controller manager give ranges (--allocate-node-cidrs --cluster-cidr), or"
                  + " set spec.podCIDRs. [node-without-pod-cidr]",
              "10-sund.conflist is not written");
      assertThat(conflist).doesNotExist();
      assertThat(nodeObject(scene)).doesNotContain("NetworkUnavailable");

      scene.api().put(node);
      scene.await("the conflist is there", LIMIT, () -> Files.exists(conflist));
      scene.await(
          "the node's network is there",
          LIMIT,
          () -> nodeObject(scene).contains("\"type\":\"NetworkUnavailable\",\"status\":\"False\""));
      Shim shim = new Shim(files.binDir().resolve("sund-cni"), scene.runDir(1));
      String config = config(conflist);
      PodHandle web = scene.makePod("web", 1);
      Shim.Ended added = shim.call(environment("ADD", web), config);
      assertThat(added.exitCode()).as(added.output()).isZero();
      assertThat(added.output()).contains("\"10.244.1.");

      // The machine was switched off: what the runtime reads is there, the agent is not.
      scene.kill(1);
      assertThat(conflist).as("stays when the agent ends").exists();
      PodHandle early = scene.makePod("early", 1);
      String before = links(scene);
      assertThatAgainLater(shim.call(environment("ADD", early), config), "Start the agent");
      scene.stopApi();
      scene.startAgent(1);
      scene.await("the agent answers", LIMIT, () -> !scene.get(1, "/readyz").isEmpty());
      assertThatAgainLater(
          shim.call(environment("ADD", early), config), "The runtime tries again by itself");
      assertThat(links(scene)).isEqualTo(before);
      assertThat(scene.run(early.netns(), "ip", "-o", "link").lines()).as("lo alone").hasSize(1);
      scene.resumeApi();
      scene.awaitReady(1, LIMIT);
      Shim.Ended retried = shim.call(environment("ADD", early), config);
      assertThat(retried.exitCode()).as(retried.output()).isZero();

      scene.terminate(1);
      String done =
          run(
              new CleanupCommand(),
              "--netns=" + scene.node(1).path(),
              "--state-dir=" + scene.stateDir(1),
              "--cni-conf-dir=" + files.confDir(),
              "--cni-bin-dir=" + files.binDir(),
              "--flannel-env=" + directory.resolve("subnet.env"));
      assertThat(done.lines().toList())
          .startsWith("remove conflist " + conflist)
          .contains("remove plugin " + files.binDir().resolve("sund-cni"));
      assertThat(conflist).doesNotExist();
      assertThat(links(scene)).doesNotContain(": sund");
    }
  }

  private static void assertThatAgainLater(Shim.Ended ended, String remedy) {
    assertThat(ended.exitCode()).isEqualTo(1);
    assertThat(ended.output()).contains("\"code\":11", remedy);
  }

  /** The plugin's configuration as a runtime makes it of the conflist. */
  private static String config(Path conflist) throws Exception {
    Map<String, Object> list = Json.object(Files.readAllBytes(conflist));
    Map<String, Object> plugin = Json.children(list, "plugins").getFirst();
    plugin.put("cniVersion", "1.0.0");
    plugin.put("name", list.get("name"));
    plugin.remove("capabilities");
    return Json.write(plugin);
  }

  private static Map<String, String> environment(String command, PodHandle pod) {
    Map<String, String> environment =
        Shim.environment(command, pod.containerId(), pod.netns().path().toString(), "eth0");
    environment.put(
        "CNI_ARGS",
        "IgnoreUnknown=1;K8S_POD_NAMESPACE=%s;K8S_POD_NAME=%s;K8S_POD_UID=uid-%s"
            .formatted(pod.key().namespace(), pod.key().name(), pod.key().name()));
    return environment;
  }

  private static String nodeObject(AgentScene scene) {
    return JsonText.of(scene.api().get(Resource.NODES, "n1").orElseThrow());
  }

  private static String links(AgentScene scene) throws Exception {
    return scene.run(scene.node(1), "ip", "-o", "link");
  }

  private static String status(AgentScene scene) {
    return run(new StatusCommand(), "--run-dir", scene.runDir(1).toString());
  }

  private static String run(Callable<Integer> command, String... arguments) {
    StringWriter out = new StringWriter();
    new CommandLine(command).setOut(new PrintWriter(out, true)).execute(arguments);
    return out.toString();
  }
}
