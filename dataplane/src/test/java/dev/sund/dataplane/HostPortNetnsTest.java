package dev.sund.dataplane;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.dataplane.testing.TestPod;
import dev.sund.dataplane.testing.Testbed;
import dev.sund.engine.cluster.Attachment;
import dev.sund.engine.cluster.ClusterEvent;
import dev.sund.engine.cluster.IpPool;
import dev.sund.engine.cluster.PortMapping;
import dev.sund.kernel.NetNs;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.Protocol;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Ports of a pod at its node, as real packets see them: from outside, from other pods, from itself
 * (S9), from the node and its loopback; both families; what is kept out; and what is left when the
 * pod goes.
 */
@Tag("netns")
class HostPortNetnsTest {
  private static final int HOST_PORT = 8080;
  private static final int POD_PORT = 80;
  private static final int PATIENCE_MILLIS = 30_000;
  private static final String NODE_V4 = "192.168.77.1";
  private static final String NODE_V6 = "2001:db8:77::1";

  private final Testbed bed = Testbed.of(2, IpPool.VxlanMode.CROSS_SUBNET);
  private TestPod web;
  private TestPod neighbour;
  private TestPod remote;

  @BeforeEach
  void pods() {
    TestPod plain = bed.newPod(1, "web");
    web =
        new TestPod(
            plain.node(),
            plain
                .attachment()
                .withPortMappings(
                    List.of(
                        PortMapping.of(HOST_PORT, POD_PORT, Protocol.TCP),
                        PortMapping.of(HOST_PORT, POD_PORT, Protocol.UDP),
                        PortMapping.of(9090, POD_PORT, Protocol.TCP).at(Ip.parse("127.0.0.1")))),
            plain.ns());
    bed.attach(web);
    neighbour = bed.pod(1, "neighbour");
    remote = bed.pod(2, "remote");
  }

  @AfterEach
  void close() {
    bed.close();
  }

  @Test
  void everybodyReachesItAndThePodSeesWhoAsks() throws Exception {
    assertThat(bed.node(1).dataplane().conditions()).isEmpty();
    String webV4 = web.ip(Family.V4).toString();
    String webV6 = web.ip(Family.V6).toString();
    NetNs node = bed.node(1).ns();
    // From outside: another machine of the subnet, which is a node here.
    assertThat(tcp(bed.node(2).ns(), NODE_V4, HOST_PORT)).contains("192.168.77.2");
    assertThat(tcp(bed.node(2).ns(), NODE_V6, HOST_PORT)).contains("2001:db8:77::2");
    assertThat(udp(bed.node(2).ns(), NODE_V4, HOST_PORT)).contains("192.168.77.2");
    assertThat(udp(bed.node(2).ns(), NODE_V6, HOST_PORT)).contains("2001:db8:77::2");
    // From pods: of the node as they are, of other nodes with their node's address.
    assertThat(tcp(neighbour.ns(), NODE_V4, HOST_PORT))
        .contains(neighbour.ip(Family.V4).toString());
    assertThat(tcp(neighbour.ns(), NODE_V6, HOST_PORT))
        .contains(neighbour.ip(Family.V6).toString());
    assertThat(tcp(remote.ns(), NODE_V4, HOST_PORT)).contains("192.168.77.2");
    assertThat(udp(remote.ns(), NODE_V6, HOST_PORT)).contains("2001:db8:77::2");
    // From itself (S9): seen as the node.
    assertThat(tcp(web.ns(), NODE_V4, HOST_PORT)).contains(NODE_V4);
    assertThat(tcp(web.ns(), NODE_V6, HOST_PORT)).contains(NODE_V6);
    assertThat(udp(web.ns(), NODE_V4, HOST_PORT)).contains(NODE_V4);
    // From the node itself, and at its loopback.
    assertThat(tcp(node, NODE_V4, HOST_PORT)).contains(NODE_V4);
    assertThat(tcp(node, NODE_V6, HOST_PORT)).contains(NODE_V6);
    assertThat(tcp(node, "127.0.0.1", HOST_PORT)).contains(NODE_V4);
    assertThat(udp(node, "127.0.0.1", HOST_PORT)).contains(NODE_V4);
    assertThat(tcp(node, "127.0.0.1", 9090)).contains(NODE_V4);
    // Directly it is what it was (S10).
    assertThat(tcp(neighbour.ns(), webV4, POD_PORT)).contains(neighbour.ip(Family.V4).toString());
    assertThat(tcp(remote.ns(), webV6, POD_PORT)).contains(remote.ip(Family.V6).toString());
  }

  @Test
  void whatIsForTheLoopbackIsForTheNodeAlone() throws Exception {
    NetNs node = bed.node(1).ns();
    assertThat(
            Testbed.run(node, "cat", "/proc/sys/net/ipv4/conf/" + web.device() + "/route_localnet"))
        .isEqualTo("1\n");
    assertThat(
            Testbed.run(
                node, "cat", "/proc/sys/net/ipv4/conf/" + neighbour.device() + "/route_localnet"))
        .isEqualTo("0\n");
    assertThat(tcp(bed.node(2).ns(), NODE_V4, 9090)).isEmpty();
    // A pod whose device lets loopback addresses pass does not reach the node's own
    // (CVE-2020-8558).
    Testbed.run(web.ns(), "ip", "addr", "flush", "dev", "lo");
    Testbed.run(web.ns(), "ip", "link", "set", "lo", "down");
    Testbed.run(web.ns(), "sh", "-c", "echo 1 > /proc/sys/net/ipv4/conf/all/route_localnet");
    Testbed.run(
        web.ns(),
        "sh",
        "-c",
        "ip route del table local 127.0.0.0/8 2>/dev/null; ip route add 127.0.0.0/8 via 169.254.1.1 dev eth0");
    try (ServerSocket server =
        node.call(() -> new ServerSocket(7777, 5, InetAddress.getByName("127.0.0.1")))) {
      server.setSoTimeout(500);
      assertThat(connect(web.ns(), "127.0.0.1", 7777)).isFalse();
      assertThat(Testbed.run(node, "nft", "list", "chain", "inet", "sund", "guard"))
          .containsPattern("counter packets [1-9].* \"no pod asks the node's loopback\"");
    }
  }

  @Test
  void nftListsItAndWhatItListsCanBeLoadedAgain() throws Exception {
    NetNs node = bed.node(1).ns();
    String listed = Testbed.run(node, "nft", "list", "ruleset");
    assertThat(listed)
        .contains(
            "tcp . 8080 comment",
            "frontends-node-v4",
            "jump lb-node-v4-1",
            "meta mark set meta l4proto . th dport map @frontends-node-v4 goto dispatch");
    Path file = Files.createTempFile("sundt-rules", ".nft");
    try {
      Files.writeString(file, "flush ruleset\n" + listed);
      Testbed.run(node, "nft", "-f", file.toString());
    } finally {
      Files.delete(file);
    }
    assertThat(Testbed.run(node, "nft", "-j", "list", "ruleset")).contains("endpoints-node-v6");
    assertThat(Verify.node(node, bed.node(1).program()).drift()).isEmpty();
    assertThat(tcp(bed.node(2).ns(), NODE_V4, HOST_PORT)).contains("192.168.77.2");
  }

  @Test
  void whenTheProgramIsLiftedItIsTheWantedOneAndNothingDrifts() throws Exception {
    var program = bed.node(1).program();
    var lifted = Lift.node(bed.node(1).ns(), program);
    assertThat(lifted.frontends()).isEqualTo(program.frontends());
    assertThat(lifted.endpoints()).isEqualTo(program.endpoints());
    assertThat(program.endpoints()).hasSize(5);
    assertThat(Verify.node(bed.node(1).ns(), program).drift()).isEmpty();
    // Somebody takes the rules away: nothing answers, and a repair brings them back (S23).
    Testbed.run(bed.node(1).ns(), "nft", "flush", "ruleset");
    assertThat(Lift.node(bed.node(1).ns(), program).frontends()).isEmpty();
    assertThat(connect(bed.node(2).ns(), NODE_V4, HOST_PORT)).isFalse();
    bed.node(1).repair();
    assertThat(tcp(bed.node(2).ns(), NODE_V4, HOST_PORT)).contains("192.168.77.2");
  }

  @Test
  void whenThePodGoesItsPortsGoAndAnotherMayHaveThem() throws Exception {
    Attachment gone = web.attachment();
    bed.node(1).detach(web);
    bed.tell(new ClusterEvent.PodGone(gone.pod()));
    assertThat(bed.node(1).program().frontends()).isEmpty();
    assertThat(Testbed.run(bed.node(1).ns(), "nft", "list", "table", "inet", "sund"))
        .doesNotContain("lb-", "8080");
    assertThat(connect(bed.node(2).ns(), NODE_V4, HOST_PORT)).isFalse();
    TestPod plain = bed.newPod(1, "next");
    TestPod next =
        new TestPod(
            plain.node(),
            plain
                .attachment()
                .withPortMappings(List.of(PortMapping.of(HOST_PORT, POD_PORT, Protocol.TCP))),
            plain.ns());
    bed.attach(next);
    assertThat(request(next.ns(), bed.node(2).ns(), NODE_V4, HOST_PORT)).contains("192.168.77.2");
  }

  /** Connects to the web pod by an address; the client's address as the pod sees it. */
  private Optional<String> tcp(NetNs client, String to, int port) throws Exception {
    return request(web.ns(), client, to, port);
  }

  private static Optional<String> request(NetNs pod, NetNs client, String to, int port)
      throws Exception {
    try (ServerSocket server = pod.call(() -> new ServerSocket(POD_PORT));
        Socket socket = client.call(() -> unconnected())) {
      server.setSoTimeout(PATIENCE_MILLIS);
      socket.connect(new InetSocketAddress(to, port), PATIENCE_MILLIS);
      try (Socket accepted = server.accept()) {
        accepted.getOutputStream().write(42);
        socket.setSoTimeout(PATIENCE_MILLIS);
        assertThat(socket.getInputStream().read()).isEqualTo(42);
        return Optional.of(Ip.of(accepted.getInetAddress().getAddress()).toString());
      }
    } catch (SocketTimeoutException | SocketException _) {
      return Optional.empty();
    }
  }

  private Optional<String> udp(NetNs client, String to, int port) throws Exception {
    try (DatagramSocket server = web.ns().call(() -> new DatagramSocket(POD_PORT));
        DatagramSocket socket = client.call(() -> new DatagramSocket())) {
      server.setSoTimeout(PATIENCE_MILLIS);
      socket.setSoTimeout(PATIENCE_MILLIS);
      socket.connect(new InetSocketAddress(to, port));
      socket.send(new DatagramPacket(new byte[] {1}, 1));
      DatagramPacket packet = new DatagramPacket(new byte[10], 10);
      server.receive(packet);
      server.send(new DatagramPacket(new byte[] {2}, 1, packet.getSocketAddress()));
      socket.receive(new DatagramPacket(new byte[10], 10));
      return Optional.of(Ip.of(packet.getAddress().getAddress()).toString());
    } catch (SocketTimeoutException | SocketException _) {
      return Optional.empty();
    }
  }

  private static boolean connect(NetNs client, String to, int port) throws Exception {
    try (Socket socket = client.call(() -> unconnected())) {
      socket.connect(new InetSocketAddress(to, port), 500);
      return true;
    } catch (SocketTimeoutException | SocketException _) {
      return false;
    }
  }

  /** A socket whose descriptor is made in the namespace that calls this. */
  private static Socket unconnected() throws IOException {
    Socket socket = new Socket();
    socket.setReuseAddress(true);
    return socket;
  }
}
