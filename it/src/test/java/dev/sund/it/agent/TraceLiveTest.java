package dev.sund.it.agent;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.agent.local.Answer;
import dev.sund.agent.local.Json;
import dev.sund.agent.trace.Expectation;
import dev.sund.agent.trace.KnownCluster;
import dev.sund.agent.trace.ProbeRequest;
import dev.sund.agent.trace.ProbeResult;
import dev.sund.dataplane.probe.ProbeFinding.Dropped;
import dev.sund.dataplane.probe.ProbeFinding.Left;
import dev.sund.engine.trace.Packet;
import dev.sund.engine.trace.Packet.FromPod;
import dev.sund.engine.trace.Trace;
import dev.sund.it.agent.AgentScene.PodHandle;
import dev.sund.kernel.NetNs;
import dev.sund.kernel.conntrack.ConntrackEntry;
import dev.sund.kernel.conntrack.ConntrackFilter;
import dev.sund.kernel.conntrack.ConntrackSocket;
import dev.sund.kube.tree.JsonTrees;
import dev.sund.kube.tree.Tree;
import dev.sund.lab.offline.LiveProbe;
import dev.sund.lab.offline.OfflineCluster;
import dev.sund.lab.offline.PolicyOpening;
import dev.sund.model.Ip;
import dev.sund.model.NodeName;
import dev.sund.model.Protocol;
import dev.sund.model.Reason;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** {@code sund trace} on a running agent, and with real packets. */
@Tag("netns")
@Timeout(120)
class TraceLiveTest {
  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final NodeName N1 = new NodeName("n1");
  private static final int PORT = 5432;

  @TempDir private Path directory;
  private AgentScene scene;
  private PodHandle web;
  private PodHandle db;
  private final List<ServerSocket> servers = new ArrayList<>();

  @BeforeEach
  void build() throws Exception {
    scene = AgentScene.build(directory);
    // As a killed agent leaves it where the kernel knows no owners of tables.
    nft("table inet sund-probe {\n comment \"made by sund\"\n chain asked {\n }\n}\n");
    scene.startAgent(1);
    scene.awaitReady(1, PATIENCE);
    assertThat(scene.run(scene.node(1), "nft", "list", "tables")).doesNotContain("sund-probe");
    web = scene.addPod("web", 1);
    db = scene.addPod("db", 1);
    servers.add(
        db.netns()
            .<ServerSocket, IOException>call(() -> {
              ServerSocket server = new ServerSocket();
              server.bind(new InetSocketAddress("::", PORT));
              return server;
            }));
    for (Ip to : List.of(db.v4(), db.v6())) { // the agent hears of its pods from the API, too
      scene.await("pods that the agent knows", PATIENCE, () -> only(web, to).answered());
    }
  }

  @AfterEach
  void removed() throws Exception {
    for (ServerSocket server : servers) {
      server.close();
    }
    scene.close();
  }

  private static Tree.Mapping json(String text) throws Exception {
    return (Tree.Mapping) JsonTrees.parse(text);
  }

  private OfflineCluster cluster() throws Exception {
    return OfflineCluster.of(known());
  }

  private KnownCluster known() throws Exception {
    Answer answer = scene.client(1).ask(KnownCluster.question());
    assertThat(answer.exitCode()).as(answer.json()).isZero();
    KnownCluster known = KnownCluster.of(fields(answer));
    assertThat(known.node()).isEqualTo(N1);
    return known;
  }

  private static Map<String, Object> fields(Answer answer) throws Json.MalformedException {
    return Json.object(answer.json().getBytes(StandardCharsets.UTF_8));
  }

  private List<Trace> traces(PodHandle from, Ip to, Protocol protocol, int port) throws Exception {
    return cluster().traces(Packet.small(new FromPod(from.key()), to, protocol, port));
  }

  private ProbeResult probe(PodHandle from, Ip to, Protocol protocol, int port) throws Exception {
    KnownCluster told = known();
    OfflineCluster known = OfflineCluster.of(told);
    Packet packet = Packet.small(new FromPod(from.key()), to, protocol, port);
    ProbeRequest request =
        new ProbeRequest(
            Optional.of(from.key()),
            to,
            protocol,
            port,
            Duration.ofSeconds(2),
            Expectation.of(known.traces(packet), N1),
            true,
            told.program());
    Answer answer = scene.client(1).ask(request.fields());
    assertThat(answer.exitCode()).as(answer.json()).isZero();
    ProbeResult result = ProbeResult.of(fields(answer));
    assertThat(scene.run(scene.node(1), "nft", "list", "tables")).doesNotContain("sund-probe");
    assertThat(connections(result.finding().flow().sourcePort())).isEmpty();
    return result;
  }

  private List<ConntrackEntry> connections(int sourcePort) throws Exception {
    List<ConntrackEntry> found = new ArrayList<>();
    try (ConntrackSocket conntrack = ConntrackSocket.open(scene.node(1))) {
      conntrack.list(
          ConntrackFilter.ALL,
          entry -> {
            if (entry.original().sourcePort() == sourcePort) {
              found.add(entry);
            }
          });
    }
    return found;
  }

  private Trace only(PodHandle from, Ip to) throws Exception {
    return traces(from, to, Protocol.TCP, PORT).getFirst();
  }

  private void nft(String rules) throws Exception {
    Path file = directory.resolve("rules.nft");
    java.nio.file.Files.writeString(file, rules);
    scene.run(scene.node(1), "nft", "-f", file.toString());
  }

  /** N1, N3, N23, S5: what the agent's knowledge says, the kernel does; and all is put back. */
  @Test
  void theKernelDoesWhatIsTracedAndAllIsPutBack() throws Exception {
    for (Ip to : List.of(db.v4(), db.v6())) {
      ProbeResult allowed = probe(web, to, Protocol.TCP, PORT);
      assertThat(allowed.differences()).isEmpty();
      assertThat(allowed.finding().answer().arrived()).isTrue();
      assertThat(allowed.finding().end()).isInstanceOf(Left.class);
      assertThat(allowed.finding().back()).isNotEmpty();
    }
    assertThat(probe(web, db.v4(), Protocol.UDP, 9).differences()).isEmpty();

    // Through a ClusterIP.
    scene
        .api()
        .put(
            json(
                """
                {"apiVersion":"v1","kind":"Service",
                 "metadata":{"namespace":"shop","name":"db","uid":"s-db"},
                 "spec":{"clusterIPs":["10.96.0.10"],"ports":[{"name":"sql","port":80,"targetPort":5432}]}}
                """));
    scene
        .api()
        .put(
            json(
                """
                {"apiVersion":"discovery.k8s.io/v1","kind":"EndpointSlice","addressType":"IPv4",
                 "metadata":{"namespace":"shop","name":"db","uid":"e-db",
                  "labels":{"kubernetes.io/service-name":"db"}},
                 "ports":[{"name":"sql","protocol":"TCP","port":5432}],
                 "endpoints":[{"addresses":["%s"],"conditions":{"ready":true}}]}
                """
                    .formatted(db.v4())));
    Ip service = Ip.parse("10.96.0.10");
    scene.await(
        "the Service",
        PATIENCE,
        () -> traces(web, service, Protocol.TCP, 80).getFirst().answered());
    scene.await(
        "the Service in the kernel",
        PATIENCE,
        () -> probe(web, service, Protocol.TCP, 80).differences().isEmpty());
    ProbeResult served = probe(web, service, Protocol.TCP, 80);
    assertThat(served.finding().end())
        .isInstanceOfSatisfying(
            Left.class, left -> assertThat(left.destination()).isEqualTo(db.v4()));

    // By policy, at both ends.
    scene.api().put(isolation("closed-in", "db", "Ingress"));
    scene.await("ingress", PATIENCE, () -> only(web, db.v4()).outcome() == Reason.POLICY_INGRESS);
    blocked("drop-ingress");
    scene.api().put(isolation("closed-out", "web", "Egress"));
    scene.await("egress", PATIENCE, () -> only(web, db.v4()).outcome() == Reason.POLICY_EGRESS);
    blocked("drop-egress");
    assertThat(PolicyOpening.of(cluster(), only(web, db.v4())).orElse(""))
        .contains("allow-web-out-to-db-5432", "allow-web-to-db-5432");
    assertThat(scene.metric(1, "sund_probes_total{result=\"agrees\"}")).isGreaterThan(5);
  }

  /**
   * A pod that was attached a moment ago is known to the agent's kernel before the API server has
   * told of it: that is no difference between the two, and nothing that is reported.
   */
  @Test
  void whatIsNotKnownYetIsNoDifference() throws Exception {
    PodHandle fresh = scene.addPod("fresh", 1);
    assertThat(story(fresh, db.v4()).differences()).isEmpty();
    PodHandle later = scene.addPod("later", 1);
    assertThat(story(web, later.v6()).differences()).isEmpty();
    assertThat(scene.logText(1)).doesNotContain("probe-differs");
    assertThat(scene.metric(1, "sund_probes_total{result=\"differs\"}")).isZero();
  }

  private LiveProbe.Story story(PodHandle from, Ip to) throws Exception {
    Packet packet = Packet.small(new FromPod(from.key()), to, Protocol.TCP, PORT);
    return new LiveProbe((_, request) -> scene.client(1).ask(request), Duration.ofSeconds(1))
        .send(packet, N1, Optional.of(from.key()), cluster().underlay(), () -> look(packet));
  }

  private LiveProbe.View look(Packet packet) throws IOException {
    try {
      KnownCluster known = known();
      return new LiveProbe.View(
          OfflineCluster.of(known).traces(packet), new TreeMap<>(Map.of(N1, known.program())));
    } catch (Exception e) {
      throw new IOException(e);
    }
  }

  private void blocked(String chain) throws Exception {
    scene.await(
        chain + " in the kernel",
        PATIENCE,
        () ->
            probe(web, db.v4(), Protocol.TCP, PORT).finding().end() instanceof Dropped(var by)
                && by.chain().equals(chain));
    assertThat(probe(web, db.v4(), Protocol.TCP, PORT).differences()).isEmpty();
  }

  private static Tree.Mapping isolation(String name, String app, String type) throws Exception {
    return json(
        """
        {"apiVersion":"networking.k8s.io/v1","kind":"NetworkPolicy",
         "metadata":{"namespace":"shop","name":"%s","uid":"%s"},
         "spec":{"podSelector":{"matchLabels":{"app":"%s"}},"policyTypes":["%s"]}}
        """
            .formatted(name, name, app, type));
  }

  /** A rule of somebody else's is found and named, and is an error that the agent reports. */
  @Test
  void whatTheKernelDoesBesidesIsNamed() throws Exception {
    nft(
        """
        table inet corporate {
          chain forward {
            type filter hook forward priority 10;
            tcp dport 5432 drop comment "no databases"
          }
        }
        """);
    ProbeResult stopped = probe(web, db.v4(), Protocol.TCP, PORT);
    assertThat(stopped.differences())
        .singleElement()
        .asString()
        .contains("dropped it at inet corporate forward rule", "drop (no databases)")
        .contains("the program says that it is answered");
    assertThat(scene.metric(1, "sund_probes_total{result=\"differs\"}")).isEqualTo(1);
    assertThat(scene.logText(1)).contains("probe-differs", "no databases");
    nft("delete table inet corporate");
    assertThat(probe(web, db.v4(), Protocol.TCP, PORT).differences()).isEmpty();

    // A killed agent leaves nothing of a probe behind.
    Thread waiting =
        Thread.ofPlatform()
            .start(() -> {
              try {
                scene
                    .client(1)
                    .ask(
                        new ProbeRequest(
                                Optional.of(web.key()),
                                Ip.parse("192.168.1.99"), // nobody's
                                Protocol.UDP,
                                9999,
                                ProbeRequest.LONGEST,
                                new Expectation(List.of()),
                                true,
                                0)
                            .fields());
              } catch (IOException _) {
                // It is killed meanwhile.
              }
            });
    NetNs node = scene.node(1);
    scene.await(
        "a probe", PATIENCE, () -> scene.run(node, "nft", "list", "tables").contains("sund-probe"));
    scene.kill(1);
    waiting.join();
    scene.await(
        "its end",
        PATIENCE,
        () -> !scene.run(node, "nft", "list", "tables").contains("sund-probe"));
  }
}
