package dev.sund.it.service;

import static dev.sund.model.Protocol.TCP;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.it.agent.AgentProcess;
import dev.sund.it.agent.AgentScene;
import dev.sund.it.agent.AgentScene.PodHandle;
import dev.sund.kernel.NetNs;
import dev.sund.kube.tree.JsonTrees;
import dev.sund.kube.tree.Tree;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Services while agents and pods come and go, with real agents and an API server. */
@Tag("netns")
@Timeout(300)
class AgentServicesTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final Ip WEB = Ip.parse("10.96.0.10");
  private static final Ip WEB_V6 = Ip.parse("fd00:96::10");
  private static final String SERVER = "192.168.1.254:6443";
  private static final Ip KUBERNETES = Ip.parse("10.96.0.1");

  @TempDir private Path directory;
  private AgentScene scene;
  private final Answerers answerers = new Answerers();

  /** By pod: ready, or on its way out. */
  private final Map<PodHandle, Boolean> backends = new LinkedHashMap<>();

  @BeforeEach
  void build() throws Exception {
    scene = AgentScene.build(directory);
    scene
        .api()
        .put(
            json(
                """
                {"apiVersion":"v1","kind":"Service",
                 "metadata":{"namespace":"default","name":"kubernetes","uid":"s-k"},
                 "spec":{"clusterIPs":["10.96.0.1"],"ports":[{"name":"https","port":443}]}}
                """));
    scene
        .api()
        .put(
            json(
                """
                {"apiVersion":"discovery.k8s.io/v1","kind":"EndpointSlice","addressType":"IPv4",
                 "metadata":{"namespace":"default","name":"kubernetes","uid":"e-k",
                  "labels":{"kubernetes.io/service-name":"kubernetes"}},
                 "ports":[{"name":"https","protocol":"TCP","port":6443}],
                 "endpoints":[{"addresses":["192.168.1.254"],"conditions":{"ready":true}}]}
                """));
    scene
        .api()
        .put(
            json(
                """
                {"apiVersion":"v1","kind":"Service",
                 "metadata":{"namespace":"shop","name":"web","uid":"s-web"},
                 "spec":{"clusterIPs":["10.96.0.10","fd00:96::10"],"selector":{"app":"web"},
                  "ports":[{"name":"web","port":80,"targetPort":8080}]}}
                """));
    // What agents are told of the server is its Service, and its own address beside it.
    Files.writeString(
        scene.kubeconfig(), Files.readString(scene.kubeconfig()).replace(SERVER, "10.96.0.1:443"));
    scene.jvmFlags("-D" + AgentProcess.API_SERVER + "=" + SERVER);
    scene.startAll();
  }

  @AfterEach
  void clear() throws Exception {
    answerers.close();
    scene.close();
  }

  @Test
  void aClusterWhoseApiIsBehindAServiceBootsWithoutIt() throws Exception {
    // The agents began on empty kernels, and went to the server by the address of their own option.
    assertThat(Files.readString(scene.kubeconfig())).contains("10.96.0.1:443");
    PodHandle client = scene.addPod("client", 2);
    for (NetNs from : List.of(client.netns(), scene.node(3))) {
      scene.await("the API server answers at its Service", PATIENCE, () -> versionAt(from));
    }
  }

  private static boolean versionAt(NetNs from) throws Exception {
    Socket socket =
        from.<Socket, Exception>call(() -> {
          Socket made = new Socket();
          made.setSoTimeout(2_000);
          return made;
        });
    try (socket) {
      socket.connect(
          new InetSocketAddress(InetAddress.getByAddress(KUBERNETES.toBytes()), 443), 1_000);
      socket
          .getOutputStream()
          .write("GET /version HTTP/1.0\r\nHost: x\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
      // The server may keep the connection: the beginning of its answer is enough.
      return new String(socket.getInputStream().readNBytes(9), StandardCharsets.UTF_8)
          .startsWith("HTTP/1.1 ");
    } catch (java.io.IOException _) {
      return false;
    }
  }

  @Test
  void killsAndARollingUpdateLoseNoConnection() throws Exception { // S21, S23
    PodHandle client = scene.addPod("client", 1);
    List<PodHandle> old = new ArrayList<>();
    for (int node = 1; node <= scene.nodes(); node++) {
      old.add(come("old" + node, node));
    }
    tellSlices();
    scene.await(
        "the Service answers",
        PATIENCE,
        () ->
            Asker.ask(client.netns(), TCP, WEB, 80).end() == Heard.End.ANSWERED
                && Asker.ask(client.netns(), TCP, WEB_V6, 80).end() == Heard.End.ANSWERED);
    try (Connections connections = new Connections(client.netns())) {
      awaitMore(connections, 60);
      scene.kill(1);
      awaitMore(connections, 60); // the kernel goes on without an agent
      scene.startAgent(1);
      scene.awaitReady(1, PATIENCE);
      scene.terminate(2);
      scene.startAgent(2);
      scene.awaitReady(2, PATIENCE);
      int node = 1;
      for (PodHandle leaving : old) {
        come("new" + node, node);
        tellSlices();
        backends.put(leaving, false);
        tellSlices();
        // The grace that a pod has to end: until the client's node has heard of it.
        scene.await(
            leaving.key() + " is asked no more", PATIENCE, () -> !isEndpointOnFirstNode(leaving));
        awaitMore(connections, 150);
        backends.remove(leaving);
        tellSlices();
        scene.removePod(leaving);
        node++;
      }
      awaitMore(connections, 60);
      connections.stop();
      System.out.println(connections.heard);
      assertThat(connections.heard.keySet())
          .as("%s", connections.heard)
          .allMatch(heard -> heard.end() == Heard.End.ANSWERED);
      assertThat(connections.heard.keySet().stream().map(Heard::by))
          .contains("new1", "new2", "new3");
    }
    assertThat(ServiceBed.names(Asker.ask(client.netns(), TCP, WEB, 80, 10, 48)))
        .containsExactly("new1", "new2", "new3");
  }

  /** So many connections more end, however long that takes. */
  private void awaitMore(Connections connections, int count) throws Exception {
    long enough = connections.made.get() + count;
    scene.await(count + " connections more", PATIENCE, () -> connections.made.get() > enough);
  }

  private boolean isEndpointOnFirstNode(PodHandle pod) throws Exception {
    for (Family family : Family.values()) {
      String map = "endpoints-" + family.label();
      String listed = scene.run(scene.node(1), "nft", "list", "map", "inet", "sund", map);
      Ip address = family == Family.V4 ? pod.v4() : pod.v6();
      if (Pattern.compile(Pattern.quote(address.toString()) + "(?![0-9a-f])")
          .matcher(listed)
          .find()) {
        return true;
      }
    }
    return false;
  }

  private PodHandle come(String name, int node) throws Exception {
    PodHandle pod = scene.addPod(name, node);
    answerers.answer(name, pod.netns(), 8080);
    backends.put(pod, true);
    return pod;
  }

  private void tellSlices() throws Exception {
    for (Family family : Family.values()) {
      List<String> endpoints = new ArrayList<>();
      backends.forEach((pod, ready) ->
          endpoints.add(
              """
              {"addresses":["%s"],"nodeName":"n%d","conditions":{"ready":%s,"serving":true,"terminating":%s},
               "targetRef":{"kind":"Pod","namespace":"shop","name":"%s"}}
              """
                  .formatted(
                      family == Family.V4 ? pod.v4() : pod.v6(),
                      pod.node(),
                      ready,
                      !ready,
                      pod.key().name())));
      scene
          .api()
          .put(
              json(
                  """
                  {"apiVersion":"discovery.k8s.io/v1","kind":"EndpointSlice","addressType":"%s",
                   "metadata":{"namespace":"shop","name":"web-%s","uid":"e-web-%s",
                    "labels":{"kubernetes.io/service-name":"web"}},
                   "ports":[{"name":"web","protocol":"TCP","port":8080}],"endpoints":%s}
                  """
                      .formatted(
                          family == Family.V4 ? "IPv4" : "IPv6",
                          family.label(),
                          family.label(),
                          endpoints)));
    }
  }

  private static Tree.Mapping json(String text) throws Exception {
    return (Tree.Mapping) JsonTrees.parse(text);
  }

  /** New connections to the Service, 200 a second, of both families by turns. */
  private static final class Connections implements AutoCloseable {
    private static final long INTERVAL_NANOS = 5_000_000;

    private final Map<Heard, Integer> heard = new TreeMap<>();
    private final NetNs from;
    private final Thread thread;
    private volatile boolean stopping;
    private final AtomicLong made = new AtomicLong();

    Connections(NetNs from) {
      this.from = from;
      this.thread = Thread.ofPlatform().daemon(true).start(this::run);
    }

    private void run() {
      long next = System.nanoTime();
      while (!stopping) {
        try {
          // The source is left out: whom the endpoint sees depends on where it is.
          for (Heard one : Asker.ask(from, TCP, made.get() % 2 == 0 ? WEB : WEB_V6, 80, 10, 1)) {
            heard.merge(new Heard(one.end(), one.by(), ""), 1, Integer::sum);
          }
        } catch (java.io.IOException e) {
          heard.merge(
              new Heard(Heard.End.NO_WAY, String.valueOf(e.getMessage()), ""), 1, Integer::sum);
        }
        made.incrementAndGet();
        next = Math.max(next + INTERVAL_NANOS, System.nanoTime() - 20 * INTERVAL_NANOS);
        LockSupport.parkNanos(next - System.nanoTime());
      }
    }

    void stop() throws InterruptedException {
      stopping = true;
      thread.join();
    }

    @Override
    public void close() throws InterruptedException {
      stop();
    }
  }
}
