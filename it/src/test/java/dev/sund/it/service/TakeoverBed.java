package dev.sund.it.service;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.cli.TakeoverCommand;
import dev.sund.dataplane.foreign.ProxyLeavings;
import dev.sund.it.agent.AgentProcess;
import dev.sund.it.agent.AgentScene;
import dev.sund.it.agent.AgentScene.PodHandle;
import dev.sund.kernel.NetNs;
import dev.sund.kube.tree.JsonTrees;
import dev.sund.kube.tree.Tree;
import dev.sund.model.Ip;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;
import picocli.CommandLine;

/**
 * A node with a real agent and two pods, and rules for one Service in the shape of kube-proxy's
 * modes beside it; who asks all the while.
 */
final class TakeoverBed implements AutoCloseable {
  /** The agent's own time to come up, also in an emulator. */
  static final Duration PATIENCE = Duration.ofSeconds(120);

  private static final String SERVICE = "10.96.0.10";
  private static final int SOCKET_MILLIS = 5_000;

  private final Path directory;
  private final AgentScene scene;
  private final PodHandle web;
  private final PodHandle client;
  private final ServerSocket server;

  private TakeoverBed(Path directory, AgentScene scene) throws Exception {
    this.directory = directory;
    this.scene = scene;
    scene
        .api()
        .put(
            json(
                """
                {"apiVersion":"v1","kind":"Service",
                 "metadata":{"namespace":"shop","name":"web","uid":"s-web"},
                 "spec":{"clusterIPs":["10.96.0.10"],"selector":{"app":"web"},
                  "ports":[{"name":"web","port":80,"targetPort":8080}]}}
                """));
    agent(false);
    this.web = scene.addPod("web", 1);
    this.client = scene.addPod("client", 1);
    scene
        .api()
        .put(
            json(
                """
                {"apiVersion":"discovery.k8s.io/v1","kind":"EndpointSlice","addressType":"IPv4",
                 "metadata":{"namespace":"shop","name":"web-v4","uid":"e-web",
                  "labels":{"kubernetes.io/service-name":"web"}},
                 "ports":[{"name":"web","protocol":"TCP","port":8080}],
                 "endpoints":[{"addresses":["%s"],"nodeName":"n1","conditions":{"ready":true},
                  "targetRef":{"kind":"Pod","namespace":"shop","name":"web"}}]}
                """
                    .formatted(web.v4())));
    this.server = web.netns().call(() -> new ServerSocket(8080, 1024));
    Thread.ofVirtual().start(this::accept);
  }

  /** With an agent that serves no Services yet. */
  static TakeoverBed build(Path directory) throws Exception {
    AgentScene scene = AgentScene.build(directory);
    boolean complete = false;
    try {
      TakeoverBed bed = new TakeoverBed(directory, scene);
      complete = true;
      return bed;
    } finally {
      if (!complete) {
        scene.close();
      }
    }
  }

  private static Tree.Mapping json(String text) throws Exception {
    return (Tree.Mapping) JsonTrees.parse(text);
  }

  private void accept() {
    while (!server.isClosed()) {
      try {
        Socket accepted = server.accept();
        Thread.ofVirtual().start(() -> echo(accepted));
      } catch (IOException _) {
        // closed
      }
    }
  }

  private static void echo(Socket accepted) {
    try (accepted) {
      accepted.getInputStream().transferTo(accepted.getOutputStream());
    } catch (IOException _) {
      // its asker is gone
    }
  }

  /** The node's agent is started anew, and serves Services or does not. */
  void agent(boolean services) throws Exception {
    if (scene.hasAgent(1)) {
      scene.terminate(1);
    }
    scene.jvmFlags("-D" + AgentProcess.SERVICES + "=" + services);
    scene.startAgent(1);
    scene.awaitReady(1, PATIENCE);
  }

  /** Folders of classes that stand before all others in agents that start from now on. */
  void classesFirst(Path... folders) {
    scene.classesFirst(folders);
  }

  /** Writes the rules that kube-proxy has for the Service in this mode. */
  void kubeProxy(String mode) throws Exception {
    write(mode, node(), web.v4(), directory);
  }

  /** Writes the rules that kube-proxy has for a Service with this endpoint. */
  static void write(String mode, NetNs node, Ip endpoint, Path directory) throws Exception {
    Path file = directory.resolve("kube-proxy." + mode);
    try (InputStream text = TakeoverBed.class.getResourceAsStream("kube-proxy." + mode)) {
      Files.writeString(
          file,
          new String(text.readAllBytes(), StandardCharsets.UTF_8)
              .replace("ENDPOINT", endpoint.toString()));
    }
    String path = file.toString();
    switch (mode) {
      case "nft" -> ServiceBed.run(node, "nft", "-f", path);
      case "iptables" -> ServiceBed.run(node, "iptables-nft-restore", "--noflush", path);
      case "ipvs" -> ServiceBed.run(node, "sh", "-e", path);
      default -> throw new IllegalArgumentException(mode);
    }
  }

  NetNs node() {
    return scene.node(1);
  }

  /** What of kube-proxy's is on the node. */
  List<String> left() throws Exception {
    return ProxyLeavings.find(node()).stream().map(Object::toString).toList();
  }

  /** The agent says in its status that this of kube-proxy's is there; it looks now and then. */
  void awaitTold(String what) throws Exception {
    scene.await(
        what + " is told",
        PATIENCE,
        () -> {
          String status = scene.client(1).ask(Map.of("command", "STATUS")).json();
          return status.contains("kube-proxy-rules") && status.contains(what);
        });
  }

  /** How a command ended, and what it printed. */
  record Ended(int exitCode, String out) {}

  /** Runs {@code sund takeover} on the node. */
  Ended takeover(String... options) {
    return takeover(node(), scene.runDir(1), options);
  }

  /** Runs {@code sund takeover} on a node whose agent's socket is in this folder. */
  static Ended takeover(NetNs node, Path runDir, String... options) {
    StringWriter out = new StringWriter();
    List<String> all = new ArrayList<>(List.of(options));
    all.addAll(List.of("--netns", node.path().toString(), "--run-dir", runDir.toString()));
    int exitCode =
        new CommandLine(new TakeoverCommand())
            .setOut(new PrintWriter(out))
            .execute(all.toArray(String[]::new));
    return new Ended(exitCode, out.toString());
  }

  /** A connection through the Service that stays. */
  final class Talk implements AutoCloseable {
    private final Socket socket;

    private Talk() throws Exception {
      socket =
          client
              .netns()
              .call(() -> {
                Socket made = new Socket();
                made.setTcpNoDelay(true); // makes the descriptor here
                return made;
              });
      socket.setSoTimeout(SOCKET_MILLIS);
      socket.connect(new InetSocketAddress(InetAddress.ofLiteral(SERVICE), 80), SOCKET_MILLIS);
      goesOn();
    }

    /** A byte goes there and comes back. */
    void goesOn() throws IOException {
      socket.getOutputStream().write(7);
      assertThat(socket.getInputStream().read()).isEqualTo(7);
    }

    @Override
    public void close() throws IOException {
      socket.close();
    }
  }

  Talk talk() throws Exception {
    return new Talk();
  }

  /** New connections all the while, some fifty a second. */
  final class Comers implements AutoCloseable {
    private final List<String> failures = new ArrayList<>();
    private final Thread thread;
    private volatile boolean stopping;
    private int made;

    private Comers() {
      thread = Thread.ofPlatform().daemon(true).start(this::run);
    }

    private void run() {
      while (!stopping) {
        try (Talk talk = talk()) {
          talk.goesOn();
        } catch (Exception | AssertionError e) {
          failures.add(made + ": " + e);
        }
        made++;
        LockSupport.parkNanos(20_000_000);
      }
    }

    /** Ends it; says what did not work. */
    List<String> stop() throws InterruptedException {
      close();
      assertThat(made).isGreaterThan(20);
      return failures;
    }

    @Override
    public void close() throws InterruptedException {
      stopping = true;
      thread.join();
    }
  }

  Comers comers() {
    return new Comers();
  }

  @Override
  public void close() throws IOException {
    server.close();
    scene.close();
  }
}
