package dev.sund.bench.agent;

import dev.sund.bench.Bench;
import dev.sund.bench.Benchmark;
import dev.sund.bench.Estimate;
import dev.sund.bench.Row;
import dev.sund.bench.Target;
import dev.sund.kernel.NetNs;
import dev.sund.kube.manifest.ManifestFiles;
import dev.sund.lab.Console;
import dev.sund.lab.LabCluster;
import dev.sund.lab.agents.AgentProcesses;
import dev.sund.lab.scene.Scene;
import dev.sund.lab.scene.SceneReader;
import dev.sund.lab.topology.LabHome;
import dev.sund.model.NodeName;
import java.io.IOException;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Three nodes with an agent process each, 50 pods on the first: how long a restarted agent takes to
 * be ready, its memory, and how long it takes until a new pod is reached.
 */
public final class AgentBenchmark implements Benchmark {
  private static final NodeName NODE = new NodeName("n1");
  private static final int PODS = 50;
  private static final Duration LIMIT = Duration.ofSeconds(60);

  @Override
  public String name() {
    return "agent";
  }

  @Override
  public String what() {
    return "an agent's restart with 50 pods, its memory, and how soon a new pod is reached";
  }

  @Override
  public List<Row> run(Bench bench) throws Exception {
    List<Row> rows = new ArrayList<>();
    Scene scene =
        SceneReader.read(
            ManifestFiles.parse("bench", AgentScenes.threeNodes(PODS)), OptionalInt.empty());
    Console console =
        new Console(new PrintStream(PrintStream.nullOutputStream()), System.err, false);
    try (LabHome home = LabHome.create();
        LabCluster cluster =
            LabCluster.stand(
                scene,
                home,
                new AgentProcesses(
                    List.of(bench.launcher().toString()), Map.of("SUND_BUILD", "never")),
                Optional.of(bench.root().resolve("deploy")),
                console)) {
      try {
        measure(bench, cluster, home, rows);
      } catch (IOException e) {
        throw new IOException(e.getMessage() + "; the end of its log:\n" + logOf(home), e);
      }
    }
    return rows;
  }

  private static void measure(Bench bench, LabCluster cluster, LabHome home, List<Row> rows)
      throws Exception {
    for (String node : List.of("n1", "n2", "n3")) {
      awaitReady(cluster.topology().machine(node));
    }
    cluster.settle();
    rows.add(restart(bench, cluster));
    try (PodArrivals arrivals = new PodArrivals(cluster, home.directory())) {
      rows.addAll(arrivals.measure(bench));
    }
    rows.addAll(memory(bench, cluster));
  }

  private static String logOf(LabHome home) throws IOException {
    List<String> lines = Files.readAllLines(home.directory().resolve("n1").resolve("agent.log"));
    return String.join("\n", lines.subList(Math.max(0, lines.size() - 12), lines.size()));
  }

  private static Row restart(Bench bench, LabCluster cluster) throws Exception {
    int times = bench.thorough() ? 40 : 20;
    bench.say("restarting the agent of " + PODS + " pods " + times + " times");
    double[] millis = new double[times];
    NetNs namespace = cluster.topology().machine(NODE.text());
    for (int i = 0; i < times; i++) {
      cluster.agent(NODE).stop();
      long began = System.nanoTime();
      cluster.startAgent(NODE);
      awaitReady(namespace);
      millis[i] = (System.nanoTime() - began) / 1e6;
    }
    return Row.figure(
        "agent restart, 50 pods, exec to /readyz",
        "ms",
        Estimate.ofMedian(millis),
        Optional.of(Target.atMost(1000)),
        "median; the other two agents stand; slowest %.0f ms"
            .formatted(Estimate.percentile(millis, 100)));
  }

  private static List<Row> memory(Bench bench, LabCluster cluster) throws Exception {
    cluster.agent(NODE).stop();
    cluster.startAgent(NODE);
    awaitReady(cluster.topology().machine(NODE.text()));
    bench.say("waiting 60 s for the agent's memory to settle");
    Thread.sleep(60_000);
    ProcessHandle agent =
        ProcessHandle.current()
            .descendants()
            .filter(process -> isAgentOf(process, NODE))
            .findFirst()
            .orElseThrow(() -> new IOException("the agent's process is not found"));
    Path proc = Path.of("/proc", Long.toString(agent.pid()));
    long kilobytes = 0;
    for (String line : Files.readAllLines(proc.resolve("status"))) {
      if (line.startsWith("VmRSS:")) {
        kilobytes = Long.parseLong(line.replaceAll("[^0-9]", ""));
      }
    }
    long cache = 0;
    boolean inCache = false;
    for (String line : Files.readAllLines(proc.resolve("smaps"))) {
      if (line.matches("[0-9a-f]+-[0-9a-f]+ .*")) {
        inCache = line.endsWith(".aot");
      } else if (inCache && line.startsWith("Rss:")) {
        cache += Long.parseLong(line.replaceAll("[^0-9]", ""));
      }
    }
    return List.of(
        Row.figure(
            "agent's RSS 60 s after ready",
            "MB",
            Estimate.single(kilobytes * 1024 / 1e6),
            Optional.of(Target.atMost(100)),
            "50 pods; %.1f MB of it are pages of the ahead-of-time cache"
                .formatted(cache * 1024 / 1e6)));
  }

  private static boolean isAgentOf(ProcessHandle process, NodeName node) {
    try {
      String line =
          Files.readString(Path.of("/proc", Long.toString(process.pid()), "cmdline"))
              .replace('\0', ' ');
      return line.contains(" agent ") && line.contains("--node " + node + " ");
    } catch (IOException _) {
      return false; // it has ended meanwhile
    }
  }

  private static void awaitReady(NetNs namespace) throws IOException, InterruptedException {
    long deadline = System.nanoTime() + LIMIT.toNanos();
    while (!ready(namespace)) {
      if (System.nanoTime() > deadline) {
        throw new IOException("the agent of " + namespace + " is not ready within " + LIMIT);
      }
      Thread.sleep(2);
    }
  }

  private static boolean ready(NetNs namespace) throws IOException {
    try (Socket socket =
        namespace.<Socket, IOException>call(() -> {
          Socket made = new Socket();
          made.setTcpNoDelay(true); // makes the descriptor here
          return made;
        })) {
      socket.connect(new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 9470), 1_000);
      socket.setSoTimeout(5_000);
      socket
          .getOutputStream()
          .write("GET /readyz HTTP/1.0\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
      String answer = new String(socket.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
      return answer.startsWith("HTTP/1.1 200");
    } catch (java.net.SocketException | java.net.SocketTimeoutException _) {
      return false;
    }
  }
}
