package dev.sund.dataplane.nft;

import static dev.sund.dataplane.nft.Rows.bridged;
import static dev.sund.dataplane.nft.Rows.cluster;
import static dev.sund.dataplane.nft.Rows.nat;
import static dev.sund.dataplane.nft.Rows.put;
import static dev.sund.dataplane.nft.Rows.remove;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.dataplane.ApplyReport;
import dev.sund.dataplane.Driver.Step;
import dev.sund.dataplane.FailPoint;
import dev.sund.engine.program.Masquerade;
import dev.sund.kernel.NetNs;
import dev.sund.kernel.nft.NftChain;
import dev.sund.kernel.nft.NftOp;
import dev.sund.kernel.nft.NftSocket;
import dev.sund.kernel.socket.Endpoint;
import dev.sund.kernel.socket.MessageBuffer;
import dev.sund.kernel.socket.NetSocket;
import dev.sund.kernel.testing.TestNetns;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Real packets from a pod through a node to a host outside and to a pod elsewhere, and who they say
 * they are from.
 */
@Tag("netns")
class MasqueradePacketsNetnsTest {
  private static final int PORT = 5353;

  private static final List<Masquerade> ROWS =
      List.of(
          nat("10.244.0.0/16", "four"),
          cluster("10.244.0.0/16", "four"),
          nat("fd00:10::/56", "six"),
          cluster("fd00:10::/56", "six"));

  private final TestNetns net = TestNetns.open();
  private final NetNs pod = net.create("pod");
  private final NetNs node = net.create("node");
  private final NetNs outside = net.create("outside");
  private final NetNs remotePod = net.create("remote");
  private NftDriver driver;

  @BeforeEach
  void connect() throws Exception {
    TestNetns.link(pod, "eth0", "10.244.1.5/32", "fd00:10::105/128", node, "pod");
    TestNetns.link(remotePod, "eth0", "10.244.2.5/32", "fd00:10::205/128", node, "remote");
    TestNetns.link(node, "uplink", "192.0.2.1/24", "2001:db8::1/64", outside, "eth0");
    run(outside, "ip addr add 192.0.2.9/24 dev eth0");
    run(outside, "ip -6 addr add 2001:db8::9/64 dev eth0 nodad");
    for (NetNs end : List.of(pod, remotePod)) {
      run(node, "ip addr add 169.254.1.1/32 dev " + (end == pod ? "pod" : "remote"));
      run(node, "ip -6 addr add fe80::1/64 dev " + (end == pod ? "pod" : "remote") + " nodad");
      run(end, "ip route add 169.254.1.1 dev eth0 scope link");
      run(end, "ip route add default via 169.254.1.1");
      run(end, "ip -6 route add default via fe80::1 dev eth0");
    }
    run(node, "ip route add 10.244.1.5 dev pod");
    run(node, "ip route add 10.244.2.5 dev remote");
    run(node, "ip -6 route add fd00:10::105 dev pod");
    run(node, "ip -6 route add fd00:10::205 dev remote");
    // So that packets that are not translated arrive too, and can be told apart.
    run(outside, "ip route add 10.244.0.0/16 via 192.0.2.1");
    run(outside, "ip -6 route add fd00:10::/56 via 2001:db8::1");
    run(node, "sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1");
    driver = new NftDriver(NftPort.over(NftSocket.open(node)), FailPoint.NONE);
    driver.resync();
    driver.allowSweep();
  }

  @AfterEach
  void close() {
    driver.close();
    net.close();
  }

  @ParameterizedTest
  @EnumSource(Family.class)
  void podLeavesTheClusterWithTheNodesAddressAndMeetsPodsWithItsOwn(Family family)
      throws Exception {
    assertThat(sourceSeen(family, outside)).isEqualTo(podAddress(family));

    want(ROWS);

    assertThat(sourceSeen(family, outside)).isEqualTo(nodeAddress(family));
    assertThat(sourceSeen(family, remotePod)).isEqualTo(podAddress(family));
    driver.want(
        remove(
            ROWS.stream()
                .filter(row -> row.part() == Masquerade.Part.NAT_OUTGOING)
                .toArray(Masquerade[]::new)));
    apply();
    assertThat(sourceSeen(family, outside)).isEqualTo(podAddress(family));
    assertThat(sourceSeen(family, remotePod)).isEqualTo(podAddress(family));
  }

  @ParameterizedTest
  @EnumSource(Family.class)
  void whatLeavesABridgesSubnetHasTheNodesAddressWhereverItGoes(Family family) throws Exception {
    List<Masquerade> around =
        List.of(bridged("10.244.0.0/16", "net"), bridged("fd00:10::/56", "net"));
    List<Masquerade> inside =
        List.of(bridged("10.244.1.0/24", "net"), bridged("fd00:10::100/120", "net"));
    want(around);

    assertThat(sourceSeen(family, outside)).isEqualTo(nodeAddress(family));
    assertThat(sourceSeen(family, remotePod)).as("on one subnet").isEqualTo(podAddress(family));

    driver.want(remove(around.toArray(Masquerade[]::new)));
    driver.want(put(ROWS.toArray(Masquerade[]::new)));
    want(inside);
    assertThat(sourceSeen(family, remotePod))
        .as("also to what is in the cluster")
        .isNotEqualTo(podAddress(family));
    assertThat(driver.lift().values()).containsAll(inside);
    assertThat(driver.verify()).isEmpty();
  }

  @ParameterizedTest
  @EnumSource(Family.class)
  void connectionThatHasBegunKeepsItsSourceThroughRebuildAndRemovalOfRows(Family family)
      throws Exception {
    want(ROWS);
    try (NetSocket server = listener(outside, family);
        NetSocket client = pod.call(() -> NetSocket.udp(family))) {
      MessageBuffer buffer = new MessageBuffer(64);
      Endpoint first = exchange(client, server, buffer, outsideAddress(family));
      assertThat(first.ip()).isEqualTo(nodeAddress(family));

      // A foreign chain in our table: the whole table is made anew, in one transaction.
      try (NftSocket someone = NftSocket.open(node)) {
        someone
            .commit(List.of(new NftOp.CreateChain(NftChain.regular(MasqueradeLowering.TABLE, "x"))))
            .orThrow();
      }
      driver.resync();
      apply();
      assertThat(driver.counts().rebuilds()).isEqualTo(2);
      assertThat(exchange(client, server, buffer, outsideAddress(family))).isEqualTo(first);

      driver.want(remove(ROWS.toArray(Masquerade[]::new)));
      apply();
      assertThat(exchange(client, server, buffer, outsideAddress(family))).isEqualTo(first);
    }
  }

  @ParameterizedTest
  @EnumSource(Family.class)
  void afterAFlushAndItsRepairTheConnectionGoesOnAsBefore(Family family) throws Exception {
    want(ROWS);
    try (NetSocket server = listener(outside, family);
        NetSocket client = pod.call(() -> NetSocket.udp(family))) {
      MessageBuffer buffer = new MessageBuffer(64);
      Endpoint first = exchange(client, server, buffer, outsideAddress(family));

      run(node, "nft flush ruleset");
      driver.resync();
      apply();

      assertThat(exchange(client, server, buffer, outsideAddress(family))).isEqualTo(first);
    }
  }

  private void want(List<Masquerade> rows) {
    driver.want(put(rows.toArray(Masquerade[]::new)));
    apply();
    assertThat(driver.pending()).isZero();
  }

  private void apply() {
    ApplyReport report = driver.apply(Step.PUT, 1000).plus(driver.apply(Step.REMOVE, 1000));
    assertThat(report.failed()).isEmpty();
  }

  /** The source address of a new connection from the pod, as the other end sees it. */
  private Ip sourceSeen(Family family, NetNs receiver) throws Exception {
    try (NetSocket server = listener(receiver, family);
        NetSocket client = pod.call(() -> NetSocket.udp(family))) {
      Ip to = receiver == outside ? outsideAddress(family) : remotePodAddress(family);
      return exchange(client, server, new MessageBuffer(64), to).ip();
    }
  }

  private static NetSocket listener(NetNs namespace, Family family) throws Exception {
    return namespace.call(() -> NetSocket.udp(family)).bind(Endpoint.any(family, PORT));
  }

  /** One datagram there and one back; who the receiver thinks it is from. */
  private static Endpoint exchange(NetSocket client, NetSocket server, MessageBuffer buffer, Ip to)
      throws Exception {
    buffer.data().putInt(0, 0x53756e64);
    assertThat(buffer.sendTo(client, 32, new Endpoint(to, PORT))).isEqualTo(32);
    awaitMessage(server, buffer);
    Endpoint from = buffer.from().orElseThrow();
    assertThat(buffer.sendTo(server, 16, from)).isEqualTo(16);
    awaitMessage(client, buffer);
    assertThat(buffer.from().orElseThrow().ip()).isEqualTo(to);
    return from;
  }

  private static void awaitMessage(NetSocket socket, MessageBuffer buffer) throws Exception {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
    while (buffer.receive(socket) < 0) {
      assertThat(System.nanoTime()).as("a datagram came to " + socket).isLessThan(end);
      Thread.onSpinWait();
    }
  }

  private static Ip podAddress(Family family) {
    return Ip.parse(family == Family.V4 ? "10.244.1.5" : "fd00:10::105");
  }

  private static Ip remotePodAddress(Family family) {
    return Ip.parse(family == Family.V4 ? "10.244.2.5" : "fd00:10::205");
  }

  private static Ip nodeAddress(Family family) {
    return Ip.parse(family == Family.V4 ? "192.0.2.1" : "2001:db8::1");
  }

  private static Ip outsideAddress(Family family) {
    return Ip.parse(family == Family.V4 ? "192.0.2.9" : "2001:db8::9");
  }

  private static void run(NetNs namespace, String command) {
    TestNetns.run(namespace, command.split(" "));
  }
}
