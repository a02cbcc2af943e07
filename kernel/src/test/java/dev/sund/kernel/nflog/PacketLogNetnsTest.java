package dev.sund.kernel.nflog;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sund.kernel.KernelException;
import dev.sund.kernel.NetNs;
import dev.sund.kernel.nft.NftCount;
import dev.sund.kernel.nft.NftFamily;
import dev.sund.kernel.nft.NftSocket;
import dev.sund.kernel.socket.Endpoint;
import dev.sund.kernel.socket.MessageBuffer;
import dev.sund.kernel.socket.NetSocket;
import dev.sund.kernel.testing.TestNetns;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** On a real kernel, with rules that {@code nft} made. */
@Tag("netns")
class PacketLogNetnsTest {
  private static final int GROUP = 83;

  private final TestNetns net = TestNetns.open();
  private final NetNs namespace = net.create("log");
  private final Shown shown = new Shown();
  private final MessageBuffer buffer = new MessageBuffer(256);

  /** What came. */
  private static final class Shown implements PacketLog.Sink {
    final List<LoggedPacket> packets = new ArrayList<>();
    long lost;

    @Override
    public void packet(LoggedPacket packet) {
      packets.add(packet);
    }

    @Override
    public void lost(long packets) {
      lost += packets;
    }

    @Override
    public void drained() {}

    @Override
    public void failed(String why) {
      throw new AssertionError(why);
    }
  }

  @BeforeEach
  void rules() {
    TestNetns.run(namespace, "ip", "link", "set", "lo", "up");
    TestNetns.run(namespace, "ip", "addr", "add", "10.244.1.5/32", "dev", "lo");
    TestNetns.run(namespace, "ip", "-6", "addr", "add", "fd00:10::5/128", "dev", "lo");
    TestNetns.run(namespace, "ip", "route", "add", "10.96.0.0/16", "dev", "lo");
    nft("add table inet t");
    nft("add set inet t dropped { type ipv4_addr; size 100; flags dynamic; }");
    nft("add chain inet t nat { type nat hook output priority -100; }");
    nft("add chain inet t out { type filter hook output priority 0; }");
    nft("add rule inet t nat ip daddr 10.96.0.10 udp dport 53 dnat ip to 10.244.1.5:5353");
    nft("add rule inet t out udp dport 5353 add @dropped { ip saddr counter }");
    nft(
        "add rule inet t out meta l4proto { tcp, udp } th dport 5353 limit rate 100/second burst"
            + " 2000 packets log prefix \"egress\" group 83 snaplen 128 queue-threshold 1");
    nft("add rule inet t out meta l4proto { tcp, udp } th dport 5353 drop");
  }

  @AfterEach
  void close() {
    net.close();
  }

  private void nft(String command) {
    TestNetns.run(namespace, "nft", command);
  }

  @Test
  void whatARuleShowsIsReadWithHowItsConnectionBegan() throws Exception {
    try (PacketLog log = PacketLog.open(namespace, GROUP, 128)) {
      udp(Ip.parse("10.244.1.5"), Ip.parse("10.96.0.10"), 53, 1);
      udp(Ip.parse("fd00:10::5"), Ip.parse("fd00:10::5"), 5353, 1);
      try (NetSocket client = namespace.call(() -> NetSocket.tcp(Family.V4))) {
        client.bind(new Endpoint(Ip.parse("10.244.1.5"), 0));
        client.tryConnect(new Endpoint(Ip.parse("10.244.1.5"), 5353));
      }
      await(log, 3);

      LoggedPacket translated = shown.packets.get(0);
      PacketHead head = translated.head().orElseThrow();
      assertThat(translated.prefix()).isEqualTo("egress");
      assertThat(head.source()).isEqualTo(Ip.parse("10.244.1.5"));
      assertThat(head.destination()).isEqualTo(Ip.parse("10.244.1.5"));
      assertThat(List.of(head.protocol(), head.destinationPort())).containsExactly(17, 5353);
      assertThat(head.bytes()).isEqualTo(20 + 8 + 32);
      translated
          .connection() // of a kernel with NETFILTER_NETLINK_GLUE_CT alone
          .ifPresent(tuple ->
              assertThat(List.of(tuple.destination(), tuple.destinationPort()))
                  .isEqualTo(List.of(Ip.parse("10.96.0.10"), 53)));
      assertThat(translated.outDevice()).isEqualTo(1);

      PacketHead v6 = shown.packets.get(1).head().orElseThrow();
      assertThat(v6.source()).isEqualTo(Ip.parse("fd00:10::5"));
      assertThat(List.of(v6.protocol(), v6.destinationPort())).containsExactly(17, 5353);
      PacketHead tcp = shown.packets.get(2).head().orElseThrow();
      assertThat(List.of(tcp.protocol(), tcp.destinationPort())).containsExactly(6, 5353);
      assertThat(shown.packets).extracting(LoggedPacket::sequence).containsExactly(0, 1, 2);
      assertThat(shown.lost).isZero();
    }
  }

  /** A reader that is too slow learns how many it missed; the elements of sets count all. */
  @Test
  void whatDoesNotComeIsKnownByTheNumbersThatAreMissing() throws Exception {
    int sent = 4_000;
    try (PacketLog log = PacketLog.open(namespace, GROUP, 128);
        NftSocket nft = NftSocket.open(namespace)) {
      nft("flush chain inet t out");
      nft("add rule inet t out udp dport 5353 add @dropped { ip saddr counter }");
      nft("add rule inet t out udp dport 5353 log prefix \"all\" group 83 queue-threshold 1 drop");
      udp(Ip.parse("10.244.1.5"), Ip.parse("10.244.1.5"), 5353, sent);
      while (log.poll(shown)) {
        // what has room in the socket
      }
      udp(Ip.parse("10.244.1.5"), Ip.parse("10.244.1.5"), 5353, 1);
      while (log.poll(shown)) {
        // the last, whose number tells of those before it
      }

      assertThat(shown.lost).isPositive();
      assertThat(shown.packets.size() + shown.lost).isEqualTo(sent + 1);
      List<NftCount> counts = nft.counts(NftFamily.INET, "t", "dropped");
      assertThat(counts).singleElement().extracting(NftCount::packets).isEqualTo(sent + 1L);
      assertThat(counts.getFirst().bytes()).isEqualTo((sent + 1L) * (20 + 8 + 32));
    }
  }

  @Test
  void aGroupHasOneReader() throws Exception {
    try (PacketLog _ = PacketLog.open(namespace, GROUP, 128)) {
      assertThatThrownBy(() -> PacketLog.open(namespace, GROUP, 128))
          .isInstanceOf(KernelException.Busy.class)
          .hasMessageContaining("group 83 of the packets' log");
    }
    PacketLog.open(namespace, GROUP, 128).close();
  }

  private void udp(Ip from, Ip to, int port, int packets) throws Exception {
    try (NetSocket client = namespace.call(() -> NetSocket.udp(to.family()))) {
      client.bind(new Endpoint(from, 0));
      for (int i = 0; i < packets; i++) {
        buffer.sendTo(
            client, 32, new Endpoint(to, port)); // refused: it is dropped where it is made
      }
    }
  }

  private void await(PacketLog log, int packets) throws Exception {
    long end = System.nanoTime() + 10_000_000_000L;
    while (shown.packets.size() < packets && System.nanoTime() < end) {
      if (!log.poll(shown)) {
        Thread.sleep(5);
      }
    }
    assertThat(shown.packets).hasSize(packets);
  }
}
