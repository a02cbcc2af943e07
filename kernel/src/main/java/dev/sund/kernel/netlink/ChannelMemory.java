package dev.sund.kernel.netlink;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import org.jspecify.annotations.Nullable;

/**
 * What a netlink socket sends from and receives into. That of small sockets, which live for a few
 * messages in a pod's namespace, is lent again to the next: to free memory that several threads may
 * see makes the JVM stop them all for a moment.
 *
 * <p>One thread at a time; whoever borrows gives back once.
 */
final class ChannelMemory {
  static final int ADDRESS_BYTES = 12; // struct sockaddr_nl

  private static final BlockingQueue<ChannelMemory> SMALL = new ArrayBlockingQueue<>(4);

  private final Buffers buffers;
  private final Arena arena = Arena.ofShared();
  private final byte[] received;
  private final MemorySegment receiving;
  private final MemorySegment sender;
  private final MemorySegment senderLength;
  private Arena sendArena = Arena.ofShared();
  private MemorySegment sending;

  private ChannelMemory(Buffers buffers) {
    this.buffers = buffers;
    this.received = new byte[buffers.datagram()];
    this.receiving = arena.allocate(buffers.datagram(), 8);
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

  /** Where the kernel writes a datagram. */
  MemorySegment receiving() {
    return receiving;
  }

  /** Where the kernel writes who sent it. */
  MemorySegment sender() {
    return sender;
  }

  /** Where the kernel writes how long that is. */
  MemorySegment senderLength() {
    return senderLength;
  }

  /** The last datagram, on the heap. */
  byte[] received() {
    return received;
  }
}
