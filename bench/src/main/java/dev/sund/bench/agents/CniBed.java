package dev.sund.bench.agents;

import dev.sund.agent.local.Json;
import dev.sund.bench.Bench;
import dev.sund.bench.Estimate;
import dev.sund.kernel.NetNs;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Pods made and removed by CNI plugins as a runtime calls them, timed from fork to exit by a small
 * program in C: ours with an agent, and Debian's bridge with host-local, with and without ipMasq,
 * each on a node of its own.
 */
final class CniBed implements AutoCloseable {
  private static final Path REFERENCE = Path.of("/usr/lib/cni/bridge");

  /** Who makes the pods. */
  enum Who {
    OURS,
    BRIDGE_MASQ,
    BRIDGE
  }

  private final BenchCluster cluster;
  private final Path folder = Files.createTempDirectory("sund-bench-cni");
  private final Path clock = folder.resolve("clock");
  private final Path plugin;
  private final Map<Who, NetNs> nodes = new LinkedHashMap<>();
  private final List<NetNs> made = new ArrayList<>();
  private int sequence;
  private long resident;

  /** A pod's namespace, with the configuration that its plugin gets. */
  record Sandbox(Who who, String container, NetNs netns, Path config) {}

  CniBed(Bench bench) throws Exception {
    this.plugin = Path.of(System.getProperty("sund.plugin", ""));
    if (!Files.isExecutable(plugin)) {
      throw new IOException("the CNI plugin is not built: '" + plugin + "' is no program");
    }
    run(
        List.of(
            "gcc",
            "-std=c11",
            "-O2",
            "-o",
            clock.toString(),
            bench.root().resolve("bench/src/main/c/clock.c").toString()),
        "");
    // IPv4 alone, as with the reference; a range in which what rests between pods is not missed.
    this.cluster =
        new BenchCluster(
            bench.root(),
            bench.launcher(),
            nodes ->
                nodes
                    .replace("10.244.1.0/24", "10.245.0.0/16")
                    .replace("    - 2001:db8:1::/64\n", ""));
    cluster.startAgent(0);
    nodes.put(Who.OURS, cluster.namespace(0));
    for (Who who : List.of(Who.BRIDGE_MASQ, Who.BRIDGE)) {
      NetNs node = create("bench-ref-" + who.ordinal());
      run(List.of("ip", "-netns", "bench-ref-" + who.ordinal(), "link", "set", "lo", "up"), "");
      nodes.put(who, node);
    }
  }

  private NetNs create(String name) throws IOException {
    NetNs made = NetNs.create(name);
    this.made.add(made);
    return made;
  }

  /** A new pod's namespace. */
  Sandbox sandbox(Who who) throws IOException {
    int number = ++sequence;
    String container = "bench-" + number;
    NetNs netns = create("bench-pod-" + number);
    Map<String, Object> config = new LinkedHashMap<>();
    config.put("cniVersion", "1.0.0");
    config.put("name", "bench-" + who.ordinal());
    switch (who) {
      case OURS -> {
        config.put("type", "sund-cni");
      }
      case BRIDGE_MASQ, BRIDGE -> {
        config.put("type", "bridge");
        config.put("bridge", "bench-br0");
        config.put("isGateway", true);
        config.put("hairpinMode", true);
        config.put("ipMasq", who == Who.BRIDGE_MASQ);
        Map<String, Object> ipam = new LinkedHashMap<>();
        ipam.put("type", "host-local");
        ipam.put("subnet", "10.1.0.0/16");
        ipam.put("dataDir", folder.resolve("ipam-" + who.ordinal()).toString());
        ipam.put("routes", List.of(Map.of("dst", "0.0.0.0/0")));
        config.put("ipam", ipam);
      }
    }
    Path file = folder.resolve(container + ".json");
    Files.writeString(file, Json.write(config));
    return new Sandbox(who, container, netns, file);
  }

  /** The cluster whose first node's agent makes our pods. */
  BenchCluster cluster() {
    return cluster;
  }

  /** The plugin's program. */
  Path plugin() {
    return plugin;
  }

  /** The most memory that a call of our plugin has had resident, in bytes. */
  long resident() {
    return resident;
  }

  /** One call, in milliseconds. */
  double call(String command, Sandbox sandbox) throws IOException, InterruptedException {
    return call("seq", command, List.of(sandbox))[0];
  }

  /** Calls for all of them at once, in milliseconds each. */
  double[] burst(String command, List<Sandbox> sandboxes) throws IOException, InterruptedException {
    return call("par", command, sandboxes);
  }

  /** Takes a pod's namespace away. */
  void drop(Sandbox sandbox) throws IOException {
    sandbox.netns.delete();
    made.remove(sandbox.netns);
    Files.deleteIfExists(sandbox.config);
  }

  private double[] call(String mode, String command, List<Sandbox> sandboxes)
      throws IOException, InterruptedException {
    Who who = sandboxes.getFirst().who;
    StringBuilder lines = new StringBuilder();
    for (Sandbox one : sandboxes) {
      lines.append(one.container).append(' ').append(one.netns.path()).append(' ');
      lines.append(one.config).append('\n');
    }
    Path output = folder.resolve("output");
    Files.deleteIfExists(output);
    String text =
        run(
            List.of(
                clock.toString(),
                mode,
                nodes.getOrDefault(who, NetNs.ofProcess()).path().toString(),
                (who == Who.OURS ? plugin : REFERENCE).toString(),
                command,
                output.toString()),
            lines.toString());
    List<Double> millis = new ArrayList<>();
    for (String line : text.lines().toList()) {
      String[] words = line.split(" ");
      if (!words[0].equals("0")) {
        throw new IOException(who + " " + command + ": " + Files.readString(output));
      }
      millis.add(Double.parseDouble(words[1]) / 1000);
      if (who == Who.OURS) {
        resident = Math.max(resident, Long.parseLong(words[2]) * 1024);
      }
    }
    return millis.stream().mapToDouble(Double::doubleValue).toArray();
  }

  private String run(List<String> command, String input) throws IOException, InterruptedException {
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().put("CNI_PATH", "/usr/lib/cni");
    if (cluster != null) {
      builder.environment().put("SUND_RUN_DIR", cluster.runDir(0).toString());
    }
    Process process = builder.start();
    try (var in = process.getOutputStream()) {
      in.write(input.getBytes(StandardCharsets.UTF_8));
    }
    String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (process.waitFor() != 0) {
      throw new IOException(String.join(" ", command) + ": " + text);
    }
    return text;
  }

  /** The value below which 99 of 100 lie. */
  static double p99(double[] samples) {
    return Estimate.percentile(samples, 99);
  }

  @Override
  public void close() throws IOException {
    for (NetNs one : List.copyOf(made)) {
      one.delete();
    }
    cluster.close();
    try (var files = Files.walk(folder)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }
}
