package dev.sund.it.doctor;

import dev.sund.doctor.Catalogue;
import dev.sund.doctor.Check;
import dev.sund.doctor.Examination;
import dev.sund.doctor.Facts;
import dev.sund.doctor.Host;
import dev.sund.doctor.UnreadException;
import dev.sund.doctor.check.Peer;
import dev.sund.doctor.probe.Answerer;
import dev.sund.doctor.probe.Limits;
import dev.sund.doctor.probe.ProbeFacts;
import dev.sund.doctor.probe.ProbeSettings;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.NetNs;
import dev.sund.kernel.socket.Endpoint;
import dev.sund.kernel.testing.TestNetns;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.Random;

/**
 * Two nodes and what is between them: a switch, or two routers with a link of their own. On the
 * second node an answerer runs; the first one probes it.
 */
final class ProbeBed implements AutoCloseable {
  static final Ip A4 = Ip.parse("10.77.1.1");
  static final Ip A6 = Ip.parse("fd77:1::1");
  private static final List<Ip> PODS_A = List.of(Ip.parse("10.78.1.9"), Ip.parse("fd78:1::9"));
  private static final List<Ip> PODS_B = List.of(Ip.parse("10.78.2.9"), Ip.parse("fd78:2::9"));

  private final TestNetns net = TestNetns.open();
  final NetNs a = net.create("a");
  final NetNs b = net.create("b");

  /** The switch, or the first node's router. */
  final NetNs middle = net.create("m");

  private final List<AutoCloseable> running = new ArrayList<>();
  private final boolean routed;

  private ProbeBed(boolean routed) {
    this.routed = routed;
  }

  /** Both on one switch. */
  static ProbeBed bridged() {
    ProbeBed bed = new ProbeBed(false);
    bed.ip(bed.middle, "link add br0 type bridge");
    bed.ip(bed.middle, "link set br0 up");
    bed.join(bed.a, "eth0", bed.middle, "porta");
    bed.join(bed.b, "eth0", bed.middle, "portb");
    for (String port : List.of("porta", "portb")) {
      bed.ip(bed.middle, "link set dev " + port + " master br0");
    }
    bed.address(bed.a, "eth0", "10.77.1.1/24", "fd77:1::1/64");
    bed.address(bed.b, "eth0", "10.77.1.2/24", "fd77:1::2/64");
    return bed;
  }

  /** A router for each node, and a link of this MTU between the routers. */
  static ProbeBed routed(int mtu) {
    ProbeBed bed = new ProbeBed(true);
    NetNs far = bed.far();
    bed.join(bed.a, "eth0", bed.middle, "porta");
    bed.join(bed.b, "eth0", far, "portb");
    bed.join(bed.middle, "wan", far, "wan");
    bed.address(bed.a, "eth0", "10.77.1.1/24", "fd77:1::1/64");
    bed.address(bed.middle, "porta", "10.77.1.254/24", "fd77:1::fe/64");
    bed.address(bed.middle, "wan", "10.77.9.1/24", "fd77:9::1/64");
    bed.address(far, "wan", "10.77.9.2/24", "fd77:9::2/64");
    bed.address(far, "portb", "10.77.2.254/24", "fd77:2::fe/64");
    bed.address(bed.b, "eth0", "10.77.2.2/24", "fd77:2::2/64");
    for (NetNs router : List.of(bed.middle, far)) {
      TestNetns.run(router, "sysctl", "-qw", "net.ipv4.ip_forward=1");
      TestNetns.run(router, "sysctl", "-qw", "net.ipv6.conf.all.forwarding=1");
      bed.ip(router, "link set wan mtu " + mtu);
    }
    bed.ip(bed.a, "route add default via 10.77.1.254");
    bed.ip(bed.a, "-6 route add default via fd77:1::fe");
    bed.ip(bed.b, "route add default via 10.77.2.254");
    bed.ip(bed.b, "-6 route add default via fd77:2::fe");
    bed.ip(bed.middle, "route add 10.77.2.0/24 via 10.77.9.2");
    bed.ip(bed.middle, "-6 route add fd77:2::/64 via fd77:9::2");
    bed.ip(far, "route add 10.77.1.0/24 via 10.77.9.1");
    bed.ip(far, "-6 route add fd77:1::/64 via fd77:9::1");
    return bed;
  }

  private NetNs far() {
    return net.create("n");
  }

  private void join(NetNs one, String device, NetNs other, String otherDevice) {
    ip(one, "link add " + device + " type veth peer name " + otherDevice + " netns " + other);
    ip(one, "link set " + device + " up");
    ip(other, "link set " + otherDevice + " up");
  }

  private void address(NetNs node, String device, String v4, String v6) {
    ip(node, "addr add " + v4 + " dev " + device);
    ip(node, "-6 addr add " + v6 + " dev " + device + " nodad");
  }

  void ip(NetNs node, String words) {
    TestNetns.run(node, ("ip " + words).split(" "));
  }

  /** Loads rules. */
  void nft(NetNs node, String rules) throws Exception {
    Path file = Files.createTempFile("sundt", ".nft");
    try {
      Files.writeString(file, rules);
      TestNetns.run(node, "nft", "-f", file.toString());
    } finally {
      Files.delete(file);
    }
  }

  /** The second node's address. */
  Ip peer(Family family) {
    String subnet = routed ? "2" : "1";
    return Ip.parse(family == Family.V4 ? "10.77." + subnet + ".2" : "fd77:" + subnet + "::2");
  }

  /** Starts the answerer on the second node. */
  void answer() throws Exception {
    List<Endpoint> listen = new ArrayList<>();
    for (Family family : Family.values()) {
      listen.add(Endpoint.any(family, Answerer.PORT));
    }
    Answerer answerer = Answerer.open(b, listen, PODS_B, new Random(), _ -> {});
    Thread thread =
        Thread.ofPlatform()
            .name("sund-answerer")
            .start(() -> {
              try {
                answerer.run(OptionalLong.empty());
              } catch (KernelException e) {
                throw new java.io.UncheckedIOException(e);
              }
            });
    running.add(() -> {
      answerer.stop();
      thread.join();
      answerer.close();
    });
  }

  /**
   * Probes the second node.
   *
   * @param links what the fact {@code links} says of the first one's tunnels
   */
  Probed probe(Family family, String links) throws Exception {
    // The machine of a test is slow at times; what is slow is judged elsewhere.
    return probe(family, links, new Limits(1_000_000, 2_000_000, 3_000_000, 1_000_000, 10, 50));
  }

  /** The same, with these limits. */
  Probed probe(Family family, String links, Limits limits) throws Exception {
    ProbeSettings settings =
        new ProbeSettings(
            new Endpoint(peer(family), Answerer.PORT), Duration.ofSeconds(1), limits, PODS_A);
    Facts facts =
        Facts.none()
            .with(Facts.PROBE, new ProbeFacts(a, settings, new Random()))
            .with(Facts.LINKS, _ -> links);
    Host host = new Host(Path.of("/"), Duration.ZERO, Thread::sleep, facts);
    List<Check<?>> checks = Catalogue.peer();
    Examination found = Examination.of(host, checks);
    return new Probed(found, host);
  }

  /** What came of a probe. */
  record Probed(Examination found, Host host) {
    Peer peer() throws UnreadException {
      return Peer.of(host);
    }

    /** Each finding as severity, check and text, in the order in which they are shown. */
    List<String> findings() {
      return found.findings().stream()
          .map(one ->
              one.finding().severity().label()
                  + " "
                  + one.check().id()
                  + ": "
                  + one.finding().text())
          .toList();
    }
  }

  /** A counter of a device. */
  static long counter(NetNs node, String device, String name) {
    return Long.parseLong(
        TestNetns.run(
                node,
                "unshare",
                "--mount",
                "sh",
                "-c",
                "mount -t sysfs sysfs /sys && cat /sys/class/net/%s/statistics/%s"
                    .formatted(device, name))
            .strip());
  }

  @Override
  public void close() {
    try {
      for (AutoCloseable one : running) {
        one.close();
      }
    } catch (Exception e) {
      throw new AssertionError(e);
    } finally {
      net.close();
    }
  }
}
