package dev.sund.cli;

import dev.sund.agent.local.Answer;
import dev.sund.agent.local.LocalClient;
import dev.sund.kernel.NetNs;
import dev.sund.kube.manifest.ManifestFiles;
import dev.sund.lab.ApiMachine;
import dev.sund.lab.scene.Scene;
import dev.sund.lab.scene.SceneReader;
import dev.sund.lab.topology.Topology;
import dev.sund.model.Family;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/**
 * One agent's life for the ahead-of-time cache: the examples' cluster with its API server, an agent
 * on one node that becomes ready, pods attached and detached, its pages read.
 */
final class AgentTraining implements AutoCloseable {
  private static final String TOKEN = "training";
  private static final int HTTP_PORT = 9470;

  private final Path root = Path.of(System.getProperty("sund.root"));
  private final Path folder = Files.createTempDirectory("sund-training");
  private final Scene scene =
      SceneReader.read(
          ManifestFiles.read(List.of(root.resolve("examples/shop").toString()), System.in),
          OptionalInt.empty());
  private final Scene.SceneNode node = scene.nodes().getFirst();
  private final Topology topology = Topology.build("sund-train-", scene.underlay());
  private final ApiMachine machine =
      ApiMachine.start(scene, topology.machine(Scene.API), Optional.of(root.resolve("deploy")));

  AgentTraining() throws IOException {}

  /** An agent's life in this process. */
  void runHere() throws Exception {
    List<String> command = new ArrayList<>(agent());
    command.addAll(List.of("--netns", topology.machine(node.name().text()).path().toString()));
    Thread agent = new Thread(() -> AotTraining.execute(command), "sund-training");
    agent.setDaemon(true);
    agent.start();
    live();
  }

  /** An agent's life in a process of its own, which the JVM watches and writes down in a file. */
  void runWatched(Path cache) throws Exception {
    List<String> command = new ArrayList<>();
    command.add("nsenter");
    command.add("--net=" + topology.machine(node.name().text()).path());
    command.add(System.getProperty("sund.launcher"));
    command.addAll(agent());
    ProcessBuilder builder = new ProcessBuilder(command).inheritIO();
    builder.environment().remove("SUND_TRAIN");
    builder.environment().put("SUND_BUILD", "never");
    builder.environment().put("SUND_RECORD", cache.toString());
    Process agent = builder.start();
    try {
      live();
    } finally {
      agent.destroy(); // by the signal that ends agents: then the file is written
      if (!agent.waitFor(2, TimeUnit.MINUTES)) {
        agent.destroyForcibly();
      }
    }
  }

  private List<String> agent() {
    return List.of(
        "agent",
        "--kubeconfig",
        folder.resolve("kubeconfig").toString(),
        "--node",
        node.name().text(),
        "--run-dir",
        folder.toString(),
        "--state-dir",
        folder.resolve("state").toString(),
        "--doctor-period",
        "1");
  }

  private void live() throws Exception {
    fillApi();
    LocalClient client = new LocalClient(folder);
    for (int i = 0; i < 400 && !isReady(client); i++) {
      Thread.sleep(50);
    }
    for (Scene.ScenePod pod : scene.pods()) {
      if (pod.node().equals(node.name()) && !pod.pod().hostNetwork()) {
        attach(client, pod);
      }
    }
    NetNs namespace = topology.machine(node.name().text());
    for (int i = 0; i < 200 && !hasChecked(client); i++) {
      Thread.sleep(50);
    }
    page(namespace, "/readyz");
    page(namespace, "/metrics");
  }

  private void fillApi() throws IOException {
    scene.objects().forEach(machine.api()::put);
    scene.nodes().forEach(each -> machine.api().put(each.tree()));
    scene.pods().forEach(each -> machine.api().put(each.tree()));
    machine.writeAgentConfig(folder.resolve("kubeconfig"), Family.V4, TOKEN);
  }

  /** Whether the doctor's checks have run. */
  private static boolean hasChecked(LocalClient client) {
    try {
      return !client.ask(Map.of("command", "STATUS")).json().contains("\"ran\":\"\"");
    } catch (IOException notYet) {
      return false;
    }
  }

  private boolean isReady(LocalClient client) {
    try {
      return client.ask(Map.of("command", "STATUS")).json().contains("\"ready\":true");
    } catch (IOException notYet) {
      return false;
    }
  }

  private void attach(LocalClient client, Scene.ScenePod pod) throws IOException {
    NetNs namespace = topology.createPod(pod.pod().key());
    List<String> ips =
        pod.pod().ips().stream()
            .map(ip -> ip + "/" + ip.family().bits())
            .collect(Collectors.toList());
    for (String command : List.of("ADD", "CHECK", "DEL")) {
      Answer answer =
          client.ask(
              LocalClient.cniRequest(
                  command,
                  "training-" + pod.pod().uid(),
                  namespace.path().toString(),
                  "eth0",
                  "IgnoreUnknown=1;K8S_POD_NAMESPACE=%s;K8S_POD_NAME=%s;K8S_POD_UID=%s"
                      .formatted(
                          pod.pod().key().namespace(), pod.pod().key().name(), pod.pod().uid()),
                  ips));
      System.out.println(command + " " + pod.pod().key() + ": " + answer.exitCode());
    }
  }

  private static void page(NetNs namespace, String path) throws Exception {
    try (Socket socket = namespace.call(Socket::new)) {
      namespace.call(() -> {
        socket.connect(new InetSocketAddress("127.0.0.1", HTTP_PORT), 2000);
        return socket;
      });
      socket
          .getOutputStream()
          .write(
              ("GET " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                  .getBytes(StandardCharsets.US_ASCII));
      int size = socket.getInputStream().readAllBytes().length;
      System.out.println(path + ": " + size + " bytes");
    }
  }

  @Override
  public void close() {
    machine.close();
    topology.close();
  }
}
