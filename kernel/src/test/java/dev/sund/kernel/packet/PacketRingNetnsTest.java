package dev.sund.kernel.packet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sund.kernel.KernelException;
import dev.sund.kernel.NetNs;
import dev.sund.kernel.route.RouteSocket;
import dev.sund.kernel.socket.Endpoint;
import dev.sund.kernel.socket.MessageBuffer;
import dev.sund.kernel.socket.NetSocket;
import dev.sund.kernel.testing.TestNetns;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** On a real device, with packets that this process sends. */
@Tag("netns")
class PacketRingNetnsTest {
  private static final Ip FAR = Ip.parse("10.9.0.2");

  /** Takes UDP over IPv4, whole. */
  private static final List<BpfInstruction> UDP =
      List.of(
          new BpfInstruction(Bpf.BPF_LD | Bpf.BPF_H | Bpf.BPF_ABS, 12),
          new BpfInstruction(Bpf.BPF_JMP | Bpf.BPF_JEQ, 0, 3, 0x0800),
          new BpfInstruction(Bpf.BPF_LD | Bpf.BPF_B | Bpf.BPF_ABS, 23),
          new BpfInstruction(Bpf.BPF_JMP | Bpf.BPF_JEQ, 0, 1, 17),
          new BpfInstruction(Bpf.BPF_RET, 65_535),
          new BpfInstruction(Bpf.BPF_RET, 0));

  private final TestNetns net = TestNetns.open();
  private final NetNs near = net.create("near");
  private final NetNs far = net.create("far");
  private final MessageBuffer buffer = new MessageBuffer(2_048);

  PacketRingNetnsTest() {
    TestNetns.link(near, "eth0", "10.9.0.1/24", "fd00:9::1/64", far, "eth0");
    TestNetns.run(far, "ip", "addr", "add", FAR + "/24", "dev", "eth0");
  }

  @AfterEach
  void close() {
    net.close();
  }

  private int index() throws KernelException {
    try (RouteSocket socket = RouteSocket.open(near)) {
      return socket.link("eth0").orElseThrow().index();
    }
  }

  private void send(int packets, int bytes) throws KernelException {
    try (NetSocket client = near.call(() -> NetSocket.udp(Family.V4))) {
      for (int i = 0; i < packets; i++) {
        buffer.data().putInt(0, i);
        buffer.sendTo(client, bytes, new Endpoint(FAR, 4_000));
      }
    }
  }

  @Test
  void aRingShowsWhatItsFilterLetsPassInTheOrderInWhichItCame() throws Exception {
    try (PacketRing ring =
        PacketRing.open(near, index(), PacketRing.Form.WITH_LINK, UDP, 1 << 20)) {
      TestNetns.run(near, "ip", "neigh", "flush", "dev", "eth0"); // ARP, which is not let pass
      send(5, 100);
      long last = 0;
      for (int i = 0; i < 5; i++) {
        awaitNext(ring);
        assertThat(ring.isOutgoing()).isTrue();
        assertThat(ring.length()).isEqualTo(14 + 20 + 8 + 100);
        assertThat(ring.captured()).isEqualTo(ring.length());
        assertThat(ring.nanos()).isGreaterThanOrEqualTo(last);
        assertThat(ring.memory().get(ring.offset() + 42 + 3)).isEqualTo((byte) i);
        last = ring.nanos();
      }
      assertThat(ring.next()).isFalse();
      assertThat(ring.counts()).isEqualTo(new PacketRing.Counts(5, 0));
    }
  }

  @Test
  void whatFindsNoRoomIsCounted() throws Exception {
    // A neighbour that has yet to answer would let packets wait, and lose some, before the device.
    String mac = TestNetns.ip(far, "link", "show", "dev", "eth0").only().get("address").text();
    TestNetns.run(near, "ip", "neigh", "replace", FAR.toString(), "lladdr", mac, "dev", "eth0");
    try (PacketRing ring = PacketRing.open(near, index(), PacketRing.Form.WITH_LINK, UDP, 1)) {
      send(1_500, 1_000);
      ring.endIntake();
      send(3, 100);
      int read = 0;
      long end = System.nanoTime() + 10_000_000_000L;
      PacketRing.Counts counts = ring.counts();
      while (read < counts.received() - counts.dropped() && System.nanoTime() < end) {
        while (ring.next()) {
          read++;
        }
        PacketRing.await(List.of(ring), 100);
      }
      assertThat(counts.received()).isEqualTo(1_500);
      assertThat(counts.dropped()).isPositive();
      assertThat(read + counts.dropped()).isEqualTo(1_500);
    }
  }

  @Test
  void aDeviceThatGoesAwayIsNoticedOnce() throws Exception {
    try (PacketRing ring = PacketRing.open(near, index(), PacketRing.Form.WITH_LINK, UDP, 1)) {
      assertThat(ring.wentDown()).isFalse();
      TestNetns.run(near, "ip", "link", "del", "eth0");
      assertThat(PacketRing.await(List.of(ring), 10_000)).isTrue();
      assertThat(ring.next()).isFalse();
      assertThat(ring.wentDown()).isTrue();
      assertThat(ring.wentDown()).isFalse();
    }
  }

  @Test
  void aDeviceThatIsNotThereIsNamed() {
    assertThatThrownBy(() -> PacketRing.open(near, 4_711, PacketRing.Form.WITH_LINK, UDP, 1 << 20))
        .isInstanceOf(KernelException.class)
        .hasMessageContaining("packet ring to link 4711");
  }

  private static void awaitNext(PacketRing ring) throws KernelException {
    long end = System.nanoTime() + 10_000_000_000L;
    while (!ring.next()) {
      assertThat(System.nanoTime()).as("the packet came").isLessThan(end);
      PacketRing.await(List.of(ring), 100);
    }
  }
}
