package dev.sund.kernel.socket;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.sund.kernel.libc.Libc;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * One message on its way in or out, with the memory that the calls need, so that sending and
 * receiving allocate nothing. What came with a message is valid until the next call.
 *
 * <pre>{@code
 * int length = buffer.receive(socket);
 * if (length >= 0) {
 *   int probe = buffer.data().getInt(4);
 *   Endpoint sender = buffer.from().orElseThrow();
 * }
 * }</pre>
 *
 * <p>Used by one thread at a time, of the platform's. The memory goes with the object.
 */
public final class MessageBuffer {
  private static final int MSG_ERRQUEUE = 0x2000;
  private static final int MSG_NOSIGNAL = 0x4000;
  private static final int CONTROL_SIZE = 512;
  private static final int SOL_IP = 0;
  private static final int SOL_SOCKET = 1;
  private static final int SOL_IPV6 = 41;
  private static final int IP_TTL = 2;
  private static final int IP_RECVERR = 11;
  private static final int SO_RXQ_OVFL = 40;
  private static final int IPV6_RECVERR = 25;
  private static final int IPV6_HOPLIMIT = 52;

  // struct msghdr on 64-bit machines
  private static final long NAME_LENGTH = 8;
  private static final long IOV = 16;
  private static final long IOV_COUNT = 24;
  private static final long CONTROL = 32;
  private static final long CONTROL_LENGTH = 40;
  private static final long HEADER_SIZE = 56;

  private final MemorySegment payload;
  private final ByteBuffer data;
  private final MemorySegment address;
  private final MemorySegment control;
  private final MemorySegment iov;
  private final MemorySegment header;

  private OptionalInt timeToLive = OptionalInt.empty();
  private OptionalInt overflow = OptionalInt.empty();
  private Optional<QueuedError> error = Optional.empty();

  /** A buffer for messages of at most {@code capacity} bytes; longer ones are cut when received. */
  public MessageBuffer(int capacity) {
    Arena arena = Arena.ofAuto();
    payload = arena.allocate(capacity, 8);
    data = payload.asByteBuffer().order(ByteOrder.BIG_ENDIAN);
    address = arena.allocate(SocketAddresses.SIZE, 8);
    control = arena.allocate(CONTROL_SIZE, 8);
    iov = arena.allocate(16, 8);
    iov.set(ADDRESS, 0, payload);
    iov.set(JAVA_LONG, 8, capacity);
    header = arena.allocate(HEADER_SIZE, 8);
    header.set(ADDRESS, 0, address);
    header.set(ADDRESS, IOV, iov);
    header.set(JAVA_LONG, IOV_COUNT, 1);
    header.set(ADDRESS, CONTROL, control);
  }

  /** The payload in network byte order, for absolute reads and writes. */
  public ByteBuffer data() {
    return data;
  }

  /** A copy of the first {@code length} bytes of the payload. */
  public byte[] bytes(int length) {
    byte[] copy = new byte[length];
    data.get(0, copy);
    return copy;
  }

  /**
   * Sends the first {@code length} bytes of the payload on a connected socket.
   *
   * @return bytes sent, or a negated errno
   */
  public int send(NetSocket socket, int length) {
    return (int) Libc.send(socket.number(), payload, length, MSG_NOSIGNAL);
  }

  /**
   * Sends the first {@code length} bytes of the payload to an address.
   *
   * @return bytes sent, or a negated errno: EMSGSIZE when it may not be cut, EHOSTUNREACH, an error
   *     left by an earlier packet
   */
  public int sendTo(NetSocket socket, int length, Endpoint to) {
    int addressLength = SocketAddresses.write(address, to);
    return (int)
        Libc.sendto(socket.number(), payload, length, MSG_NOSIGNAL, address, addressLength);
  }

  /**
   * Receives a message, and what came with it.
   *
   * @return its length, 0 also at the end of a connection, or a negated errno: EAGAIN when nothing
   *     waits
   */
  public int receive(NetSocket socket) {
    return receive(socket, 0);
  }

  /**
   * Takes one error off the socket's error queue: the payload is that of the packet that met it, as
   * far as it was quoted, {@link #from} is where it was sent, {@link #error} what happened.
   *
   * @return the payload's length, or a negated errno: EAGAIN when the queue is empty
   */
  public int receiveError(NetSocket socket) {
    return receive(socket, MSG_ERRQUEUE);
  }

  private int receive(NetSocket socket, int flags) {
    SocketAddresses.clear(address);
    header.set(JAVA_INT, NAME_LENGTH, (int) SocketAddresses.SIZE);
    header.set(JAVA_LONG, CONTROL_LENGTH, CONTROL_SIZE);
    timeToLive = OptionalInt.empty();
    overflow = OptionalInt.empty();
    error = Optional.empty();
    int length = (int) Libc.recvmsg(socket.number(), header, flags);
    if (length >= 0) {
      readControl(header.get(JAVA_LONG, CONTROL_LENGTH));
    }
    return length;
  }

  private void readControl(long end) {
    long at = 0;
    while (at + 16 <= end) {
      long length = control.get(JAVA_LONG, at);
      if (length < 16 || at + length > end) {
        return;
      }
      int level = control.get(JAVA_INT, at + 8);
      int type = control.get(JAVA_INT, at + 12);
      MemorySegment value = control.asSlice(at + 16, length - 16);
      if ((level == SOL_IP && type == IP_TTL) || (level == SOL_IPV6 && type == IPV6_HOPLIMIT)) {
        timeToLive = OptionalInt.of(value.get(JAVA_INT, 0));
      } else if (level == SOL_SOCKET && type == SO_RXQ_OVFL) {
        overflow = OptionalInt.of(value.get(JAVA_INT, 0));
      } else if ((level == SOL_IP && type == IP_RECVERR)
          || (level == SOL_IPV6 && type == IPV6_RECVERR)) {
        error = Optional.of(readError(value));
      }
      at += (length + 7) & ~7;
    }
  }

  private static QueuedError readError(MemorySegment value) {
    QueuedError.Origin origin =
        switch (SocketAddresses.octet(value, 4)) {
          case 1 -> QueuedError.Origin.LOCAL;
          case 2 -> QueuedError.Origin.ICMP;
          case 3 -> QueuedError.Origin.ICMP6;
          default -> QueuedError.Origin.OTHER;
        };
    return new QueuedError(
        value.get(JAVA_INT, 0),
        origin,
        SocketAddresses.octet(value, 5),
        SocketAddresses.octet(value, 6),
        value.get(JAVA_INT, 8),
        value.byteSize() >= 16 + 28 || value.byteSize() >= 16 + 16
            ? SocketAddresses.read(value.asSlice(16)).map(Endpoint::ip)
            : Optional.empty());
  }

  /** Who sent the message just received; empty on a connection. */
  public Optional<Endpoint> from() {
    return SocketAddresses.read(address);
  }

  /** The time to live it arrived with, if the socket tells it. */
  public OptionalInt timeToLive() {
    return timeToLive;
  }

  /**
   * How many messages the socket has lost since it was opened because its buffer was full; empty
   * when none, or when the socket does not tell.
   */
  public OptionalInt overflow() {
    return overflow;
  }

  /** The error just taken off the queue. */
  public Optional<QueuedError> error() {
    return error;
  }
}
