package dev.sund.it.agent;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.agent.local.Json;
import dev.sund.agent.local.LocalClient;
import dev.sund.doctor.Facts;
import dev.sund.doctor.Host;
import dev.sund.doctor.report.PackedTree;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer.OrderAnnotation;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What agents see of their nodes and of the ways to others, in one small cluster. */
@Tag("netns")
@Timeout(300)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(OrderAnnotation.class)
class WatchingTest {
  private static final Duration SOON = Duration.ofSeconds(60);
  private static final int PORT = 9471;

  private Path folder;
  private AgentScene scene;

  @BeforeAll
  void build(@TempDir Path directory) throws Exception {
    folder = directory;
    scene = AgentScene.build(directory);
    // Checks each second; twenty datagrams a second, so that a window has three seconds.
    scene.jvmFlags("-D" + AgentProcess.WATCHING + "=1,50");
    scene.startAll();
  }

  @AfterAll
  void close() throws Exception {
    scene.close();
  }

  private Map<String, Object> status(int node) throws Exception {
    return Json.object(
        new LocalClient(scene.runDir(node))
            .ask(Map.of("command", "STATUS"))
            .json()
            .getBytes(StandardCharsets.UTF_8));
  }

  private List<Map<String, Object>> ways(int node) throws Exception {
    return Json.children(Json.child(status(node), "peers"), "ways");
  }

  /** What a node says of its ways to another: the state by IPv4 and by IPv6. */
  private List<String> states(int node, int peer) throws Exception {
    return ways(node).stream()
        .filter(way -> way.get("node").equals("n" + peer))
        .map(way -> String.valueOf(way.get("state")))
        .toList();
  }

  /** What a condition is about, of those with this reason. */
  private List<String> conditions(int node, String reason) throws Exception {
    return Json.children(status(node), "conditions").stream()
        .filter(condition -> condition.get("reason").equals(reason))
        .map(
            condition -> Json.child(condition, "object").get("name") + " " + condition.get("field"))
        .toList();
  }

  private double loss(int node, int peer) throws Exception {
    return scene.metric(node, "sund_peer_loss_ratio{family=\"v4\",peer=\"n" + peer + "\"}");
  }

  private void awaitAllAnswer() throws Exception {
    for (int node = 1; node <= scene.nodes(); node++) {
      int from = node;
      scene.await(
          "all ways of n" + from + " answer",
          SOON,
          () -> {
            List<Map<String, Object>> ways = ways(from);
            return ways.size() == 4
                && ways.stream()
                    .allMatch(way ->
                        way.get("state").equals("answers")
                            && way.get("refused").equals(0L)
                            && (Long) way.get("answered") > 30);
          });
    }
  }

  @Test
  @Order(1)
  void everyNodeMeasuresTheOthersOverBothFamilies() throws Exception {
    awaitAllAnswer();
    assertThat(ways(1))
        .extracting(way -> way.get("node") + " " + way.get("family"))
        .containsExactly("n2 v4", "n2 v6", "n3 v4", "n3 v6");
    assertThat(ways(1))
        .allSatisfy(way -> {
          assertThat((Double) way.get("medianMillis")).isBetween(0.005, 900.0);
          assertThat((Double) way.get("p99Millis"))
              .isGreaterThanOrEqualTo((Double) way.get("medianMillis"));
        });
    String page = scene.get(1, "/metrics");
    assertThat(page)
        .contains("sund_peer_loss_ratio{family=\"v4\",peer=\"n3\"}")
        .contains("sund_peer_round_trip_seconds{family=\"v6\",peer=\"n2\",quantile=\"0.5\"}")
        .contains("sund_peer_jitter_seconds{family=\"v6\",peer=\"n2\"}")
        .containsPattern("sund_peer_answers_given_total [1-9]");
  }

  @Test
  @Order(2)
  void lossBetweenTwoNodesIsMeasuredSaidAndOverWhenItIsMended() throws Exception {
    awaitAllAnswer();
    Path rules =
        Files.writeString(
            scene.runDir(2).resolve("lossy.nft"),
            """
            table inet lossy {
              chain in {
                type filter hook input priority 0;
                ip saddr 192.168.1.11 meta l4proto udp numgen random mod 100 < 50 drop
              }
            }
            """);
    scene.run(scene.node(2), "nft", "-f", rules.toString());

    // A machine that stands still for a moment loses elsewhere too, until its windows are over.
    scene.await(
        "n1 says so of this way alone",
        SOON,
        () -> conditions(1, "peer-loss").equals(List.of("n2 over IPv4")));
    scene.await("n3 says nothing", SOON, () -> conditions(3, "peer-loss").isEmpty());
    // Said as soon as the window's loss is past the threshold; it grows while the window fills.
    scene.await(
        "the window fills with losses",
        SOON,
        () -> {
          double loss = loss(1, 2);
          return loss > 0.2 && loss < 0.99;
        });
    scene.await(
        "counted", SOON, () -> scene.metric(1, "sund_conditions{reason=\"peer-loss\"}") == 1);
    assertThat(scene.get(1, "/readyz")).startsWith("HTTP/1.1 200");

    scene.run(scene.node(2), "nft", "delete", "table", "inet", "lossy");
    scene.await("n1 says so no more", SOON, () -> conditions(1, "peer-loss").isEmpty());
    awaitAllAnswer();
  }

  @Test
  @Order(3)
  void theEchoAnswersNodesAloneAndNeverWithMore() throws Exception {
    byte[] question = question(false);
    for (String address : List.of("192.168.1.11", address6(1))) {
      byte[] answer = answered(2, address, question);
      assertThat(answer).as("a node asks %s", address).hasSize(question.length);
      assertThat(Arrays.copyOf(answer, 9)).isEqualTo(Arrays.copyOf(question, 9));
      assertThat(answer[9]).isEqualTo((byte) 1);
      assertThat(Arrays.copyOfRange(answer, 10, 32))
          .isEqualTo(Arrays.copyOfRange(question, 10, 32));
      assertThat(asked(0, address, question)).as("a stranger asks %s", address).isEmpty();
      assertThat(asked(2, address, question(true))).as("an answer").isEmpty();
      assertThat(asked(2, address, Arrays.copyOf(question, 33))).as("too long").isEmpty();
      assertThat(asked(2, address, Arrays.copyOf(question, 31))).as("too short").isEmpty();
      assertThat(asked(2, address, new byte[32])).as("nothing of ours").isEmpty();
    }
  }

  /** What a node gets back, asking as often as it must: an echo has a limit, datagrams get lost. */
  private byte[] answered(int from, String address, byte[] bytes) throws Exception {
    List<byte[]> answers = new ArrayList<>();
    scene.await(
        "an answer of " + address,
        SOON,
        () -> {
          asked(from, address, bytes).ifPresent(answers::add);
          return !answers.isEmpty();
        });
    return answers.getFirst();
  }

  /** What a machine gets back; 0: the router, which is no node. */
  private Optional<byte[]> asked(int from, String address, byte[] bytes) throws Exception {
    var namespace = from == 0 ? scene.topology().machine("r") : scene.node(from);
    try (DatagramSocket socket =
        namespace.call(() -> new DatagramSocket(new InetSocketAddress(0)))) {
      socket.setSoTimeout(400);
      socket.send(new DatagramPacket(bytes, bytes.length, InetAddress.getByName(address), PORT));
      DatagramPacket answer = new DatagramPacket(new byte[100], 100);
      socket.receive(answer);
      return Optional.of(Arrays.copyOf(answer.getData(), answer.getLength()));
    } catch (SocketTimeoutException _) {
      return Optional.empty();
    }
  }

  private static byte[] question(boolean answer) {
    return ByteBuffer.allocate(32)
        .put("SUNDPEER".getBytes(StandardCharsets.US_ASCII))
        .put((byte) 1)
        .put((byte) (answer ? 1 : 0))
        .putShort((short) 0)
        .putInt(0)
        .putLong(77)
        .putLong(3)
        .array();
  }

  private String address6(int node) throws Exception {
    return ways(node == 1 ? 2 : 1).stream()
        .filter(way -> way.get("node").equals("n" + node) && way.get("family").equals("v6"))
        .map(way -> String.valueOf(way.get("address")))
        .findFirst()
        .orElseThrow();
  }

  @Test
  @Order(4)
  void anAgentThatIsKilledIsNoLossAndAnswersAgainWhenItIsBack() throws Exception {
    awaitAllAnswer();
    scene.kill(2);
    scene.await("n2 refuses", SOON, () -> states(1, 2).equals(List.of("refuses", "refuses")));
    assertThat(conditions(1, "peer-loss")).noneMatch(what -> what.startsWith("n2 "));
    scene.await(
        "refusals are counted",
        SOON,
        () -> scene.metric(1, "sund_peer_refused{family=\"v4\",peer=\"n2\"}") > 10);
    scene.startAgent(2);
    scene.awaitReady(2, SOON);
    awaitAllAnswer();
  }

  @Test
  @Order(5)
  void whatTheDoctorFindsIsAConditionUntilItIsMended() throws Exception {
    scene.await(
        "n2's checks have run", SOON, () -> !Json.child(status(2), "doctor").get("ran").equals(""));
    assertThat(conditions(2, "default-route")).isEmpty();
    List<String> before = routes();
    for (String route : before) {
      route("del", route);
    }
    scene.await(
        "n2 says that it has no way out",
        SOON,
        () -> conditions(2, "default-route").equals(List.of("default-route default route")));
    assertThat(scene.get(2, "/readyz")).startsWith("HTTP/1.1 200");
    assertThat(scene.metric(2, "sund_doctor_findings{check=\"default-route\",severity=\"error\"}"))
        .isEqualTo(1);
    assertThat(scene.metric(2, "sund_conditions{reason=\"default-route\"}")).isEqualTo(1);
    assertThat(scene.metric(2, "sund_doctor_runs_total")).isPositive();
    assertThat(scene.logText(2)).contains("the doctor finds\" check=default-route severity=error");
    for (String route : before) {
      route("add", route);
    }
    scene.await("n2 says so no more", SOON, () -> conditions(2, "default-route").isEmpty());
    assertThat(scene.metric(2, "sund_doctor_findings{check=\"default-route\",severity=\"error\"}"))
        .isZero();
    assertThat(scene.logText(2)).contains("the doctor finds no more\" what=\"default-route");
  }

  /** n2's default routes, with the family's option before each. */
  private List<String> routes() throws Exception {
    List<String> routes = new ArrayList<>();
    for (String family : List.of("-4", "-6")) {
      scene
          .run(scene.node(2), "ip", family, "route", "show", "default")
          .lines()
          .filter(line -> line.startsWith("default"))
          .forEach(
              line -> routes.add(family + " " + line.replaceFirst(" (proto|metric|pref).*", "")));
    }
    assertThat(routes).isNotEmpty();
    return routes;
  }

  private void route(String verb, String route) throws Exception {
    List<String> words = new ArrayList<>(List.of(route.split(" ")));
    words.addAll(1, List.of("route", verb));
    words.addFirst("ip");
    scene.run(scene.node(2), words.toArray(String[]::new));
  }

  @Test
  @Order(6)
  void aReportHasWhatTheAgentAndTheClusterSay() throws Exception {
    scene.addPod("web", 1);
    Path archive = folder.resolve("n1.tar.gz");
    String printed =
        scene.run(
            scene.node(1),
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "--enable-native-access=ALL-UNNAMED",
            "-cp",
            System.getProperty("java.class.path"),
            "dev.sund.cli.Main",
            "report",
            "-w",
            archive.toString(),
            "--run-dir",
            scene.runDir(1).toString(),
            "--kubeconfig",
            scene.kubeconfig().toString());
    assertThat(printed)
        .contains("sund/status.json", "sund/drops.json", "sund/verify.json", "cluster.json")
        .doesNotContain("not in it: the agent's", "not in it: the cluster");
    try (PackedTree tree = PackedTree.of(archive)) {
      Path whole = Objects.requireNonNull(tree.root().getParent());
      assertThat(Json.object(Files.readAllBytes(whole.resolve("sund/status.json"))))
          .containsEntry("node", "n1");
      assertThat(whole.resolve("sund/drops.json")).content().contains("\"counters\"");
      // By the agent's name of the node, which is not the machine's.
      assertThat(whole.resolve("sund/verify.json"))
          .content()
          .contains("\"node\":\"n1\"")
          .doesNotContain("drift-missing");
      assertThat(whole.resolve("cluster.json")).content().contains("\"web\"", "\"n3\"");
      Host recorded = new Host(tree.root(), Duration.ZERO, _ -> {}, Facts.none());
      assertThat(recorded.lines(Facts.CLUSTER))
          .filteredOn(line -> line.has("node"))
          .extracting(line -> line.text("node"))
          .containsExactly("n1", "n2", "n3");
    }
  }

  @Test
  @Order(7)
  void anAgentInAContainerReadsTheFilesOfItsNode() throws Exception {
    Path host = Files.createDirectories(folder.resolve("host"));
    for (String mounted : List.of("proc", "sys")) {
      Files.createDirectories(host.resolve(mounted));
      scene.run(scene.node(2), "mount", "--rbind", "/" + mounted, host.resolve(mounted).toString());
    }
    try {
      Path configured = Files.createDirectories(host.resolve("etc/cni/net.d"));
      Path broken = Files.writeString(configured.resolve("10-node.conflist"), "{\"plugins\": 7}");
      scene.terminate(2);
      scene.jvmFlags("-D" + AgentProcess.WATCHING + "=1,50," + host);
      scene.startAgent(2);
      scene.awaitReady(2, SOON);
      // The file is the node's alone: the agent's own root has none of that name.
      scene.await(
          "n2 finds what is wrong in its node's files",
          SOON,
          () -> conditions(2, "cni-config").toString().contains("10-node.conflist"));
      assertThat(conditions(1, "cni-config").toString()).doesNotContain("10-node.conflist");
      assertThat(Json.child(status(2), "doctor").get("unread").toString())
          .doesNotContain("container's here", host + "/proc/1");
      Files.delete(broken);
      scene.await("n2 finds it no more", SOON, () -> conditions(2, "cni-config").equals(List.of()));
    } finally {
      scene.terminate(2);
      for (String mounted : List.of("proc", "sys")) {
        scene.run(scene.node(1), "umount", "-lR", host.resolve(mounted).toString());
      }
    }
  }

  @Test
  @Order(8)
  void anAgentWithEverythingSwitchedOffOpensNoPortAndHasNoThread() throws Exception {
    assertThat(scene.run(scene.node(3), "ss", "-Hlun")).contains(":" + PORT);
    assertThat(threads(3)).contains("sund-peers", "sund-doctor");
    scene.terminate(3);
    scene.jvmFlags("-D" + AgentProcess.WATCHING + "=0,0");
    scene.startAgent(3);
    scene.awaitReady(3, SOON);
    assertThat(scene.run(scene.node(3), "ss", "-Hun", "state", "all")).doesNotContain(":" + PORT);
    assertThat(threads(3)).doesNotContain("sund-peers", "sund-doctor");
    assertThat(status(3)).containsEntry("doctor", Map.of()).containsEntry("peers", Map.of());
    scene.await("n1 is refused", SOON, () -> states(1, 3).equals(List.of("refuses", "refuses")));
  }

  /** The first 15 characters of the names of an agent's threads. */
  private List<String> threads(int node) throws IOException {
    List<String> names = new ArrayList<>();
    Path tasks = Path.of("/proc/" + scene.agent(node).pid() + "/task");
    try (DirectoryStream<Path> each = Files.newDirectoryStream(tasks)) {
      for (Path task : each) {
        try {
          names.add(Files.readString(task.resolve("comm")).strip());
        } catch (IOException _) {
          // a thread that has ended meanwhile
        }
      }
    }
    return names;
  }
}
