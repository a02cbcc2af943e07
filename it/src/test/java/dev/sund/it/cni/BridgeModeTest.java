package dev.sund.it.cni;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.agent.local.Json;
import dev.sund.agent.verify.NodeVerification;
import dev.sund.dataplane.Cleanup;
import dev.sund.engine.FabricSettings;
import dev.sund.engine.cluster.ClusterEvent;
import dev.sund.engine.cluster.Policy;
import dev.sund.engine.trace.Packet.FromPod;
import dev.sund.it.agent.AgentScene;
import dev.sund.it.cni.PodsOnABridge.Pod;
import dev.sund.it.cni.Shim.Ended;
import dev.sund.kernel.NetNs;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.NodeName;
import dev.sund.model.ObjectRef;
import dev.sund.model.PodKey;
import dev.sund.model.Reason;
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

  /**
   * Pods of the cluster on a bridge: closed from the first packet on (N20), open to whom a policy
   * allows (N1, N3, N11), to their own node (N15) and to themselves by their own Service (N17), and
   * what is dropped is told with names; with a bridge that shows what it forwards and one that
   * hides it, with an agent, without, and with another one.
   */
  @Test
  void podsOnABridgeHoldTheirPolicies() throws Exception {
    try (PodsOnABridge bed =
        new PodsOnABridge(scene, bridge, directory.resolve("pods").toAbsolutePath())) {
      bed.policy("deny-all", "{\"podSelector\":{},\"policyTypes\":[\"Ingress\"]}");
      bed.policy(
          "server",
          "{\"podSelector\":{\"matchLabels\":{\"app\":\"server\"}},\"policyTypes\":[\"Ingress\"],"
              + "\"ingress\":[{\"from\":[{\"podSelector\":{\"matchLabels\":{\"app\":\"client\"}}}],"
              + "\"ports\":[{\"port\":8080}]}]}");
      bed.policy(
          "shut",
          "{\"podSelector\":{\"matchLabels\":{\"app\":\"server\"}},\"policyTypes\":[\"Egress\"]}");
      scene.awaitTold(1, new ObjectRef(Policy.NETWORK_POLICY, "shop/shut"), PATIENCE); // the last
      Pod stranger = bed.add("stranger", false);
      Pod server = bed.add("server", true);
      bed.serve(server, 8080);
      bed.serve(server, 8081);
      for (Family family : Family.values()) {
        bed.measured(false, new FromPod(stranger.key()), server.ip(family), 8080);
      }
      Pod client = bed.add("client", false);
      bed.serve(client, 8080);
      for (Pod pod : List.of(stranger, server, client)) {
        bed.report(pod);
      }
      bed.service("own", "10.96.0.20", "fd00:96::20", server, 8080);
      bed.service("other", "10.96.0.21", "fd00:96::21", client, 8080);
      holds(bed, server, client, stranger);

      told(server, "policy-ingress", "shop/stranger", "NetworkPolicy shop/deny-all");
      scene.run(stranger.netns(), "ip", "addr", "add", "10.89.0.77/24", "dev", "eth0");
      scene.run(
          stranger.netns(),
          "ip",
          "route",
          "replace",
          "10.89.0.0/24",
          "dev",
          "eth0",
          "src",
          "10.89.0.77");
      bed.measured(false, new FromPod(stranger.key()), client.v4(), 8080);
      told(stranger, "source-not-own", "", "");
      scene.run(stranger.netns(), "ip", "addr", "del", "10.89.0.77/24", "dev", "eth0");
      assertThat(scene.get(1, "/metrics"))
          .containsPattern(
              "sund_policy_drops_total\\{direction=\"in\",namespace=\"shop\",pod=\"server\","
                  + "reason=\"policy-ingress\"\\} [1-9]")
          .containsPattern("pod=\"stranger\",reason=\"source-not-own\"\\} [1-9]");

      // Without an agent; and somebody lets the bridge hide what it forwards.
      scene.kill(1);
      for (Family family : Family.values()) {
        bed.measured(true, new FromPod(client.key()), server.ip(family), 8080);
        bed.measured(false, new FromPod(stranger.key()), server.ip(family), 8080);
      }
      hide();
      for (Family family : Family.values()) {
        bed.measured(false, new FromPod(stranger.key()), server.ip(family), 8080);
        bed.measured(false, new FromPod(client.key()), server.ip(family), 8080);
        bed.measured(true, PodsOnABridge.node(), server.ip(family), 8081);
        bed.measured(true, new FromPod(server.key()), own(family), 80);
      }
      scene.startAgent(1);
      scene.awaitReady(1, PATIENCE);
      holds(bed, server, client, stranger);
      assertThat(counters()).anyMatch(line -> line.startsWith("shop/stranger out policy-unseen"));

      bed.remove(stranger);
      bed.remove(server);
      bed.remove(client);
      scene.await("nothing is left of the pods", PATIENCE, () -> counters().isEmpty());
    }
  }

  private static Ip own(Family family) {
    return Ip.parse(family == Family.V4 ? "10.96.0.20" : "fd00:96::20");
  }

  /** Whom the policies of these pods let through, by packets and by the tracer. */
  private static void holds(PodsOnABridge bed, Pod server, Pod client, Pod stranger)
      throws Exception {
    for (Family family : Family.values()) {
      bed.passes(true, new FromPod(client.key()), server.ip(family), 8080);
      bed.passes(false, new FromPod(client.key()), server.ip(family), 8081);
      bed.passes(false, new FromPod(stranger.key()), server.ip(family), 8080);
      bed.passes(false, new FromPod(server.key()), client.ip(family), 8080);
      bed.passes(true, PodsOnABridge.node(), server.ip(family), 8081);
      bed.passes(true, new FromPod(server.key()), own(family), 80);
      bed.passes(true, new FromPod(client.key()), own(family), 80);
      bed.passes(false, new FromPod(stranger.key()), own(family), 80);
      Ip other = Ip.parse(family == Family.V4 ? "10.96.0.21" : "fd00:96::21");
      bed.passes(false, new FromPod(client.key()), other, 80);
      scene.await(
          "no policy stops it: its port has no hairpin mode",
          PATIENCE,
          () ->
              bed.trace(new FromPod(client.key()), other, 80).outcome()
                  == Reason.BRIDGE_HAIRPIN_OFF);
    }
  }

  private static void hide() throws Exception {
    for (String command :
        List.of(
            "sysctl -qw net.bridge.bridge-nf-call-iptables=0 net.bridge.bridge-nf-call-ip6tables=0",
            "ip link set "
                + PodsOnABridge.BRIDGE
                + " type bridge nf_call_iptables 0 nf_call_ip6tables 0")) {
      scene.run(scene.node(1), command.split(" "));
    }
  }

  private static Map<String, Object> drops() throws Exception {
    return Json.object(
        scene
            .client(1)
            .ask(Map.of("command", "DROPS"))
            .json()
            .getBytes(java.nio.charset.StandardCharsets.UTF_8));
  }

  /** A drop of this pod is told with its peer and policies. */
  private static void told(Pod pod, String reason, String peer, String policy) throws Exception {
    scene.await(
        pod.key() + " " + reason + " is told",
        PATIENCE,
        () -> {
          for (Map<String, Object> event : Json.children(drops(), "events")) {
            if (Json.text(Json.child(event, "pod"), "name").equals(pod.key().toString())
                && Json.text(event, "reason").equals(reason)
                && (peer.isEmpty() || Json.text(Json.child(event, "peer"), "name").equals(peer))
                && (policy.isEmpty() || Json.texts(event, "policies").contains(policy))) {
              return true;
            }
          }
          return false;
        });
  }

  /** {@code shop/server in policy-ingress 12}, of pods on bridges. */
  private static List<String> counters() throws Exception {
    List<String> lines = new ArrayList<>();
    for (Map<String, Object> one : Json.children(drops(), "counters")) {
      lines.add(
          "%s %s %s %s"
              .formatted(
                  one.get("pod"), one.get("direction"), one.get("reason"), one.get("packets")));
    }
    return lines;
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
