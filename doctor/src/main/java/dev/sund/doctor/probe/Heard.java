package dev.sund.doctor.probe;

import dev.sund.kernel.KernelException;
import dev.sund.kernel.NetNs;
import dev.sund.kernel.packet.Bpf;
import dev.sund.kernel.packet.BpfInstruction;
import dev.sund.kernel.packet.PacketRing;
import dev.sund.model.Ip;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.BitSet;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Which test packets of a session have come in, by whatever device: a packet ring behind a filter
 * that looks for the session's mark, so that it costs a busy node nothing, and hears what a tunnel
 * of the node takes for itself or its rules drop. Needs CAP_NET_RAW. One thread; the opener closes.
 */
final class Heard implements AutoCloseable {
  /** The kernel hands over a block each 50 ms in which something came: room for half a second. */
  private static final int BYTES = 10 * (256 << 10);

  private static final int IPV4_HEADER = 20;
  private static final int IPV6_HEADER = 40;
  private static final int UDP_HEADER = 8;

  private final PacketRing ring;
  private final Message session;
  private final Ip other;
  private final Map<Crossing, BitSet> heard = new EnumMap<>(Crossing.class);

  private Heard(PacketRing ring, Message session, Ip other) {
    this.ring = ring;
    this.session = session;
    this.other = other;
  }

  /**
   * Begins to listen.
   *
   * @param session a message of the session
   * @param other the address of the other side
   * @throws KernelException.Denied without CAP_NET_RAW
   */
  static Heard open(NetNs node, Message session, Ip other) throws KernelException {
    PacketRing ring =
        PacketRing.open(node, 0, PacketRing.Form.NETWORK, filter(session.mark()), BYTES);
    return new Heard(ring, session, other);
  }

  /** Lets a packet pass that has the mark where its kind has it. */
  static List<BpfInstruction> filter(int mark) {
    int load = Bpf.BPF_LD | Bpf.BPF_W;
    int octet = Bpf.BPF_LD | Bpf.BPF_B | Bpf.BPF_ABS;
    int equal = Bpf.BPF_JMP | Bpf.BPF_JEQ | Bpf.BPF_K;
    int always = Bpf.BPF_JMP | Bpf.BPF_JA;
    BpfInstruction[] program = {
      new BpfInstruction(octet, 0),
      new BpfInstruction(Bpf.BPF_ALU | Bpf.BPF_AND | Bpf.BPF_K, 0xf0),
      new BpfInstruction(equal, 2, 0, 0x40), // to 5
      new BpfInstruction(equal, 13, 0, 0x60), // to 17
      new BpfInstruction(always, 21), // to 26, ARP
      new BpfInstruction(Bpf.BPF_LDX | Bpf.BPF_B | Bpf.BPF_MSH, 0), // 5: the header's length
      new BpfInstruction(octet, 9),
      new BpfInstruction(equal, 3, 0, 17), // to 11
      new BpfInstruction(equal, 4, 0, 4), // to 13
      new BpfInstruction(equal, 5, 0, 6), // to 15
      new BpfInstruction(always, 18), // to 29
      new BpfInstruction(load | Bpf.BPF_IND, UDP_HEADER), // 11
      new BpfInstruction(always, 14), // to 27
      new BpfInstruction(load | Bpf.BPF_IND, IPV4_HEADER + UDP_HEADER), // 13: the packet inside
      new BpfInstruction(always, 12), // to 27
      new BpfInstruction(load | Bpf.BPF_IND, 4), // 15: TCP's sequence number
      new BpfInstruction(always, 10), // to 27
      new BpfInstruction(octet, 6), // 17
      new BpfInstruction(equal, 3, 0, 17), // to 22
      new BpfInstruction(equal, 4, 0, 6), // to 24
      new BpfInstruction(load | Bpf.BPF_ABS, IPV6_HEADER + 8 + 12), // a neighbour's target
      new BpfInstruction(always, 5), // to 27
      new BpfInstruction(load | Bpf.BPF_ABS, IPV6_HEADER + UDP_HEADER), // 22
      new BpfInstruction(always, 3), // to 27
      new BpfInstruction(load | Bpf.BPF_ABS, IPV6_HEADER + 4), // 24
      new BpfInstruction(always, 1), // to 27
      new BpfInstruction(load | Bpf.BPF_ABS, 18), // 26: ARP's target MAC
      new BpfInstruction(equal, 0, 1, mark), // 27
      new BpfInstruction(Bpf.BPF_RET | Bpf.BPF_K, 256),
      new BpfInstruction(Bpf.BPF_RET | Bpf.BPF_K, 0) // 29
    };
    return Arrays.asList(program);
  }

  /** How many different packets of each kind have come in so far; those of which none has, not. */
  Map<Crossing, Integer> counts() {
    drain();
    Map<Crossing, Integer> counts = new EnumMap<>(Crossing.class);
    heard.forEach((kind, which) -> counts.put(kind, which.cardinality()));
    return counts;
  }

  /** Takes what has come, so that there is room for more; to be called often. */
  void drain() {
    while (ring.next()) {
      if (!ring.isOutgoing()) {
        ByteBuffer packet =
            ring.memory().slice(ring.offset(), ring.captured()).order(ByteOrder.BIG_ENDIAN);
        try {
          look(packet);
        } catch (IndexOutOfBoundsException _) {
          continue; // it ends before what the filter looked at says
        }
      }
    }
  }

  private void look(ByteBuffer packet) {
    switch (packet.get(0) & 0xf0) {
      case 0x40 -> {
        int header = 4 * (packet.get(0) & 0xf);
        byte[] source = new byte[4];
        packet.get(12, source);
        transport(packet, packet.get(9), header, Ip.of(source));
      }
      case 0x60 -> {
        byte[] source = new byte[16];
        packet.get(8, source);
        int next = packet.get(6);
        if (next == 58) {
          note(Crossing.FOREIGN_ANSWER, packet.get(IPV6_HEADER + 19) & 0x3f);
        } else {
          transport(packet, next, IPV6_HEADER, Ip.of(source));
        }
      }
      default -> note(Crossing.FOREIGN_ANSWER, packet.get(23) & 0x3f); // ARP
    }
  }

  private void transport(ByteBuffer packet, int protocol, int at, Ip source) {
    switch (protocol) {
      case 6 -> note(Crossing.BGP, packet.getShort(at) & 0x3f);
      case 4 -> message(packet, at + IPV4_HEADER + UDP_HEADER, source);
      default -> message(packet, at + UDP_HEADER, source);
    }
  }

  private void message(ByteBuffer packet, int at, Ip source) {
    Optional<Message> message =
        Message.read(packet, at, packet.capacity() - at)
            .filter(one -> one.isOf(session) && one.kind() == Message.Kind.CROSSING);
    if (message.isPresent() && message.get().value() < Crossing.values().length) {
      Crossing kind = Crossing.values()[message.get().value()];
      // Who translates a pod's address on the way does not carry it.
      if (kind != Crossing.POD_SOURCE || !source.equals(other)) {
        note(kind, message.get().sequence());
      }
    }
  }

  private void note(Crossing kind, int number) {
    if (number >= 0 && number < 1 << 16) {
      heard.computeIfAbsent(kind, _ -> new BitSet()).set(number);
    }
  }

  @Override
  public void close() {
    ring.close();
  }
}
