package dev.sund.it.cni;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.agent.local.Json;
import dev.sund.agent.verify.NodeVerification;
import dev.sund.engine.FabricSettings;
import dev.sund.engine.cluster.ClusterEvent;
import dev.sund.it.agent.AgentScene;
import dev.sund.it.cni.Shim.Ended;
import dev.sund.kernel.NetNs;
import dev.sund.model.NodeName;
import dev.sund.model.PodKey;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
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

/**
 * The chain of bridge and portmap: Sund's on the first node, the reference plugins on the second.
 * Whoever asks at a port of the node has the same answer on both, and is seen as the same.
 *
 * <p>Sund's agent has no API server here until the end.
 */
@Tag("netns")
@Timeout(240)
class PortmapTest {
  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final Path REFERENCE = Path.of("/usr/lib/cni");
  private static final String V4 = "10.77.0.";
  private static final String V6 = "fd00:77::";

  @TempDir private static Path directory;
  private static AgentScene scene;
  private static Shim shim;

  /** A node, with who makes its containers' networks. */
  private record Side(int number, boolean reference) {
    NetNs node() {
      return scene.node(number);
    }

    String v4() {
      return "192.168.1." + (10 + number);
    }

    String v6() {
      return "fd00:192:168:1::" + (10 + number);
    }

    Side other() {
      return new Side(3 - number, !reference);
    }

    Ended call(String plugin, String command, Box box, Map<String, Object> config)
        throws Exception {
      Map<String, String> environment =
          Shim.environment(command, box.id(), box.netns().path().toString(), "eth0");
      if (!reference) {
        return shim.as(plugin).call(environment, Json.write(config));
      }
      ProcessBuilder builder =
          new ProcessBuilder(
              "nsenter", "--net=" + node().path(), "--", REFERENCE.resolve(plugin).toString());
      builder.environment().putAll(environment);
      builder.environment().put("CNI_PATH", REFERENCE.toString());
      Process process = builder.redirectError(ProcessBuilder.Redirect.DISCARD).start();
      try (var in = process.getOutputStream()) {
        in.write(Json.write(config).getBytes(UTF_8));
      }
      String output = new String(process.getInputStream().readAllBytes(), UTF_8);
      return new Ended(process.waitFor(), output);
    }
  }

  /** A container's namespace. */
  private record Box(String id, NetNs netns) {}

  @BeforeAll
  static void build() throws Exception {
    scene = AgentScene.build(directory);
    shim = new Shim(Shim.build(directory.resolve("bin/sund-cni")), scene.runDir(1));
    scene.stopApi();
    scene.startAgent(1);
    scene.await("the agent answers", PATIENCE, () -> !scene.get(1, "/readyz").isEmpty());
  }

  @AfterAll
  static void remove() throws Exception {
    scene.close();
  }

  @Test
  void askersHaveTheSameAnswersAsWithTheReferencePlugins() throws Exception {
    for (Map<String, Object> settings :
        List.<Map<String, Object>>of(Map.of(), Map.of("snat", false))) {
      Map<String, String> theirs = answers(new Side(2, true), settings);
      Map<String, String> ours = answers(new Side(1, false), settings);
      assertThat(ours).as("portmap with " + settings).isEqualTo(theirs);
    }
    // A key of later versions than the one that is compared with.
    assertThat(answers(new Side(1, false), Map.of("masqAll", true)))
        .containsEntry("outside v4", "bridge")
        .containsEntry("outside v6", "bridge")
        .containsEntry("neighbour v4", "bridge");
  }

  @Test
  void portsOutliveTheAgentAndGoWithTheirContainer() throws Exception {
    Side side = new Side(1, false);
    Box box = box("kept", 1);
    Map<String, Object> network = add(side, "bridge", box, network(Map.of()));
    Map<String, Object> ports = portmap(network, Map.of());
    Map<String, Object> result = add(side, "portmap", box, ports);
    assertThat(result).isEqualTo(network);
    String guarded = scene.run(side.node(), "nft", "list", "chain", "inet", "sund", "guard");
    assertThat(guarded).contains("no container on a bridge asks the node's loopback");
    try (ServerSocket server = serve(box.netns())) {
      assertThat(ask(scene.node(2), side.v4())).isEqualTo("192.168.1.12");
      scene.kill(1);
      assertThat(ask(scene.node(2), side.v4())).as("without an agent").isEqualTo("192.168.1.12");
      scene.resumeApi();
      scene.startAgent(1);
      scene.awaitReady(1, PATIENCE);
      assertThat(ask(scene.node(2), side.v4())).as("another agent").isEqualTo("192.168.1.12");
      assertThat(ask(side.node(), "127.0.0.1")).isEqualTo(V4 + "1");
      assertThat(drift()).as("sund verify").isEmpty();
      Map<String, Object> check = new LinkedHashMap<>(ports);
      check.put("prevResult", result);
      assertThat(side.call("portmap", "CHECK", box, check)).isEqualTo(new Ended(0, ""));
      scene.run(side.node(), "nft", "flush", "ruleset");
      scene.await(
          "the flushed rules are back",
          PATIENCE,
          () -> ask(scene.node(2), side.v4()).equals("192.168.1.12"));
      // C5: what the runtime does not know any more.
      Map<String, Object> collect = new LinkedHashMap<>(ports);
      collect.put("cniVersion", "1.1.0");
      collect.remove("prevResult");
      collect.put(
          "cni.dev/valid-attachments", List.of(Map.of("containerID", box.id(), "ifname", "eth0")));
      assertThat(side.call("portmap", "GC", box, collect)).isEqualTo(new Ended(0, ""));
      assertThat(ask(scene.node(2), side.v4())).isEqualTo("192.168.1.12");
      collect.put("cni.dev/valid-attachments", List.of());
      assertThat(side.call("portmap", "GC", box, collect)).isEqualTo(new Ended(0, ""));
      scene.await("the port is shut", PATIENCE, () -> ask(scene.node(2), side.v4()).equals("none"));
      assertThat(side.call("portmap", "CHECK", box, check).output()).contains("are not open");
      assertThat(server.isClosed()).isFalse();
    } finally {
      for (int i = 0; i < 2; i++) { // C2
        assertThat(side.call("portmap", "DEL", box, ports).exitCode()).isZero();
        assertThat(side.call("bridge", "DEL", box, network(Map.of())).exitCode()).isZero();
      }
      scene.stopApi();
    }
  }

  /**
   * S15: the kernel would send a client's packets to the container that is no more, for minutes.
   */
  @Test
  void aClientThatGoesOnAskingFindsTheContainerThatCameInstead() throws Exception {
    Side side = new Side(1, false);
    Map<String, Object> udp =
        Map.of(
            "runtimeConfig",
            Map.of(
                "portMappings",
                List.of(Map.of("hostPort", 5300, "containerPort", 53, "protocol", "udp"))));
    Box first = box("first", 1);
    Box second = box("second", 1);
    for (String at : List.of(side.v4(), side.v6())) {
      Map<String, Object> firstPorts = portmap(add(side, "bridge", first, network(Map.of())), udp);
      Map<String, Object> secondPorts =
          portmap(add(side, "bridge", second, network(Map.of())), udp);
      try (DatagramSocket client = scene.node(2).call(() -> new DatagramSocket());
          DatagramSocket one = echo(first.netns(), '1');
          DatagramSocket two = echo(second.netns(), '2')) {
        client.setSoTimeout(100);
        client.connect(new InetSocketAddress(InetAddress.ofLiteral(at), 5300));
        add(side, "portmap", first, firstPorts);
        scene.await("the first answers", PATIENCE, () -> answer(client) == '1');
        assertThat(side.call("portmap", "DEL", first, firstPorts).exitCode()).isZero();
        add(side, "portmap", second, secondPorts);
        scene.await("the second answers", PATIENCE, () -> answer(client) == '2');
        assertThat(one.isClosed() || two.isClosed()).isFalse();
      } finally {
        side.call("portmap", "DEL", second, secondPorts);
        side.call("bridge", "DEL", first, network(Map.of()));
        side.call("bridge", "DEL", second, network(Map.of()));
      }
    }
  }

  /** A UDP server on port 53 that answers one letter. */
  private static DatagramSocket echo(NetNs netns, char letter) throws Exception {
    DatagramSocket server = netns.call(() -> new DatagramSocket(53));
    Thread.ofPlatform()
        .daemon()
        .start(() -> {
          while (!server.isClosed()) {
            DatagramPacket packet = new DatagramPacket(new byte[10], 10);
            try {
              server.receive(packet);
              server.send(
                  new DatagramPacket(new byte[] {(byte) letter}, 1, packet.getSocketAddress()));
            } catch (IOException _) {
              // closed, or an asker that has gone
            }
          }
        });
    return server;
  }

  /** The letter that answers a question; 0 when none does. */
  private static int answer(DatagramSocket client) {
    try {
      client.send(new DatagramPacket(new byte[] {'?'}, 1));
      DatagramPacket packet = new DatagramPacket(new byte[10], 10);
      client.receive(packet);
      return packet.getData()[0];
    } catch (IOException _) {
      return 0;
    }
  }

  @Test
  void whatItDoesNotDoIsRefusedByName() throws Exception {
    Side side = new Side(1, false);
    Box box = box("refused", 1);
    Map<String, Object> network = add(side, "bridge", box, network(Map.of()));
    assertThat(
            side.call(
                    "portmap",
                    "ADD",
                    box,
                    portmap(network, Map.of("conditionsV4", List.of("!", "-d", "192.0.2.0/24"))))
                .output())
        .contains("\"code\":2,", "conditionsV4 [\\\"!\\\",", "is not supported", "hostIP");
    assertThat(side.call("portmap", "ADD", box, portmap(network, Map.of("snat", "yes"))).output())
        .contains("snat \\\"yes\\\" is neither true nor false");
    assertThat(side.call("portmap", "ADD", box, portmap(network, Map.of("sant", true))).output())
        .contains("\"code\":2,", "sant true is not known");
    Map<String, Object> alone = portmap(network, Map.of());
    alone.remove("prevResult");
    assertThat(side.call("portmap", "ADD", box, alone).output()).contains("no prevResult");
    assertThat(ask(scene.node(2), side.v4())).isEqualTo("none");
    assertThat(side.call("bridge", "DEL", box, network(Map.of())).exitCode()).isZero();
  }

  /** Who is seen by the container, for everybody who may ask. */
  private static Map<String, String> answers(Side side, Map<String, Object> settings)
      throws Exception {
    Box one = box("one", side.number());
    Box two = box("two", side.number());
    Map<String, Object> network = network(Map.of());
    Map<String, Object> made = add(side, "bridge", one, network);
    add(side, "bridge", two, network);
    Map<String, Object> ports = portmap(made, settings);
    add(side, "portmap", one, ports);
    Map<String, String> answers = new LinkedHashMap<>();
    try (ServerSocket server = serve(one.netns())) {
      for (String at : List.of(side.v4(), side.v6())) {
        String to = at.equals(side.v4()) ? "v4" : "v6";
        answers.put("outside " + to, name(side, ask(side.other().node(), at)));
        answers.put("node " + to, name(side, ask(side.node(), at)));
        answers.put("neighbour " + to, name(side, ask(two.netns(), at)));
        answers.put("itself " + to, name(side, ask(one.netns(), at)));
      }
      answers.put("loopback", name(side, ask(side.node(), "127.0.0.1")));
      assertThat(server.isClosed()).isFalse();
    }
    assertThat(side.call("portmap", "DEL", one, ports).exitCode()).isZero();
    assertThat(side.call("bridge", "DEL", one, network).exitCode()).isZero();
    assertThat(side.call("bridge", "DEL", two, network).exitCode()).isZero();
    assertThat(ask(side.other().node(), side.v4())).isEqualTo("none");
    return answers;
  }

  private static List<String> drift() throws Exception {
    List<ClusterEvent> none = List.of(new ClusterEvent.Synced());
    return NodeVerification.of(new NodeName("n1"), scene.node(1), none, FabricSettings.DEFAULT)
        .report()
        .drift()
        .stream()
        .map(Object::toString)
        .filter(line -> line.contains("Container:") || line.contains("Network:"))
        .toList();
  }

  /** What an address is, on either node. */
  private static String name(Side side, String address) {
    return Map.of(
            side.v4(),
            "node",
            side.v6(),
            "node",
            side.other().v4(),
            "outside",
            side.other().v6(),
            "outside",
            V4 + "1",
            "bridge",
            V6 + "1",
            "bridge")
        .getOrDefault(
            address, address.startsWith(V4) || address.startsWith(V6) ? "container" : address);
  }

  private static Map<String, Object> network(Map<String, Object> settings) {
    Map<String, Object> config = new LinkedHashMap<>();
    config.put("cniVersion", "1.0.0");
    config.put("name", "ports");
    config.put("type", "bridge");
    config.put("bridge", "sundp0");
    config.put("isDefaultGateway", true);
    config.put("ipMasq", true);
    config.put("hairpinMode", true);
    config.put(
        "ipam",
        Map.of(
            "type",
            "host-local",
            "dataDir",
            directory.resolve("networks").toString(),
            "ranges",
            List.of(
                List.of(Map.of("subnet", V4 + "0/24")), List.of(Map.of("subnet", V6 + "/64")))));
    config.putAll(settings);
    return config;
  }

  private static Map<String, Object> portmap(
      Map<String, Object> previous, Map<String, Object> settings) {
    Map<String, Object> config = new LinkedHashMap<>();
    config.put("cniVersion", "1.0.0");
    config.put("name", "ports");
    config.put("type", "portmap");
    config.put("capabilities", Map.of("portMappings", true));
    config.put(
        "runtimeConfig",
        Map.of(
            "portMappings",
            List.of(Map.of("hostPort", 8080, "containerPort", 80, "protocol", "tcp"))));
    config.put("prevResult", previous);
    config.putAll(settings);
    return config;
  }

  private static Map<String, Object> add(
      Side side, String plugin, Box box, Map<String, Object> config) throws Exception {
    Ended ended = side.call(plugin, "ADD", box, config);
    assertThat(ended.exitCode()).as(ended.output()).isZero();
    return Json.object(ended.output().getBytes(UTF_8));
  }

  private static Box box(String id, int node) throws Exception {
    PodKey key = new PodKey("box" + node, id + System.nanoTime());
    return new Box(key.name(), scene.topology().createPod(key));
  }

  /** A server on port 80 that tells each who asks how it is seen. */
  private static ServerSocket serve(NetNs netns) throws Exception {
    ServerSocket server = netns.call(() -> new ServerSocket(80));
    Thread.ofPlatform()
        .daemon()
        .start(() -> {
          while (!server.isClosed()) {
            try (Socket asker = server.accept()) {
              asker
                  .getOutputStream()
                  .write(asker.getInetAddress().getHostAddress().getBytes(UTF_8));
            } catch (IOException _) {
              // closed, or an asker that has gone
            }
          }
        });
    return server;
  }

  /** How an asker at port 8080 is seen; {@code none} when nobody answers. */
  private static String ask(NetNs from, String address) throws Exception {
    List<String> seen = new ArrayList<>();
    try (Socket client =
        from.call(() -> {
          Socket made = new Socket();
          made.setTcpNoDelay(true); // makes the descriptor here
          return made;
        })) {
      client.setSoTimeout(20_000); // who is connected is answered by a thread, sooner or later
      client.connect(new InetSocketAddress(InetAddress.ofLiteral(address), 8080), 700);
      String text = new String(client.getInputStream().readAllBytes(), UTF_8);
      seen.add(
          text.isEmpty() ? "none" : dev.sund.model.Ip.parse(text.replaceAll("%.*", "")).toString());
    } catch (IOException _) {
      seen.add("none");
    }
    return seen.getFirst();
  }
}
