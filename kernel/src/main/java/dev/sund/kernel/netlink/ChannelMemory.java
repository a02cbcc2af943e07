package dev.sund.kernel.netlink;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentLinkedDeque;
import org.jspecify.annotations.Nullable;

/**
 * What a netlink socket sends from and receives into. That of small sockets, which live for a few
 * messages in a pod's namespace, is lent again to the next: to free memory that several threads may
 * see makes the JVM stop them all for a moment.
 *
 * <p>A datagram's room is large, and an agent has a dozen sockets of which most are silent: what
 * the kernel writes into is lent for one call, and what is kept of it grows with what comes.
 *
 * <p>One thread at a time; whoever borrows gives back once.
 */
final class ChannelMemory {
  static final int ADDRESS_BYTES = 12; // struct sockaddr_nl

  private static final BlockingQueue<ChannelMemory> SMALL = new ArrayBlockingQueue<>(4);

  /** As many as ever received at once; never freed. */
  private static final ConcurrentLinkedDeque<MemorySegment> AREAS = new ConcurrentLinkedDeque<>();

  private final Buffers buffers;
  private final Arena arena = Arena.ofShared();
  private final MemorySegment sender;
  private final MemorySegment senderLength;
  private Arena sendArena = Arena.ofShared();
  private MemorySegment sending;
  private byte[] received = new byte[4096];

  private ChannelMemory(Buffers buffers) {
    this.buffers = buffers;
    this.sender = arena.allocate(ADDRESS_BYTES, 4);
    this.senderLength = arena.allocate(ValueLayout.JAVA_INT);
    this.sending = sendArena.allocate(4096, 8);
  }

  static ChannelMemory borrow(Buffers buffers) {
    @Nullable ChannelMemory idle = buffers.equals(Buffers.SMALL) ? SMALL.poll() : null;
    return idle == null ? new ChannelMemory(buffers) : idle;
  }

  void giveBack() {
    if (!buffers.equals(Buffers.SMALL) || !SMALL.offer(this)) {
      arena.close();
      sendArena.close();
    }
  }

  /** Room for so many bytes to send. */
  MemorySegment sending(int length) {
    if (sending.byteSize() < length) {
      Arena larger = Arena.ofShared();
      sending = larger.allocate(Math.max(length, 2 * sending.byteSize()), 8);
      sendArena.close();
      sendArena = larger;
    }
    return sending;
  }

  /** Where the kernel writes a datagram, lent until {@link #giveBackArea}. */
  static MemorySegment borrowArea() {
    @Nullable MemorySegment idle = AREAS.pollFirst();
    return idle == null ? Arena.global().allocate(Buffers.LARGEST_DATAGRAM, 8) : idle;
  }

  static void giveBackArea(MemorySegment area) {
    AREAS.addFirst(area);
  }

  /** The most bytes that a datagram may have. */
  int datagram() {
    return buffers.datagram();
  }

  /** Where the kernel writes who sent it. */
  MemorySegment sender() {
    return sender;
  }

  /** Where the kernel writes how long that is. */
  MemorySegment senderLength() {
    return senderLength;
  }

  /** Puts a datagram on the heap. */
  void keep(MemorySegment area, int length) {
    if (received.length < length) {
      received = new byte[Math.min(datagram(), Math.max(length, 2 * received.length))];
    }
    MemorySegment.copy(area, ValueLayout.JAVA_BYTE, 0, received, 0, length);
  }

  /** The last datagram that was kept. */
  byte[] received() {
    return received;
  }
}
