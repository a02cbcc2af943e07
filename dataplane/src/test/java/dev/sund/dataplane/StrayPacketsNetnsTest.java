package dev.sund.dataplane;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.dataplane.testing.TestPod;
import dev.sund.dataplane.testing.Testbed;
import dev.sund.engine.cluster.IpPool;
import dev.sund.engine.cluster.PortMapping;
import dev.sund.kernel.NetNs;
import dev.sund.kernel.socket.Endpoint;
import dev.sund.kernel.socket.MessageBuffer;
import dev.sund.kernel.socket.NetSocket;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.Protocol;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * S16: a segment far outside of the window of a translated connection, sent by its endpoint as
 * Kubernetes' own test does ({@code conntrack.go}, "boom"), must not come to the client from the
 * endpoint's address: the client would refuse it, and so end the connection.
 */
@Tag("netns")
class StrayPacketsNetnsTest {
  private static final int HOST_PORT = 8080;
  private static final int POD_PORT = 80;
  private static final int STRAYS = 20;
  private static final int TCP_HEADER = 20;

  private final Testbed bed = Testbed.of(2, IpPool.VxlanMode.CROSS_SUBNET);
  private TestPod web;
  private TestPod client;

  @BeforeEach
  void pods() {
    TestPod plain = bed.newPod(1, "web");
    web =
        new TestPod(
            plain.node(),
            plain
                .attachment()
                .withPortMappings(List.of(PortMapping.of(HOST_PORT, POD_PORT, Protocol.TCP))),
            plain.ns());
    bed.attach(web);
    client = bed.pod(1, "client");
  }

  @AfterEach
  void close() {
    bed.close();
  }

  @Test
  void aStraySegmentEndsAtTheNodeAndTheConnectionGoesOn_S16() throws Exception {
    NetNs outside = bed.node(2).ns();
    for (Family family : Family.values()) {
      String node = family == Family.V4 ? "192.168.77.1" : "2001:db8:77::1";
      for (NetNs asker : List.of(client.ns(), outside)) {
        int before = dropped();
        assertThat(refusals(asker, node, family)).as("%s, %s", asker, family).isZero();
        awaitDropped(before + STRAYS / 4);
        assertThat(dropped() - before)
            .as("%s, %s", asker, family)
            .isGreaterThanOrEqualTo(STRAYS / 4);
      }
    }

    // Without the rules the same packets do harm: else this test would show nothing.
    Testbed.run(bed.node(1).ns(), "nft", "flush", "chain", "inet", "sund", "strays");
    for (Family family : Family.values()) {
      String node = family == Family.V4 ? "192.168.77.1" : "2001:db8:77::1";
      assertThat(refusals(client.ns(), node, family)).as("a pod, %s", family).isPositive();
    }
  }

  /** Strays of one processor may come after what was said meanwhile on another. */
  private void awaitDropped(int packets) {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
    while (dropped() < packets && System.nanoTime() < end) {
      Thread.onSpinWait();
    }
  }

  /** How many packets from pods the node has dropped. */
  private int dropped() {
    String chain = Testbed.run(bed.node(1).ns(), "nft", "list", "chain", "inet", "sund", "stray");
    return Integer.parseInt(
        chain.replaceAll("(?s).*?counter packets ([0-9]+) .*? \"sent by a pod,.*", "$1"));
  }

  /** How many segments an asker refuses when its endpoint sends strays amid a conversation. */
  private int refusals(NetNs asker, String node, Family family) throws Exception {
    try (ServerSocket server = web.ns().call(() -> new ServerSocket(POD_PORT));
        Socket socket =
            asker.call(() -> {
              Socket made = new Socket();
              made.setTcpNoDelay(true); // makes the descriptor here
              return made;
            });
        NetSocket raw = web.ns().call(() -> NetSocket.raw(family, Protocol.TCP.number()))) {
      server.setSoTimeout(30_000);
      socket.connect(new InetSocketAddress(InetAddress.ofLiteral(node), HOST_PORT), 30_000);
      try (Socket accepted = server.accept()) {
        converse(socket, accepted);
        int before = resets(asker);
        Ip to = Ip.of(accepted.getInetAddress().getAddress());
        MessageBuffer buffer = new MessageBuffer(100);
        for (int i = 0; i < STRAYS; i++) {
          // A quarter of all numbers away from each other: some may be taken for late ones and be
          // translated, which does no harm.
          byte[] segment =
              segment(web.ip(family), to, accepted.getPort(), (i % 4) * 0x40000000 + 7 * i);
          buffer.data().put(0, segment);
          assertThat(buffer.sendTo(raw, segment.length, new Endpoint(to, 0)))
              .isEqualTo(segment.length);
        }
        converse(socket, accepted);
        return resets(asker) - before;
      } catch (IOException e) {
        return STRAYS; // the connection was ended
      }
    }
  }

  private static void converse(Socket one, Socket other) throws IOException {
    one.setSoTimeout(30_000);
    other.setSoTimeout(30_000);
    one.getOutputStream().write(1);
    assertThat(other.getInputStream().read()).isEqualTo(1);
    other.getOutputStream().write(2);
    assertThat(one.getInputStream().read()).isEqualTo(2);
  }

  /** An acknowledgement that the endpoint might have sent, but for its numbers. */
  private static byte[] segment(Ip from, Ip to, int port, int sequence) {
    ByteBuffer tcp = ByteBuffer.allocate(TCP_HEADER);
    tcp.putShort((short) POD_PORT).putShort((short) port);
    tcp.putInt(sequence).putInt(sequence ^ 0x55555555);
    tcp.put((byte) (TCP_HEADER / 4 << 4)).put((byte) 0x10).putShort((short) 0xffff);
    tcp.putInt(0);
    int length = from.family().bytes();
    ByteBuffer pseudo = ByteBuffer.allocate(2 * length + 4 + TCP_HEADER);
    pseudo.put(from.toBytes()).put(to.toBytes());
    pseudo.putShort((short) Protocol.TCP.number()).putShort((short) TCP_HEADER);
    pseudo.put(tcp.array());
    int sum = 0;
    for (int i = 0; i < pseudo.capacity(); i += 2) {
      sum += pseudo.getShort(i) & 0xffff;
    }
    sum = (sum & 0xffff) + (sum >>> 16);
    sum = (sum & 0xffff) + (sum >>> 16);
    tcp.putShort(16, (short) ~sum);
    return tcp.array();
  }

  /** How many resets a namespace has sent. */
  private static int resets(NetNs ns) {
    List<String[]> tcp =
        Testbed.run(ns, "cat", "/proc/net/snmp")
            .lines()
            .filter(line -> line.startsWith("Tcp:"))
            .map(line -> line.split(" ", -1))
            .toList();
    return Integer.parseInt(tcp.get(1)[List.of(tcp.get(0)).indexOf("OutRsts")]);
  }
}
