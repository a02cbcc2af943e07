package dev.sund.it.service;

import static dev.sund.model.Protocol.TCP;
import static dev.sund.model.Protocol.UDP;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.cli.ServiceCommand;
import dev.sund.it.agent.AgentProcess;
import dev.sund.it.agent.AgentScene;
import dev.sund.it.agent.AgentScene.PodHandle;
import dev.sund.kernel.NetNs;
import dev.sund.kube.tree.JsonTrees;
import dev.sund.kube.tree.Tree;
import dev.sund.lab.api.Resource;
import dev.sund.model.Ip;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** What of Services needs a live agent: its pages, its commands, its settings, old connections. */
@Tag("netns")
@Timeout(300)
class ServiceNodeTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final Ip WEB = Ip.parse("10.96.0.20");
  private static final Ip N1 = Ip.parse("192.168.1.11");
  private static final Ip N3 = Ip.parse("192.168.2.13");
  private static final int NODE_PORT = 30020;
  private static final int HEALTH = 32100;

  @TempDir private static Path directory;
  private static final Answerers ANSWERERS = new Answerers();
  private static AgentScene scene;
  private static Path proxyConfig;
  private static PodHandle one;
  private static PodHandle two;
  private static PodHandle client;

  @BeforeAll
  static void build() throws Exception {
    scene = AgentScene.build(directory);
    proxyConfig = directory.resolve("kube-proxy.yaml");
    Files.writeString(proxyConfig, config("[]"));
    scene.jvmFlags("-D" + AgentProcess.PROXY_CONFIG + "=" + proxyConfig);
    scene.startAgent(1);
    scene.jvmFlags();
    scene.startAgent(3);
    tellService("Local");
    scene.awaitReady(1, PATIENCE.multipliedBy(2));
    scene.awaitReady(3, PATIENCE.multipliedBy(2));
    scene.run(scene.node(1), "sysctl", "-qw", "net.netfilter.nf_conntrack_acct=1");
    one = scene.addPod("one", 1);
    two = scene.addPod("two", 1);
    client = scene.addPod("client", 1);
    ANSWERERS.answer("one", one.netns(), 8080);
    ANSWERERS.answer("two", two.netns(), 8080);
    tellEndpoints(ready(one));
    awaitAnswer(client.netns(), WEB, 80, "one");
  }

  @AfterAll
  static void close() throws Exception {
    ANSWERERS.close();
    scene.close();
  }

  private static String config(String nodePortAddresses) {
    return """
    apiVersion: kubeproxy.config.k8s.io/v1alpha1
    kind: KubeProxyConfiguration
    mode: iptables
    nodePortAddresses: %s
    """
        .formatted(nodePortAddresses);
  }

  private static void tellService(String externalPolicy) throws Exception {
    scene
        .api()
        .put(
            json(
                """
                {"apiVersion":"v1","kind":"Service",
                 "metadata":{"namespace":"shop","name":"web","uid":"s-web"},
                 "spec":{"type":"LoadBalancer","clusterIPs":["10.96.0.20"],"selector":{"app":"web"},
                  "externalTrafficPolicy":"%s","healthCheckNodePort":%d,
                  "ports":[{"name":"web","port":80,"nodePort":%d},
                           {"name":"dns","port":53,"protocol":"UDP"}]}}
                """
                    .formatted(externalPolicy, HEALTH, NODE_PORT)));
  }

  private record Endpoint(PodHandle pod, boolean ready, boolean terminating) {}

  private static Endpoint ready(PodHandle pod) {
    return new Endpoint(pod, true, false);
  }

  private static void tellEndpoints(Endpoint... endpoints) throws Exception {
    List<String> texts = new ArrayList<>();
    for (Endpoint endpoint : endpoints) {
      texts.add(
          """
          {"addresses":["%s"],"nodeName":"n%d",
           "conditions":{"ready":%s,"serving":true,"terminating":%s},
           "targetRef":{"kind":"Pod","namespace":"shop","name":"%s"}}
          """
              .formatted(
                  endpoint.pod.v4(),
                  endpoint.pod.node(),
                  endpoint.ready,
                  endpoint.terminating,
                  endpoint.pod.key().name()));
    }
    scene
        .api()
        .put(
            json(
                """
                {"apiVersion":"discovery.k8s.io/v1","kind":"EndpointSlice","addressType":"IPv4",
                 "metadata":{"namespace":"shop","name":"web-v4","uid":"e-web",
                  "labels":{"kubernetes.io/service-name":"web"}},
                 "ports":[{"name":"web","protocol":"TCP","port":8080},
                          {"name":"dns","protocol":"UDP","port":8080}],
                 "endpoints":%s}
                """
                    .formatted(texts)));
  }

  private static Tree.Mapping json(String text) throws Exception {
    return (Tree.Mapping) JsonTrees.parse(text);
  }

  private static NetNs outside() {
    return scene.topology().machine("r");
  }

  /** S25: what changes is in the kernel long before Kubernetes' own tests give up. */
  private static void awaitAnswer(NetNs from, Ip address, int port, String who) throws Exception {
    scene.await(
        who + " answers at " + address + " port " + port,
        PATIENCE,
        () -> {
          try {
            return Asker.ask(from, TCP, address, port).by().equals(who);
          } catch (IOException _) {
            return false; // cut off by the change that is waited for
          }
        });
  }

  private static void awaitRefused(Ip address, int port) throws Exception {
    scene.await(
        address + " port " + port + " is refused",
        PATIENCE,
        () -> {
          try {
            return Asker.ask(outside(), TCP, address, port).equals(Heard.REFUSED);
          } catch (IOException _) {
            return false; // somebody else's way to answer, who is there still
          }
        });
  }

  // Health-check node ports.

  @Test
  void loadBalancersAskWhoHasReadyEndpoints() throws Exception { // S11
    tellEndpoints(ready(one));
    assertThat(awaitHealth(N1, "HTTP/1.1 200"))
        .containsIgnoringCase("X-Load-Balancing-Endpoint-Weight: 1")
        .contains("\"namespace\":\"shop\"", "\"name\":\"web\"")
        .contains("\"localEndpoints\":1", "\"serviceProxyHealthy\":true");
    assertThat(awaitHealth(N3, "HTTP/1.1 503")).contains("\"localEndpoints\":0");
    // Who only ends is asked still (S3), but new connections are to go elsewhere.
    tellEndpoints(new Endpoint(one, false, true));
    awaitHealth(N1, "HTTP/1.1 503");
    awaitAnswer(outside(), N1, NODE_PORT, "one");
    tellEndpoints(ready(one));
    awaitHealth(N1, "HTTP/1.1 200");
    tellService("Cluster");
    awaitRefused(N1, HEALTH);
    tellService("Local");
    awaitHealth(N1, "HTTP/1.1 200");
  }

  /** The first answer that begins so. */
  private static String awaitHealth(Ip node, String begin) throws Exception {
    AtomicReference<String> said = new AtomicReference<>("");
    scene.await(
        begin + " at " + node,
        PATIENCE,
        () -> {
          said.set(health(node));
          return said.get().startsWith(begin);
        });
    return said.get();
  }

  private static String health(Ip node) throws Exception {
    Socket socket =
        outside()
            .call(() -> {
              Socket made = new Socket();
              made.setSoTimeout(2_000);
              return made;
            });
    try (socket) {
      socket.connect(
          new InetSocketAddress(InetAddress.getByAddress(node.toBytes()), HEALTH), 1_000);
      socket
          .getOutputStream()
          .write("GET / HTTP/1.0\r\nHost: x\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
      return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException _) {
      return "";
    }
  }

  // Connections of UDP.

  @Test
  void aSocketsDatagramsGoToWhoServesNow() throws Exception { // S15, S25
    tellEndpoints(ready(one));
    awaitAnswer(client.netns(), WEB, 80, "one");
    try (DatagramSocket socket = client.netns().call(() -> new DatagramSocket())) {
      socket.setSoTimeout(200);
      socket.connect(new InetSocketAddress(InetAddress.getByAddress(WEB.toBytes()), 53));
      awaitDatagram(socket, "one");
      // The kernel knows the connection, and would send its datagrams to where nobody serves.
      tellEndpoints(ready(two));
      awaitDatagram(socket, "two");
      // While nobody serves at all, what was there goes on.
      tellEndpoints();
      scene.await(
          "new connections are refused",
          PATIENCE,
          () -> Asker.ask(client.netns(), TCP, WEB, 80).equals(Heard.REFUSED));
      awaitDatagram(socket, "two");
      tellEndpoints(ready(one));
      awaitDatagram(socket, "one");
    }
  }

  private static void awaitDatagram(DatagramSocket socket, String who) throws Exception {
    scene.await(who + " answers datagrams", PATIENCE, () -> asked(socket).equals(who));
  }

  private static String asked(DatagramSocket socket) throws IOException {
    try {
      socket.send(new DatagramPacket(new byte[10], 10));
      DatagramPacket answer = new DatagramPacket(new byte[100], 100);
      socket.receive(answer);
      return new String(answer.getData(), 0, answer.getLength(), StandardCharsets.UTF_8)
          .split(" ", -1)[0];
    } catch (SocketTimeoutException | java.net.PortUnreachableException _) {
      return "";
    } catch (IOException e) {
      if (String.valueOf(e.getMessage()).contains("not permitted")) {
        return "";
      }
      throw e;
    }
  }

  // What commands say.

  @Test
  void aServiceIsShownWithItsConnections() throws Exception {
    tellEndpoints(ready(one), new Endpoint(two, false, false));
    awaitAnswer(client.netns(), WEB, 80, "one");
    Socket socket =
        client
            .netns()
            .call(() -> {
              Socket made = new Socket();
              made.setTcpNoDelay(true); // makes the descriptor here
              return made;
            });
    try (socket) {
      socket.connect(new InetSocketAddress(InetAddress.getByAddress(WEB.toBytes()), 80), 2_000);
      scene.await(
          "the agent has heard of both endpoints and of the policy",
          PATIENCE,
          () ->
              sund("list").contains(" 1/2") && sund("show", "shop/web").contains("external Local"));
      assertThat(sund("list"))
          .containsPattern("NAMESPACE +NAME +TYPE +ADDRESS +PORTS +ENDPOINTS +NOTE")
          .containsPattern("shop +web +LoadBalancer +10.96.0.20 +80:30020/tcp,53/udp +1/2");
      String shown = sund("show", "web", "-n", "shop");
      assertThat(shown)
          .contains("Service shop/web (LoadBalancer)")
          .contains("  policy      internal Cluster, external Local")
          .contains("  health      port 32100: 1 ready here")
          .containsPattern("ENDPOINT +NODE +POD +STATE +CONNECTIONS PACKETS  NOTE")
          .containsPattern(one.v4() + " 8080/tcp +n1 +shop/one +ready +[1-9][0-9]* [1-9][0-9]*/")
          .containsPattern(two.v4() + " 8080/tcp +n1 +shop/two +not ready +0 0/0  it is not ready");
      Tree.Mapping read = json(sund("show", "shop/web", "-o", "json"));
      assertThat(read.text("connectionsKnown")).contains("true");
      assertThat(read.text("healthCheckNodePort")).contains("32100");
      Tree.Sequence endpoints = (Tree.Sequence) read.get("endpoints").orElseThrow();
      assertThat(endpoints.items())
          .map(item -> (Tree.Mapping) item)
          .filteredOn(endpoint -> endpoint.text("address").equals(Optional.of(one.v4().toString())))
          .filteredOn(endpoint -> endpoint.text("protocol").equals(Optional.of("tcp")))
          .singleElement()
          .satisfies(endpoint -> {
            assertThat(Long.parseLong(endpoint.text("connections").orElseThrow())).isPositive();
            assertThat(Long.parseLong(endpoint.text("packets").orElseThrow())).isPositive();
            assertThat(Long.parseLong(endpoint.text("replyPackets").orElseThrow())).isPositive();
          });
    }
  }

  @Test
  void whatCannotBeUsedIsShownWithItsReasonAndOthersGoOn() throws Exception {
    tellEndpoints(ready(one));
    scene
        .api()
        .put(
            json(
                """
                {"apiVersion":"v1","kind":"Service",
                 "metadata":{"namespace":"shop","name":"bad","uid":"s-bad"},
                 "spec":{"clusterIPs":["10.96.0.21"],"ports":[{"name":"web","port":80080}]}}
                """));
    scene.await(
        "the object is refused",
        PATIENCE,
        () ->
            scene
                .client(1)
                .ask(Map.of("command", "SERVICE", "verb", "show", "service", "shop/bad"))
                .json()
                .contains("Service shop/bad cannot be used as it is written: "));
    assertThat(
            scene
                .client(1)
                .ask(Map.of("command", "SERVICE", "verb", "show", "service", "shop/bad"))
                .json())
        .contains("spec.ports", "80080", "[invalid-field]");
    awaitAnswer(client.netns(), WEB, 80, "one");
    scene.api().delete(Resource.SERVICES, "shop/bad");
  }

  private static String sund(String... arguments) {
    StringWriter out = new StringWriter();
    List<String> all = new ArrayList<>(List.of(arguments));
    all.addAll(List.of("--run-dir", scene.runDir(1).toString()));
    int exitCode =
        new CommandLine(new ServiceCommand())
            .setCaseInsensitiveEnumValuesAllowed(true)
            .setOut(new PrintWriter(out))
            .execute(all.toArray(String[]::new));
    assertThat(exitCode).as(out.toString()).isZero();
    return out.toString();
  }

  // Settings that change while the agent runs.

  @Test
  void kubeProxysConfigurationIsFollowedWhileTheAgentRuns() throws Exception { // S14, S25
    tellEndpoints(ready(one));
    tellService("Cluster");
    awaitAnswer(outside(), N1, NODE_PORT, "one");
    awaitAnswer(outside(), N3, NODE_PORT, "one");
    // The file of n1's agent; n3's reads the ConfigMap.
    Files.writeString(proxyConfig, config("[\"10.0.0.0/8\"]"));
    awaitRefused(N1, NODE_PORT);
    awaitAnswer(outside(), N3, NODE_PORT, "one");
    scene
        .api()
        .put(
            json(
                """
                {"apiVersion":"v1","kind":"ConfigMap",
                 "metadata":{"namespace":"kube-system","name":"kube-proxy","uid":"c-kp"},
                 "data":{"config.conf":"%s"}}
                """
                    .formatted(config("['10.0.0.0/8']").replace("\n", "\\n"))));
    awaitRefused(N3, NODE_PORT);
    Files.writeString(proxyConfig, config("[]"));
    awaitAnswer(outside(), N1, NODE_PORT, "one");
    scene.api().delete(Resource.CONFIG_MAPS, "kube-system/kube-proxy");
    awaitAnswer(outside(), N3, NODE_PORT, "one");
    assertThat(Asker.ask(outside(), UDP, N3, NODE_PORT).by()).isEmpty();
    tellService("Local");
  }
}
