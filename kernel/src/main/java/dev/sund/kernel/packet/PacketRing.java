package dev.sund.kernel.packet;

import dev.sund.kernel.Capability;
import dev.sund.kernel.Errno;
import dev.sund.kernel.Fd;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.NetNs;
import dev.sund.kernel.libc.Libc;
import dev.sund.model.Checks;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;

/**
 * The packets of one device, in memory that the kernel fills and this process reads (AF_PACKET with
 * TPACKET_V3: since Linux 3.2).
 *
 * <p>The kernel fills blocks, and hands one over when it is full or {@value #RETIRE_MILLIS} ms old.
 * {@link #next} goes from packet to packet; what it shows is valid until the next call, since a
 * block goes back to the kernel when its last packet has been passed. What finds no free block is
 * dropped and counted. One thread at a time; {@link #close} by the same.
 *
 * <pre>{@code
 * try (PacketRing ring = PacketRing.open(namespace, index, PacketRing.Form.WITH_LINK, program, 16 << 20)) {
 *   while (PacketRing.await(List.of(ring), 100)) {
 *     while (ring.next()) {
 *       file.put(ring.memory(), ring.offset(), ring.captured());
 *     }
 *   }
 * }
 * }</pre>
 */
public final class PacketRing implements AutoCloseable {
  /** After so long at most a packet can be read. */
  public static final int RETIRE_MILLIS = 50;

  private static final int AF_PACKET = 17;
  private static final int SOCK_DGRAM = 2;
  private static final int SOCK_RAW = 3;
  private static final int SOCK_NONBLOCK = 0x800;
  private static final int ETH_P_ALL = 3;
  private static final int SOL_SOCKET = 1;
  private static final int SO_ERROR = 4;
  private static final int SO_ATTACH_FILTER = 26;
  private static final int SOL_PACKET = 263;
  private static final int PACKET_RX_RING = 5;
  private static final int PACKET_STATISTICS = 6;
  private static final int PACKET_VERSION = 10;
  private static final int TPACKET_V3 = 2;
  private static final int TP_STATUS_USER = 1;
  private static final int TP_STATUS_VLAN_VALID = 0x10;
  private static final int TP_STATUS_VLAN_TPID_VALID = 0x40;
  private static final int PACKET_OUTGOING = 4;
  private static final int ETH_P_8021Q = 0x8100;
  private static final int POLLIN = 1;
  private static final int PROT_READ = 1;
  private static final int PROT_WRITE = 2;
  private static final int MAP_SHARED = 1;

  private static final int SOCKADDR_LL_BYTES = 20;
  private static final int REQUEST_BYTES = 28;
  private static final int STATISTICS_BYTES = 12;
  private static final int FPROG_BYTES = 16;
  private static final int FILTER_BYTES = 8;
  private static final int POLLFD_BYTES = 8;

  // struct tpacket_block_desc with its tpacket_hdr_v1
  private static final int BLOCK_STATUS = 8;
  private static final int BLOCK_NUM_PKTS = 12;
  private static final int BLOCK_FIRST_PKT = 16;

  // struct tpacket3_hdr, and the sockaddr_ll behind it
  private static final int TP_NEXT_OFFSET = 0;
  private static final int TP_SEC = 4;
  private static final int TP_NSEC = 8;
  private static final int TP_SNAPLEN = 12;
  private static final int TP_LEN = 16;
  private static final int TP_STATUS = 20;
  private static final int TP_MAC = 24;
  private static final int TP_NET = 26;
  private static final int TP_VLAN_TCI = 32;
  private static final int TP_VLAN_TPID = 36;
  private static final int TP3_HEADER_BYTES = 48;
  private static final int SLL_PKTTYPE = 10;

  private static final int BLOCK_BYTES = 256 << 10;
  private static final int FRAME_BYTES = 2048;

  private final Fd fd;
  private final Form form;
  private final MemorySegment mapped;
  private final ByteBuffer memory;
  private final int blocks;
  private int block;
  private int inBlock;
  private int header;
  private boolean started;
  private long received;
  private long dropped;

  /** With what a packet begins. */
  public enum Form {
    /** The link's header, as Ethernet and loopback have one. */
    WITH_LINK,
    /** The network's header. */
    NETWORK
  }

  /**
   * What the kernel has counted since the ring was opened.
   *
   * @param received packets that the filter let pass, with those dropped
   * @param dropped those that found no free block
   */
  public record Counts(long received, long dropped) {}

  private PacketRing(Fd fd, Form form, MemorySegment mapped, int blocks) {
    this.fd = fd;
    this.form = form;
    this.mapped = mapped;
    this.blocks = blocks;
    this.memory = mapped.asByteBuffer().order(ByteOrder.nativeOrder());
  }

  /**
   * Opens a ring; every packet of the device from now on is in it that its filter lets pass, coming
   * and going.
   *
   * @param namespace where the device is
   * @param linkIndex the device's number there; 0 for all devices
   * @param filter the program whose answer is how many bytes of a packet are wanted
   * @param bytes the memory, made whole blocks of; at least a block
   * @throws KernelException.Denied without CAP_NET_RAW, or CAP_SYS_ADMIN to enter
   * @throws KernelException.NotFound when there is no such device or namespace
   */
  public static PacketRing open(
      NetNs namespace, int linkIndex, Form form, List<BpfInstruction> filter, long bytes)
      throws KernelException {
    int count = Math.clamp(bytes / BLOCK_BYTES, 2, (1 << 30) / BLOCK_BYTES);
    int type =
        switch (form) {
          case WITH_LINK -> SOCK_RAW;
          case NETWORK -> SOCK_DGRAM;
        };
    // Protocol 0 until bound, so that nothing comes before the filter is there.
    Fd fd = namespace.socket(AF_PACKET, type | SOCK_NONBLOCK, 0, "packet ring");
    boolean opened = false;
    try (Arena arena = Arena.ofConfined()) {
      set(fd, PACKET_VERSION, arena.allocateFrom(ValueLayout.JAVA_INT, TPACKET_V3));
      attach(fd, filter);
      MemorySegment request = arena.allocate(REQUEST_BYTES, 4);
      int[] fields = {
        BLOCK_BYTES, count, FRAME_BYTES, BLOCK_BYTES / FRAME_BYTES * count, RETIRE_MILLIS, 0, 0
      };
      for (int i = 0; i < fields.length; i++) {
        request.setAtIndex(ValueLayout.JAVA_INT, i, fields[i]);
      }
      set(fd, PACKET_RX_RING, request);
      long length = (long) BLOCK_BYTES * count;
      long address = Libc.mmap(length, PROT_READ | PROT_WRITE, MAP_SHARED, fd.number());
      if (address < 0 && address > -4096) {
        Errno.check((int) address, "map", "packet ring");
      }
      PacketRing ring = new PacketRing(fd, form, Libc.mapped(address, length), count);
      try {
        bind(fd, linkIndex);
        opened = true;
        return ring;
      } finally {
        if (!opened) {
          Libc.munmap(ring.mapped);
        }
      }
    } finally {
      if (!opened) {
        fd.close();
      }
    }
  }

  private static void set(Fd fd, int option, MemorySegment value) throws KernelException {
    Errno.check(
        Libc.setsockopt(fd.number(), SOL_PACKET, option, value, (int) value.byteSize()),
        "setsockopt",
        "packet ring, option " + option,
        Capability.NET_RAW);
  }

  private static void attach(Fd fd, List<BpfInstruction> filter) throws KernelException {
    Checks.range("filter's length", filter.size(), 1, Bpf.BPF_MAXINSNS);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment code = arena.allocate((long) FILTER_BYTES * filter.size(), 8);
      for (int i = 0; i < filter.size(); i++) {
        BpfInstruction one = filter.get(i);
        long at = (long) FILTER_BYTES * i;
        code.set(ValueLayout.JAVA_SHORT, at, (short) one.code());
        code.set(ValueLayout.JAVA_BYTE, at + 2, (byte) one.jumpTrue());
        code.set(ValueLayout.JAVA_BYTE, at + 3, (byte) one.jumpFalse());
        code.set(ValueLayout.JAVA_INT, at + 4, one.k());
      }
      MemorySegment program = arena.allocate(FPROG_BYTES, 8);
      program.set(ValueLayout.JAVA_SHORT, 0, (short) filter.size());
      program.set(ValueLayout.ADDRESS, 8, code);
      Errno.check(
          Libc.setsockopt(fd.number(), SOL_SOCKET, SO_ATTACH_FILTER, program, FPROG_BYTES),
          "attach",
          "filter of " + filter.size() + " instructions",
          Capability.NET_RAW);
    }
  }

  private static void bind(Fd fd, int linkIndex) throws KernelException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment address = arena.allocate(SOCKADDR_LL_BYTES, 4);
      address.set(ValueLayout.JAVA_SHORT, 0, (short) AF_PACKET);
      address.set(
          ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN), 2, (short) ETH_P_ALL);
      address.set(ValueLayout.JAVA_INT, 4, linkIndex);
      Errno.check(
          Libc.bind(fd.number(), address, SOCKADDR_LL_BYTES),
          "bind",
          "packet ring to link " + linkIndex,
          Capability.NET_RAW);
    }
  }

  /**
   * Waits until one of the rings has something to read; not on a virtual thread.
   *
   * @return whether one has; an interrupted wait says it has not
   */
  public static boolean await(List<PacketRing> rings, int timeoutMillis) throws KernelException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment polled = arena.allocate((long) POLLFD_BYTES * Math.max(1, rings.size()), 4);
      for (int i = 0; i < rings.size(); i++) {
        polled.set(ValueLayout.JAVA_INT, (long) POLLFD_BYTES * i, rings.get(i).fd.number());
        polled.set(ValueLayout.JAVA_SHORT, (long) POLLFD_BYTES * i + 4, (short) POLLIN);
      }
      int ready = Libc.poll(polled, rings.size(), timeoutMillis);
      if (Errno.EINTR.is(ready)) {
        return false;
      }
      return Errno.check(ready, "poll", "packet rings") > 0;
    }
  }

  /** Lets no packet pass any more; what has passed can still be read. */
  public void endIntake() throws KernelException {
    attach(fd, List.of(new BpfInstruction(Bpf.BPF_RET | Bpf.BPF_K, 0)));
  }

  /**
   * Goes to the next packet.
   *
   * @return whether there is one yet; the one before can no longer be read
   */
  public boolean next() {
    if (started && --inBlock > 0) {
      header += memory.getInt(header + TP_NEXT_OFFSET);
      return true;
    }
    while (true) {
      int begin = block * BLOCK_BYTES;
      if (started) {
        VarHandle.releaseFence();
        memory.putInt(begin + BLOCK_STATUS, 0); // TP_STATUS_KERNEL
        block = (block + 1) % blocks;
        begin = block * BLOCK_BYTES;
        started = false;
      }
      if ((memory.getInt(begin + BLOCK_STATUS) & TP_STATUS_USER) == 0) {
        return false;
      }
      VarHandle.acquireFence();
      started = true;
      inBlock = memory.getInt(begin + BLOCK_NUM_PKTS);
      if (inBlock > 0) {
        header = begin + memory.getInt(begin + BLOCK_FIRST_PKT);
        return true;
      }
    }
  }

  /** Whether half of the memory waits to be read. */
  public boolean isFilling() {
    int ahead = (block + blocks / 2) % blocks * BLOCK_BYTES;
    return (memory.getInt(ahead + BLOCK_STATUS) & TP_STATUS_USER) != 0;
  }

  /** The packet's time, in nanoseconds since 1970. */
  public long nanos() {
    return Integer.toUnsignedLong(memory.getInt(header + TP_SEC)) * 1_000_000_000L
        + memory.getInt(header + TP_NSEC);
  }

  /** How many of its bytes are here. */
  public int captured() {
    return memory.getInt(header + TP_SNAPLEN);
  }

  /** How many bytes it has. */
  public int length() {
    return memory.getInt(header + TP_LEN);
  }

  /** Where in {@link #memory} it begins. */
  public int offset() {
    int at =
        switch (form) {
          case WITH_LINK -> TP_MAC;
          case NETWORK -> TP_NET;
        };
    return header + Short.toUnsignedInt(memory.getShort(header + at));
  }

  /** The kernel's memory, for absolute reads of bytes. */
  public ByteBuffer memory() {
    return memory;
  }

  /** Whether it was on its way out of the device. */
  public boolean isOutgoing() {
    return memory.get(header + TP3_HEADER_BYTES + SLL_PKTTYPE) == PACKET_OUTGOING;
  }

  /** Whether the device took a tag of a virtual LAN off, which is then no part of the bytes. */
  public boolean hasTag() {
    return (memory.getInt(header + TP_STATUS) & TP_STATUS_VLAN_VALID) != 0;
  }

  /** The tag that was taken off: its type above, its contents below. */
  public int tag() {
    int type =
        (memory.getInt(header + TP_STATUS) & TP_STATUS_VLAN_TPID_VALID) == 0
            ? ETH_P_8021Q
            : Short.toUnsignedInt(memory.getShort(header + TP_VLAN_TPID));
    return type << 16 | (memory.getInt(header + TP_VLAN_TCI) & 0xffff);
  }

  /**
   * Whether the device went down or away since this was asked last. Until it is asked, {@link
   * #await} finds the ring ready.
   */
  public boolean wentDown() throws KernelException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment error = arena.allocate(ValueLayout.JAVA_INT);
      MemorySegment length = arena.allocateFrom(ValueLayout.JAVA_INT, 4);
      Errno.check(
          Libc.getsockopt(fd.number(), SOL_SOCKET, SO_ERROR, error, length),
          "getsockopt",
          "SO_ERROR");
      return error.get(ValueLayout.JAVA_INT, 0) == Errno.ENETDOWN.number();
    }
  }

  /** What was counted so far. */
  public Counts counts() throws KernelException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment counted = arena.allocate(STATISTICS_BYTES, 4);
      MemorySegment length = arena.allocateFrom(ValueLayout.JAVA_INT, STATISTICS_BYTES);
      Errno.check(
          Libc.getsockopt(fd.number(), SOL_PACKET, PACKET_STATISTICS, counted, length),
          "getsockopt",
          "PACKET_STATISTICS");
      received += Integer.toUnsignedLong(counted.get(ValueLayout.JAVA_INT, 0)); // begins anew
      dropped += Integer.toUnsignedLong(counted.get(ValueLayout.JAVA_INT, 4));
      return new Counts(received, dropped);
    }
  }

  @Override
  public void close() {
    if (!fd.isClosed()) {
      Libc.munmap(mapped);
      fd.close();
    }
  }
}
