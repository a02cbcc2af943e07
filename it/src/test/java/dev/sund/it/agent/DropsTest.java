package dev.sund.it.agent;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.agent.local.Json;
import dev.sund.cli.DropsCommand;
import dev.sund.engine.cluster.Policy;
import dev.sund.it.agent.AgentScene.PodHandle;
import dev.sund.kernel.socket.Endpoint;
import dev.sund.kernel.socket.MessageBuffer;
import dev.sund.kernel.socket.NetSocket;
import dev.sund.kube.tree.JsonTrees;
import dev.sund.kube.tree.Tree;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.ObjectRef;
import dev.sund.model.Protocol;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** What {@code sund drops} asks of a real agent, whose policies drop real packets. */
@Tag("netns")
@Timeout(120)
class DropsTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final int PORT = 5432;
  private static final int FLOOD = 2_000;

  @TempDir private Path directory;
  private final MessageBuffer buffer = new MessageBuffer(64);
  private AgentScene scene;
  private PodHandle web;
  private PodHandle database;

  @BeforeEach
  void build() throws Exception {
    scene = AgentScene.build(directory);
    scene.startAgent(1);
    scene.awaitReady(1, PATIENCE);
    web = scene.addPod("web", 1);
    database = scene.addPod("database", 1);
  }

  @AfterEach
  void clear() throws Exception {
    scene.close();
  }

  /**
   * Every drop is counted once and named with all policies that isolate the pod; a flood is counted
   * to the last packet, and what the log leaves out is said (N3, N20); the numbers outlive an
   * agent, and go with their pod.
   */
  @Test
  void dropsAreCountedAllAndToldWithNames() throws Exception {
    assertThat(Json.children(drops(), "counters")).isEmpty();
    policy("deny-all", "Ingress", "{}");
    policy("database", "Ingress", "{\"matchLabels\":{\"none\":\"such\"}}");
    policy("also", "Ingress", "{}");
    policy("shut", "Egress", "{\"matchLabels\":{\"none\":\"such\"}}");
    scene.awaitDone(1, new ObjectRef(Policy.NETWORK_POLICY, "shop/shut"), PATIENCE); // the last
    send(Protocol.UDP, database.v4(), PORT, 1);
    scene.await(
        "policies are enforced", PATIENCE, () -> !Json.children(drops(), "counters").isEmpty());

    long before = packets("shop/database");
    for (Family family : Family.values()) {
      Ip to = family == Family.V4 ? database.v4() : database.v6();
      send(Protocol.UDP, to, 1_000, 1);
      send(Protocol.TCP, to, 2_000, 1);
      for (int port : List.of(1_000, 2_000)) {
        String protocol = port == 1_000 ? "udp" : "tcp";
        scene.await(
            protocol + " to " + to + " is told",
            PATIENCE,
            () -> events().stream().anyMatch(event -> isTo(event, to, port)));
        Map<String, Object> event =
            events().stream().filter(one -> isTo(one, to, port)).findFirst().orElseThrow();
        assertThat(event)
            .containsEntry("direction", "in")
            .containsEntry("reason", "policy-ingress")
            .containsEntry("protocol", protocol);
        assertThat(Json.child(event, "pod")).containsEntry("name", "shop/database");
        assertThat(Json.child(event, "peer")).containsEntry("name", "shop/web");
        assertThat(Json.texts(event, "policies"))
            .containsExactly("NetworkPolicy shop/also", "NetworkPolicy shop/deny-all");
      }
    }
    assertThat(packets("shop/database")).isEqualTo(before + 4);

    asCommandsPrintIt();

    // Who sends from a stranger's address is known by the device.
    scene.run(web.netns(), "ip", "addr", "add", "10.244.1.99/32", "dev", "eth0");
    try (NetSocket liar = web.netns().call(() -> NetSocket.udp(Family.V4))) {
      liar.bind(new Endpoint(Ip.parse("10.244.1.99"), 0));
      buffer.sendTo(liar, 32, new Endpoint(database.v4(), 3_000));
    }
    scene.await(
        "a false source is told",
        PATIENCE,
        () -> events().stream().anyMatch(event -> isTo(event, database.v4(), 3_000)));
    Map<String, Object> lie =
        events().stream()
            .filter(event -> isTo(event, database.v4(), 3_000))
            .findFirst()
            .orElseThrow();
    assertThat(lie).containsEntry("reason", "source-not-own").containsEntry("direction", "out");
    assertThat(Json.child(lie, "pod")).containsEntry("name", "shop/web");
    assertThat(packets("shop/web")).isEqualTo(1);

    send(Protocol.UDP, database.v4(), PORT, FLOOD);
    scene.await(
        "the last of the flood is counted",
        PATIENCE,
        () -> packets("shop/database") >= before + 5 + FLOOD);
    assertThat(packets("shop/database")).isEqualTo(before + 5 + FLOOD);
    Map<String, Object> log = Json.child(drops(), "log");
    assertThat(Json.number(log, "untold")).isPositive();
    assertThat(Json.number(log, "told") + Json.number(log, "untold"))
        .isEqualTo(before + 5 + 1 + FLOOD);
    assertThat(scene.get(1, "/metrics"))
        .containsPattern(
            "sund_policy_drops_total\\{direction=\"in\",namespace=\"shop\",pod=\"database\","
                + "reason=\"policy-ingress\"\\} "
                + (before + 5 + FLOOD))
        .containsPattern("sund_policy_drops_untold_total [1-9]")
        .containsPattern("sund_policy_transactions_total [1-9]")
        .containsPattern("sund_policy_enforce_seconds_count [1-9]");

    scene.kill(1);
    send(Protocol.UDP, database.v6(), PORT, 3);
    scene.startAgent(1);
    scene.awaitReady(1, PATIENCE);
    assertThat(packets("shop/database")).isEqualTo(before + 8 + FLOOD);
    assertThat(Json.number(Json.child(drops(), "log"), "untold")).isZero();

    scene.removePod(database);
    scene.await(
        "nothing is left of the pod",
        PATIENCE,
        () -> Json.children(drops(), "counters").size() == 1 && packets("shop/web") == 1);
  }

  /** What people and programs see, of packets that were, and of those that come. */
  private void asCommandsPrintIt() throws Exception {
    String told = "shop/database  in  from shop/web (" + web.v4() + ")  udp 1000  policy-ingress:";
    String line =
        command("shop/database")
            .lines()
            .filter(one -> one.contains(told))
            .findFirst()
            .orElseThrow();
    assertThat(line).endsWith("isolated by NetworkPolicy shop/also, NetworkPolicy shop/deny-all");
    assertThat(command("--since", "1h", "shop/")).contains(told);
    assertThat(command("--since", "0s"))
        .as("the counters alone: nothing was dropped since now")
        .containsPattern("shop/database +" + database.v4() + " +in +policy-ingress +[1-9]")
        .doesNotContain(told);
    assertThat(command("other/")).contains("nothing was dropped").doesNotContain(told);

    Reader reader = new Reader();
    FutureTask<Integer> following =
        new FutureTask<>(() ->
            new CommandLine(new DropsCommand())
                .setOut(new PrintWriter(reader))
                .execute(arguments("--follow", "-o", "json", "shop/database")));
    Thread.ofPlatform().daemon().start(following);
    scene.await("what was is told first", PATIENCE, () -> reader.said("\"port\":1000"));
    assertThat(reader.said("\"port\":1004")).isFalse();
    send(Protocol.UDP, database.v6(), 1_004, 1);
    scene.await("what comes is told as it comes", PATIENCE, () -> reader.said("\"port\":1004"));
    for (String each : reader.text().lines().toList()) {
      assertThat(Json.object(each.getBytes(StandardCharsets.UTF_8)))
          .containsEntry("direction", "in")
          .containsEntry("reason", "policy-ingress");
    }
    reader.close();
    assertThat(following.get(60, TimeUnit.SECONDS)).as("whoever read is gone").isZero();
  }

  private String command(String... arguments) {
    StringWriter out = new StringWriter();
    assertThat(
            new CommandLine(new DropsCommand())
                .setOut(new PrintWriter(out, true))
                .execute(arguments(arguments)))
        .as(out.toString())
        .isZero();
    return out.toString();
  }

  private String[] arguments(String... own) {
    return Stream.concat(Stream.of("--run-dir", scene.runDir(1).toString()), Stream.of(own))
        .toArray(String[]::new);
  }

  /** Takes what a command prints, until it is closed, as a pipe's reader does. */
  private static final class Reader extends Writer {
    private final StringBuffer text = new StringBuffer();
    private volatile boolean closed;

    boolean said(String what) {
      return text.indexOf(what) >= 0;
    }

    String text() {
      return text.toString();
    }

    @Override
    public void write(char[] from, int offset, int length) throws IOException {
      if (closed) {
        throw new IOException("nobody reads");
      }
      text.append(from, offset, length);
    }

    @Override
    public void flush() throws IOException {
      if (closed) {
        throw new IOException("nobody reads");
      }
    }

    @Override
    public void close() {
      closed = true;
    }
  }

  private void policy(String name, String type, String selector) throws Exception {
    scene
        .api()
        .put(
            json(
                """
                {"apiVersion":"networking.k8s.io/v1","kind":"NetworkPolicy",
                 "metadata":{"namespace":"shop","name":"%s","uid":"p-%s"},
                 "spec":{"podSelector":%s,"policyTypes":["%s"]}}
                """
                    .formatted(name, name, selector, type)));
  }

  private Map<String, Object> drops() throws Exception {
    return Json.object(
        scene.client(1).ask(Map.of("command", "DROPS")).json().getBytes(StandardCharsets.UTF_8));
  }

  private List<Map<String, Object>> events() throws Exception {
    return Json.children(drops(), "events");
  }

  private static boolean isTo(Map<String, Object> event, Ip to, int port) {
    return event.get("destination").equals(to.toString())
        && event.get("port").equals(Long.valueOf(port));
  }

  /** What was counted of a pod, whichever its addresses. */
  private long packets(String pod) throws Exception {
    Map<String, Long> sums = new LinkedHashMap<>();
    for (Map<String, Object> one : Json.children(drops(), "counters")) {
      sums.merge(Json.text(one, "pod"), Json.number(one, "packets"), Long::sum);
    }
    return sums.getOrDefault(pod, 0L);
  }

  /** Sends from the pod web; nobody answers, and nothing is sent again. */
  private void send(Protocol protocol, Ip to, int port, int packets) throws Exception {
    boolean udp = protocol == Protocol.UDP;
    try (NetSocket client =
        web.netns().call(() -> udp ? NetSocket.udp(to.family()) : NetSocket.tcp(to.family()))) {
      for (int i = 0; i < packets; i++) {
        if (udp) {
          while (buffer.sendTo(client, 32, new Endpoint(to, port)) < 0) {
            Thread.sleep(1); // no room: those before are on their way
          }
        } else {
          client.tryConnect(new Endpoint(to, port));
        }
      }
    }
  }

  private static Tree.Mapping json(String text) throws Exception {
    return (Tree.Mapping) JsonTrees.parse(text);
  }
}
