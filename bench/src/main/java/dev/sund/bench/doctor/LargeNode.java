package dev.sund.bench.doctor;

import dev.sund.bench.traffic.Programs;
import dev.sund.kernel.NetNs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A namespace as node with many pods at one bridge and a firewall with many addresses, made by the
 * programs that an administrator has.
 */
final class LargeNode implements AutoCloseable {
  static final int PODS = 500;
  static final int ELEMENTS = 10_000;
  private static final String NAME = "sund-doctor";

  private final Path folder;
  private final List<NetNs> namespaces = new ArrayList<>();

  private LargeNode(Path folder) {
    this.folder = folder;
  }

  static LargeNode make() throws IOException {
    LargeNode made = new LargeNode(Files.createTempDirectory("sund-bench-doctor"));
    try {
      made.build();
      return made;
    } catch (IOException | RuntimeException e) {
      made.close();
      throw e;
    }
  }

  private void build() throws IOException {
    namespaces.add(NetNs.create(NAME));
    StringBuilder links =
        new StringBuilder(
            """
            link set lo up
            link add eth0 type veth peer name far0
            address add 192.168.11.11/24 dev eth0
            link set eth0 up
            link set far0 up
            route add default via 192.168.11.1
            link add cni0 mtu 1450 type bridge
            address add 10.1.0.1/16 dev cni0
            link set cni0 up
            """);
    for (int i = 1; i <= PODS; i++) {
      namespaces.add(NetNs.create(NAME + "-" + i));
      links.append(
          "link add veth%1$d mtu 1450 type veth peer name eth0 mtu 1450 netns %2$s-%1$d%n"
              .formatted(i, NAME));
      links.append("link set veth%d master cni0 up%n".formatted(i));
    }
    batch(NAME, links.toString());
    for (int i = 1; i <= PODS; i++) {
      batch(
          NAME + "-" + i,
          """
          link set lo up
          address add 10.1.%d.%d/16 dev eth0
          link set eth0 up
          route add default via 10.1.0.1
          """
              .formatted(i / 250 + 1, i % 250 + 2));
    }
    StringBuilder rules = new StringBuilder("table inet guard {\n set bad { type ipv4_addr\n");
    rules.append("  elements = { 100.64.0.0");
    for (int i = 1; i < ELEMENTS; i++) {
      rules.append(", 100.64.%d.%d".formatted(i / 250, i % 250));
    }
    rules.append(" } }\n chain forward { type filter hook forward priority 0\n");
    rules.append("  ip saddr @bad drop\n }\n}\n");
    Path file = Files.writeString(folder.resolve("rules"), rules.toString());
    Programs.run("nsenter --net=%s nft -f %s".formatted(NetNs.named(NAME).path(), file));
  }

  private void batch(String namespace, String commands) throws IOException {
    Path file = Files.writeString(folder.resolve("batch"), commands);
    Programs.run("ip -n %s -batch %s".formatted(namespace, file));
  }

  /** A command line that runs a shell's words in the node, with its own {@code /sys}. */
  List<String> inside(String words) {
    return List.of(
        "nsenter",
        "--net=" + NetNs.named(NAME).path(),
        "unshare",
        "--mount",
        "sh",
        "-c",
        "mount -t sysfs sysfs /sys && " + words);
  }

  /** What a process may write, such as its output. */
  Path file(String name) {
    return folder.resolve(name);
  }

  @Override
  public void close() throws IOException {
    for (NetNs namespace : namespaces) {
      namespace.delete();
    }
    try (var files = Files.list(folder)) {
      for (Path file : files.toList()) {
        Files.delete(file);
      }
    }
    Files.delete(folder);
  }
}
