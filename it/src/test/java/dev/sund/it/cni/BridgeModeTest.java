package dev.sund.it.cni;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.agent.local.Json;
import dev.sund.agent.verify.NodeVerification;
import dev.sund.dataplane.Cleanup;
import dev.sund.engine.FabricSettings;
import dev.sund.engine.cluster.ClusterEvent;
import dev.sund.it.agent.AgentScene;
import dev.sund.it.cni.Shim.Ended;
import dev.sund.kernel.NetNs;
import dev.sund.model.NodeName;
import dev.sund.model.PodKey;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The article's network on a bridge, as written, with Sund's plugin installed as bridge. */
@Tag("netns")
@Timeout(120)
class BridgeModeTest {
  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final String NODE = "192.168.1.11";

  @TempDir private static Path directory;
  private static AgentScene scene;
  private static Shim bridge;

  /** A container's namespace. */
  private record Box(String id, NetNs netns) {}

  @BeforeAll
  static void build() throws Exception {
    scene = AgentScene.build(directory);
    bridge = new Shim(Shim.build(directory.resolve("bin/sund-cni")), scene.runDir(1)).as("bridge");
    scene.startAgent(1);
    scene.awaitReady(1, PATIENCE);
  }

  @AfterAll
  static void remove() throws Exception {
    scene.close();
  }

  @Test
  void theArticlesNetworkWorksAsWrittenAndOutlivesTheAgent() throws Exception {
    Map<String, Object> config = article();
    scene.run(scene.node(1), "sysctl", "-qw", "net.bridge.bridge-nf-call-iptables=0");
    Box one = box("b1");
    Box two = box("b2");
    Map<String, Object> result = add(one, config);
    add(two, config);
    NetNs elsewhere = scene.node(2);

    assertThat(Json.children(result, "ips").getFirst())
        .containsEntry("address", "10.1.0.2/16")
        .containsEntry("gateway", "10.1.0.1");
    assertThat(seenBy(elsewhere, "192.168.1.12", one)).as("ipMasq").isEqualTo(NODE);
    assertThat(seenBy(two.netns(), "10.1.0.3", one)).as("on the bridge").isEqualTo("10.1.0.2");
    assertThat(scene.run(scene.node(1), "bridge", "-d", "link", "show")).contains("hairpin on");
    assertThat(scene.client(1).ask(Map.of("command", "STATUS")).json())
        .doesNotContain("bridge-unfiltered");
    scene.run(
        scene.node(1), "ip", "link", "set", "cni0", "type", "bridge", "nf_call_iptables", "0");
    scene.await(
        "the bridge shows again what it forwards, whatever the namespace's setting says",
        PATIENCE,
        () ->
            scene
                .run(scene.node(1), "ip", "-d", "link", "show", "cni0")
                .contains("nf_call_iptables 1"));
    assertThat(drift()).isEmpty();

    scene.kill(1);
    assertThat(seenBy(elsewhere, "192.168.1.12", one)).as("without an agent").isEqualTo(NODE);
    scene.startAgent(1);
    scene.awaitReady(1, PATIENCE);

    assertThat(seenBy(elsewhere, "192.168.1.12", two)).as("another agent").isEqualTo(NODE);
    Map<String, Object> check = new LinkedHashMap<>(config);
    check.put("prevResult", result);
    assertThat(call("CHECK", one, check)).isEqualTo(new Ended(0, ""));
    scene.run(one.netns(), "ip", "route", "del", "default");
    assertThat(call("CHECK", one, check).output()).contains("The route to 0.0.0.0/0 ");

    assertThat(call("DEL", one, config)).isEqualTo(new Ended(0, ""));
    assertThat(call("DEL", one, config)).as("C2").isEqualTo(new Ended(0, ""));
    assertThat(rules()).as("the other container is still there").contains("Network:dbnet:");

    Map<String, Object> collect = new LinkedHashMap<>(config);
    collect.put("cniVersion", "1.1.0");
    assertThat(call("STATUS", two, collect)).as("C6").isEqualTo(new Ended(0, ""));
    collect.put("cni.dev/valid-attachments", List.of());
    assertThat(call("GC", two, collect)).as("C5").isEqualTo(new Ended(0, ""));
    assertThat(directory.resolve("networks/dbnet/10.1.0.3")).doesNotExist();
    scene.await("nothing is translated", PATIENCE, () -> !rules().contains("Network:dbnet:"));
    assertThat(drift()).isEmpty();
    for (int i = 0; i < 10; i++) {
      add(one, config);
      assertThat(call("DEL", one, config)).isEqualTo(new Ended(0, ""));
    }

    add(one, config);
    scene.terminate(1);
    Cleanup.Report cleaned = Cleanup.node(scene.node(1), scene.stateDir(1), false);
    assertThat(cleaned.failed()).isEmpty();
    assertThat(scene.run(scene.node(1), "ip", "-o", "link")).doesNotContain(": cni0", ": sund");
    scene.startAgent(1);
    scene.awaitReady(1, PATIENCE);
  }

  private static List<String> drift() throws Exception {
    List<ClusterEvent> none = List.of(new ClusterEvent.Synced());
    return NodeVerification.of(new NodeName("n1"), scene.node(1), none, FabricSettings.DEFAULT)
        .report()
        .drift()
        .stream()
        .map(Object::toString)
        .filter(line -> line.contains("bridged") || line.contains("Network:"))
        .toList();
  }

  private static String rules() throws Exception {
    return scene.run(scene.node(1), "nft", "list", "table", "inet", "sund");
  }

  /** The article's file, with a folder of the test for the addresses. */
  private static Map<String, Object> article() throws Exception {
    Path file = Path.of(System.getProperty("sund.root"), "examples/articles/2021-bridge.json");
    Map<String, Object> config = Json.object(Files.readAllBytes(file));
    Map<String, Object> ipam = new LinkedHashMap<>(Json.child(config, "ipam"));
    ipam.put("dataDir", directory.resolve("networks").toString());
    config.put("ipam", ipam);
    return config;
  }

  private static Box box(String id) throws Exception {
    return new Box(id, scene.topology().createPod(new PodKey("box", id)));
  }

  private static Map<String, Object> add(Box box, Map<String, Object> config) throws Exception {
    Ended ended = call("ADD", box, config);
    assertThat(ended.exitCode()).as(ended.output()).isZero();
    return Json.object(ended.output().getBytes(java.nio.charset.StandardCharsets.UTF_8));
  }

  private static Ended call(String command, Box box, Map<String, Object> config) throws Exception {
    return bridge.call(
        Shim.environment(command, box.id(), box.netns().path().toString(), "eth0"),
        Json.write(config));
  }

  /** Whom a connection from the container is seen to come from. */
  private static String seenBy(NetNs server, String address, Box box) throws Exception {
    InetAddress target = InetAddress.ofLiteral(address);
    List<String> seen = new ArrayList<>();
    try (ServerSocket listener =
            server.call(() -> {
              ServerSocket made = new ServerSocket();
              made.bind(new InetSocketAddress(target, 0));
              made.setSoTimeout(3_000);
              return made;
            });
        Socket client =
            box.netns()
                .call(() -> {
                  Socket made = new Socket();
                  made.setTcpNoDelay(true); // makes the descriptor here
                  return made;
                })) {
      client.connect(new InetSocketAddress(target, listener.getLocalPort()), 3_000);
      try (Socket accepted = listener.accept()) {
        seen.add(accepted.getInetAddress().getHostAddress());
      }
    }
    return seen.getFirst();
  }
}
