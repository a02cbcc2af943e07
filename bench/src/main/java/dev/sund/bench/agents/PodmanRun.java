package dev.sund.bench.agents;

import dev.sund.bench.Bench;
import dev.sund.bench.Benchmark;
import dev.sund.bench.Pairs;
import dev.sund.bench.Row;
import dev.sund.bench.Target;
import dev.sund.bench.traffic.Programs;
import dev.sund.kernel.NetNs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;

/**
 * {@code podman run --rm} of a program that ends at once, with our network and with the reference
 * plugins bridge and host-local. The containers are the same but for that.
 */
public final class PodmanRun implements Benchmark {
  private static final String NETWORK = "measured";

  @Override
  public String name() {
    return "podman-run";
  }

  @Override
  public String what() {
    return "podman run --rm of a program that ends at once, beside the reference plugins";
  }

  @Override
  public List<Row> run(Bench bench) throws Exception {
    for (String program : List.of("podman", "runc", "busybox")) {
      if (!has(program)) {
        bench.say(
            "left out: " + program + " is not installed; 'sund bench podman-run' installs it");
        return List.of();
      }
    }
    Path folder = Files.createTempDirectory("sund"); // podman takes 50 characters in all
    BenchCluster cluster = new BenchCluster(bench.root(), bench.launcher());
    NetNs reference = NetNs.create("bench-podman");
    try {
      Programs.run("ip -netns bench-podman link set lo up");
      cluster.startAgent(0);
      Path root = Files.createDirectories(folder.resolve("root/bin"));
      Files.copy(Path.of("/bin/busybox"), root.resolve("busybox"));
      Files.createSymbolicLink(root.resolve("true"), Path.of("busybox"));
      Side ours = new Side(folder, "ours", cluster.namespace(0));
      ours.plugin(bench.root(), cluster.runDir(0));
      ours.network("{\"type\": \"sund-cni\"}");
      Side theirs = new Side(folder, "reference", reference);
      for (String plugin : List.of("bridge", "host-local")) {
        Files.createSymbolicLink(
            theirs.folder.resolve("bin/" + plugin), Path.of("/usr/lib/cni/" + plugin));
      }
      theirs.network(
          """
          {"type": "bridge", "bridge": "bench-br0", "isGateway": true, "ipMasq": true, "hairpinMode": true,
           "ipam": {"type": "host-local", "dataDir": "%s",
                    "ranges": [[{"subnet": "10.1.0.0/16"}]], "routes": [{"dst": "0.0.0.0/0"}]}}\
          """
              .formatted(theirs.folder.resolve("ipam")));
      int runs = bench.thorough() ? 100 : 30;
      bench.say(runs + " containers of each, in turns");
      return List.of(
          Row.compared(
              "podman run --rm",
              "ms",
              Pairs.run(runs, ours::run, theirs::run),
              Target.ratioAtMost(1.0),
              runs + " containers in turns, wall time; the reference is bridge with ipMasq"));
    } finally {
      cluster.close();
      reference.delete();
      unmount(folder);
      try (var files = Files.walk(folder)) {
        for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
          Files.delete(file);
        }
      }
    }
  }

  /** One podman with a network of its own. */
  private static final class Side {
    private final Path rootfs;
    private final Path folder;
    private final NetNs node;

    Side(Path all, String name, NetNs node) throws IOException {
      this.rootfs = all.resolve("root");
      this.folder = Files.createDirectories(all.resolve(name));
      this.node = node;
      Files.createDirectories(folder.resolve("bin"));
      Files.createDirectories(folder.resolve("conf"));
      Files.createSymbolicLink(folder.resolve("bin/loopback"), Path.of("/usr/lib/cni/loopback"));
      Files.writeString(
          folder.resolve("containers.conf"),
          """
          [containers]
          default_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]
          [network]
          network_backend = "cni"
          cni_plugin_dirs = ["%s"]
          network_config_dir = "%s"
          [engine]
          cgroup_manager = "cgroupfs"
          runtime = "runc"
          events_logger = "file"
          """
              .formatted(folder.resolve("bin"), folder.resolve("conf")));
    }

    /** podman's clean-up has none of our environment: the agent's place is built in. */
    void plugin(Path root, Path runDir) throws IOException {
      Programs.run(
          "env CFLAGS=-DRUN_DIR=\"%s\" %s %s"
              .formatted(runDir, root.resolve("cni/build.sh"), folder.resolve("bin/sund-cni")));
    }

    void network(String plugin) throws IOException {
      Files.writeString(
          folder.resolve("conf/10-measured.conflist"),
          "{\"cniVersion\": \"0.4.0\", \"name\": \"%s\", \"plugins\": [%s]}"
              .formatted(NETWORK, plugin));
    }

    /** Milliseconds of one container, from podman's start to its end. */
    double run() throws IOException {
      long began = System.nanoTime();
      Programs.run(
          "nsenter --net=%1$s env CONTAINERS_CONF=%2$s/containers.conf podman --root %2$s/root --runroot %2$s/runroot --tmpdir %2$s/tmpdir run --rm --network %3$s --rootfs %4$s /bin/true"
              .formatted(node.path(), folder, NETWORK, rootfs));
      return (System.nanoTime() - began) / 1e6;
    }
  }

  private static boolean has(String program) {
    return List.of("/usr/bin/", "/usr/sbin/", "/bin/", "/sbin/").stream()
        .anyMatch(place -> Files.isExecutable(Path.of(place + program)));
  }

  /** What podman mounts and leaves mounted below the folder. */
  private static void unmount(Path folder) throws IOException {
    List<String> mounts =
        Files.readAllLines(Path.of("/proc/self/mounts")).stream()
            .map(line -> line.split(" ")[1])
            .filter(place -> place.startsWith(folder + "/"))
            .toList();
    for (String place : mounts.reversed()) {
      Programs.run("umount -l " + place);
    }
  }
}
