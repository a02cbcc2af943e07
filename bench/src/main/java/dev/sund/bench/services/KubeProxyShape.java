package dev.sund.bench.services;

import dev.sund.model.Checks;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * The same Services in the shape that kube-proxy's nftables mode writes: a chain for each Service
 * and each endpoint, and a verdict map from addresses to chains; applied by {@code nft -f} as it
 * does.
 *
 * <p>In transactions of at most 500 Services: the kernel's time for one transaction of this shape
 * grows with its square, and 10,000 in one lock the machine up for tens of seconds.
 */
final class KubeProxyShape {
  static final int MOST_SERVICES = 1_000;
  private static final int AT_ONCE = 500;
  private static final String TABLE = "ip kubeproxy";

  private KubeProxyShape() {}

  /** Files with commands, to be applied in their order. */
  static List<Path> write(ServiceCluster cluster, Path folder) throws IOException {
    Checks.range("services in this shape", cluster.services(), 1, MOST_SERVICES);
    List<Path> files = new ArrayList<>();
    files.add(Files.writeString(folder.resolve("frame.nft"), frame()));
    for (int from = 0; from < cluster.services(); from += AT_ONCE) {
      StringBuilder text = new StringBuilder();
      for (int i = from; i < Math.min(cluster.services(), from + AT_ONCE); i++) {
        service(cluster, i, text);
      }
      files.add(Files.writeString(folder.resolve("services-" + from + ".nft"), text));
    }
    return files;
  }

  /** Milliseconds that {@code nft} takes for them. */
  static double apply(List<Path> files) throws IOException, InterruptedException {
    long began = System.nanoTime();
    for (Path file : files) {
      nft(file);
    }
    return (System.nanoTime() - began) / 1e6;
  }

  static void remove(Path folder) throws IOException, InterruptedException {
    nft(
        Files.writeString(
            folder.resolve("gone.nft"), "add table " + TABLE + "\ndelete table " + TABLE + "\n"));
  }

  private static void nft(Path file) throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder("nft", "-f", file.toString())
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .start();
    if (!process.waitFor(60, TimeUnit.SECONDS)) {
      process.destroyForcibly();
      throw new IOException("nft -f " + file + " took longer than a minute");
    }
    Checks.that(process.exitValue() == 0, "nft -f " + file + " succeeds");
  }

  private static String frame() {
    return """
    add table ip kubeproxy
    add map ip kubeproxy service-ips { type ipv4_addr . inet_proto . inet_service : verdict ; }
    add chain ip kubeproxy mark-for-masquerade
    add rule ip kubeproxy mark-for-masquerade mark set mark or 0x4000
    add chain ip kubeproxy services
    add rule ip kubeproxy services ip daddr . meta l4proto . th dport vmap @service-ips
    add chain ip kubeproxy nat-prerouting { type nat hook prerouting priority -100 ; }
    add rule ip kubeproxy nat-prerouting jump services
    add chain ip kubeproxy nat-output { type nat hook output priority -100 ; }
    add rule ip kubeproxy nat-output jump services
    add chain ip kubeproxy nat-postrouting { type nat hook postrouting priority 100 ; }
    add rule ip kubeproxy nat-postrouting mark and 0x4000 != 0 masquerade fully-random
    """;
  }

  private static void service(ServiceCluster cluster, int i, StringBuilder text) {
    String port = "/shop/web-" + i + "/tcp/";
    String service = "service-" + Integer.toString(i + 1_000_000, 36) + port;
    StringBuilder choices = new StringBuilder();
    for (int number = 0; number < cluster.endpoints(); number++) {
      String address = ServiceCluster.endpoint(i, number).toString();
      String endpoint = "endpoint-" + Integer.toString(i * 64 + number, 36) + port + address;
      text.append("add chain %s %s\n".formatted(TABLE, endpoint));
      text.append(
          "add rule %s %s ip saddr %s jump mark-for-masquerade\n"
              .formatted(TABLE, endpoint, address));
      text.append(
          "add rule %s %s meta l4proto tcp dnat to %s:8080\n".formatted(TABLE, endpoint, address));
      choices.append(number == 0 ? "" : ", ").append(number + " : goto " + endpoint);
    }
    String address = ServiceCluster.address(i).toString();
    text.append("add chain %s %s\n".formatted(TABLE, service));
    text.append(
        "add rule %s %s ip daddr %s tcp dport 80 ip saddr != 11.0.0.0/8 jump"
                .formatted(TABLE, service, address)
            + " mark-for-masquerade\n");
    text.append(
        "add rule %s %s numgen random mod %d vmap { %s }\n"
            .formatted(TABLE, service, cluster.endpoints(), choices));
    text.append(
        "add element %s service-ips { %s . tcp . 80 : goto %s }\n"
            .formatted(TABLE, address, service));
  }
}
