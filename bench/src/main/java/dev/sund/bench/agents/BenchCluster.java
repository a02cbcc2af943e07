package dev.sund.bench.agents;

import dev.sund.agent.local.Answer;
import dev.sund.agent.local.LocalClient;
import dev.sund.engine.cluster.Node;
import dev.sund.kernel.NetNs;
import dev.sund.kube.api.Kubeconfig;
import dev.sund.kube.manifest.ManifestFiles;
import dev.sund.kube.tree.MalformedException;
import dev.sund.kube.tree.Tree;
import dev.sund.lab.api.LabApi;
import dev.sund.lab.api.Rbac;
import dev.sund.lab.api.Resource;
import dev.sund.lab.api.Subject;
import dev.sund.lab.scene.Scene;
import dev.sund.lab.scene.SceneReader;
import dev.sund.lab.topology.Topology;
import dev.sund.model.Ip;
import dev.sund.model.PodKey;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;

/**
 * Three nodes of the examples with their underlay and API server, and an agent process on each;
 * pods as they are asked for.
 */
final class BenchCluster implements AutoCloseable {
  private static final String TOKEN = "bench";
  private static final int API_PORT = 6443;
  private static final int HTTP_PORT = 9470;
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  private final Path launcher;
  private final Path folder = Files.createTempDirectory("sund-bench");
  private final Scene scene;
  private final Topology topology;
  private final LabApi api = new LabApi(InstantSource.system());
  private final List<Process> agents = new ArrayList<>();

  BenchCluster(Path root, Path launcher) throws IOException {
    this(root, launcher, UnaryOperator.identity());
  }

  /**
   * With other nodes than those of the example.
   *
   * @param nodes changes the text of their manifests
   */
  BenchCluster(Path root, Path launcher, UnaryOperator<String> nodes) throws IOException {
    this.launcher = launcher;
    Path manifests = folder.resolve("nodes.yaml");
    Files.writeString(
        manifests, nodes.apply(Files.readString(root.resolve("examples/shop/nodes.yaml"))));
    scene =
        SceneReader.read(
            ManifestFiles.read(List.of(manifests.toString()), System.in), OptionalInt.empty());
    topology = Topology.build("bench-", scene.underlay());
    try {
      serveApi(root);
    } catch (MalformedException e) {
      throw new IOException(e);
    }
  }

  private void serveApi(Path root) throws IOException, MalformedException {
    api.allow(Rbac.read(root.resolve("deploy/rbac.yaml")));
    api.apply(root.resolve("deploy/lease.yaml"));
    api.token(TOKEN, Subject.serviceAccount("kube-system", "sund-agent"));
    scene.objects().forEach(api::put);
    scene.nodes().forEach(node -> api.put(node.tree()));
    ServerSocket socket =
        topology
            .machine(Scene.API)
            .call(() -> {
              ServerSocket made = new ServerSocket();
              made.bind(new InetSocketAddress(API_PORT));
              return made;
            });
    api.serve(socket);
    Files.writeString(
        folder.resolve("kubeconfig"),
        Kubeconfig.text("http://" + scene.addresses(Scene.API).getFirst() + ":" + API_PORT, TOKEN));
  }

  List<Scene.SceneNode> nodes() {
    return scene.nodes();
  }

  Node node(int number) {
    return scene.nodes().get(number).node();
  }

  NetNs namespace(int node) {
    return topology.machine(node(node).name().text());
  }

  Path runDir(int node) {
    return folder.resolve("run-" + node);
  }

  /** Starts an agent and waits until its page says that it is ready. Returns its process. */
  Process startAgent(int node) throws IOException, InterruptedException {
    Path log = folder.resolve("agent-" + node + ".log");
    ProcessBuilder builder =
        new ProcessBuilder(
                "nsenter",
                "--net=" + namespace(node).path(),
                launcher.toString(),
                "agent",
                "--kubeconfig",
                folder.resolve("kubeconfig").toString(),
                "--node",
                node(node).name().text(),
                "--run-dir",
                runDir(node).toString(),
                "--state-dir",
                folder.resolve("state-" + node).toString())
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()));
    builder.environment().put("SUND_BUILD", "never");
    Process process = builder.start();
    agents.add(process);
    long end = System.nanoTime() + PATIENCE.toNanos();
    while (!isReady(node)) {
      if (System.nanoTime() > end || !process.isAlive()) {
        throw new IOException("the agent is not ready: " + Files.readString(log));
      }
      Thread.sleep(1);
    }
    return process;
  }

  private boolean isReady(int node) {
    try {
      return page(node, "/readyz").startsWith("HTTP/1.1 200");
    } catch (IOException notYet) {
      return false;
    }
  }

  /** A number of an agent's metrics; 0 as long as there is none. */
  double metric(int node, String name) throws IOException {
    return page(node, "/metrics")
        .lines()
        .filter(line -> line.startsWith(name + " "))
        .mapToDouble(line -> Double.parseDouble(line.substring(name.length() + 1)))
        .findFirst()
        .orElse(0);
  }

  private String page(int node, String path) throws IOException {
    try (Socket socket =
        namespace(node)
            .call(() -> {
              Socket opened = new Socket();
              opened.bind(null); // makes the socket while the thread is in the namespace
              return opened;
            })) {
      socket.connect(new InetSocketAddress("127.0.0.1", HTTP_PORT), 1000);
      socket.setSoTimeout(10_000);
      socket
          .getOutputStream()
          .write(
              ("GET " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                  .getBytes(StandardCharsets.US_ASCII));
      return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  /** Ends an agent as a supervisor does. */
  void stop(Process agent) throws InterruptedException {
    agent.destroy();
    if (!agent.waitFor(10, TimeUnit.SECONDS)) {
      agent.destroyForcibly().waitFor();
    }
    agents.remove(agent);
  }

  /**
   * A pod with a namespace and nothing in it.
   *
   * @param node by number from 0
   */
  record Pod(PodKey key, int node, List<Ip> ips, NetNs namespace) {}

  /** Tells the API server of a node that nobody runs: routes and tunnel ends are made for it. */
  void announceNode(String name, String podCidr, Ip address) throws IOException {
    api.put(
        tree(
            """
            apiVersion: v1
            kind: Node
            metadata:
              name: %1$s
              uid: uid-%1$s
              creationTimestamp: 2026-01-01T00:00:00Z
            spec:
              podCIDR: %2$s
              podCIDRs:
              - %2$s
            status:
              addresses:
              - type: InternalIP
                address: %3$s
            """
                .formatted(name, podCidr, address)));
  }

  /** Makes a pod's namespace; nobody is told of it. */
  Pod newPod(int node, String name, List<Ip> ips) throws IOException {
    PodKey key = new PodKey("bench", name);
    return new Pod(key, node, ips, topology.createPod(key));
  }

  /** Puts an object on the API server. */
  void put(Tree.Mapping object) {
    api.put(object);
  }

  /** Puts an object on the API server that is written so. */
  void put(String yaml) throws IOException {
    api.put(tree(yaml));
  }

  /** Takes a NetworkPolicy from the API server. */
  void deletePolicy(String key) {
    api.delete(Resource.NETWORK_POLICIES, key);
  }

  /**
   * Tells the API server that the pod runs with its addresses; what its name says before a hyphen
   * is its label {@code role}.
   */
  void announce(Pod pod) throws IOException {
    StringBuilder ips = new StringBuilder();
    pod.ips().forEach(ip -> ips.append("  - ip: '").append(ip).append("'\n"));
    api.put(
        tree(
            """
            apiVersion: v1
            kind: Pod
            metadata:
              namespace: bench
              name: %s
              uid: %s
              creationTimestamp: 2026-01-01T00:00:00Z
              labels: {role: %s}
            spec:
              nodeName: %s
              containers: []
            status:
              phase: Running
              podIP: '%s'
              podIPs:
            %s\
            """
                .formatted(
                    pod.key().name(),
                    uid(pod),
                    pod.key().name().replaceFirst("-.*", ""),
                    node(pod.node()).name(),
                    pod.ips().getFirst(),
                    ips)));
  }

  private static Tree.Mapping tree(String yaml) throws IOException {
    return ManifestFiles.parse("bench", yaml).objects().getFirst().tree();
  }

  private static String uid(Pod pod) {
    return "uid-" + pod.key().name();
  }

  /** Asks the pod's agent for its network, as the CNI plugin does. */
  void attach(Pod pod) throws IOException {
    Answer answer = ask(pod, "ADD");
    if (answer.exitCode() != 0) {
      throw new IOException(pod.key() + ": " + answer.json());
    }
  }

  /** Takes the pod away again. */
  void remove(Pod pod) throws IOException {
    ask(pod, "DEL");
    api.delete(Resource.PODS, pod.key().toString());
    topology.removePod(pod.key());
  }

  private Answer ask(Pod pod, String command) throws IOException {
    return new LocalClient(runDir(pod.node()))
        .ask(
            LocalClient.cniRequest(
                command,
                "c-" + pod.key().name(),
                pod.namespace().path().toString(),
                "eth0",
                "IgnoreUnknown=1;K8S_POD_NAMESPACE=bench;K8S_POD_NAME=%s;K8S_POD_UID=%s"
                    .formatted(pod.key().name(), uid(pod)),
                pod.ips().stream().map(ip -> ip + "/" + ip.family().bits()).toList()));
  }

  @Override
  public void close() {
    agents.forEach(Process::destroyForcibly);
    api.close();
    topology.close();
  }
}
