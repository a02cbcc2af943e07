package dev.sund.kernel.netlink;

import dev.sund.kernel.Capability;
import dev.sund.kernel.Errno;
import dev.sund.kernel.Fd;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.NetNs;
import dev.sund.kernel.libc.Libc;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.function.BooleanSupplier;

/**
 * The descriptor of a netlink socket with its buffers: what {@link NetlinkSocket} and {@link
 * NetlinkMonitor} have in common. One thread at a time; {@link #close} from the owner.
 */
final class NetlinkChannel implements AutoCloseable {
  private static final int AF_NETLINK = 16;
  private static final int PORT_OFFSET = 4;
  private static final int SOCK_RAW = 3;
  private static final int SOL_SOCKET = 1;
  private static final int SO_SNDBUF = 7;
  private static final int SO_RCVBUF = 8;
  private static final int SO_RCVTIMEO = 20;
  private static final int SO_SNDBUFFORCE = 32;
  private static final int SO_RCVBUFFORCE = 33;
  private static final int MSG_TRUNC = 0x20;
  private static final int MSG_DONTWAIT = 0x40;

  private final Fd fd;
  private final String what;
  private final ChannelMemory memory;
  private final int sendLimit;
  private final int receiveLimit;
  private int port;

  private NetlinkChannel(Fd fd, String what, Buffers buffers) throws KernelException {
    this.fd = fd;
    this.what = what;
    this.memory = ChannelMemory.borrow(buffers);
    this.sendLimit = enlarge(SO_SNDBUFFORCE, SO_SNDBUF, buffers.send());
    this.receiveLimit = enlarge(SO_RCVBUFFORCE, SO_RCVBUF, buffers.receive());
  }

  static NetlinkChannel open(int protocol, NetNs namespace, Buffers buffers)
      throws KernelException {
    String what = what(protocol);
    return over(namespace.socket(AF_NETLINK, SOCK_RAW, protocol, what), what, buffers);
  }

  /** As {@link #open(int, NetNs, Buffers)}, after {@code first} has run in the same visit. */
  static NetlinkChannel open(
      int protocol, NetNs namespace, Fd entered, Runnable first, Buffers buffers)
      throws KernelException {
    String what = what(protocol);
    return over(
        namespace.socket(entered, AF_NETLINK, SOCK_RAW, protocol, what, first), what, buffers);
  }

  private static String what(int protocol) {
    return "netlink socket " + protocol;
  }

  private static NetlinkChannel over(Fd fd, String what, Buffers buffers) throws KernelException {
    NetlinkChannel channel = null;
    try {
      channel = new NetlinkChannel(fd, what, buffers);
      // Kernels before 4.12 know no extended texts, before 4.20 no strict checks: both are
      // optional.
      channel.trySet(Netlink.SOL_NETLINK, Netlink.NETLINK_EXT_ACK, 1);
      channel.trySet(Netlink.SOL_NETLINK, Netlink.NETLINK_CAP_ACK, 1);
      channel.trySet(Netlink.SOL_NETLINK, Netlink.NETLINK_GET_STRICT_CHK, 1);
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment address = arena.allocate(ChannelMemory.ADDRESS_BYTES, 4);
        address.set(ValueLayout.JAVA_SHORT, 0, (short) AF_NETLINK);
        Errno.check(Libc.bind(fd.number(), address, ChannelMemory.ADDRESS_BYTES), "bind", what);
        MemorySegment length =
            arena.allocateFrom(ValueLayout.JAVA_INT, ChannelMemory.ADDRESS_BYTES);
        Errno.check(Libc.getsockname(fd.number(), address, length), "read the port of", what);
        channel.port = address.get(ValueLayout.JAVA_INT, PORT_OFFSET);
      }
      return channel;
    } catch (KernelException | RuntimeException e) {
      if (channel != null) {
        channel.close();
      }
      fd.close();
      throw e;
    }
  }

  Fd fd() {
    return fd;
  }

  /** By which number the kernel knows this socket in its namespace (nl_pid). */
  int port() {
    return port;
  }

  /** The most bytes that one send may carry. */
  int sendLimit() {
    return sendLimit;
  }

  /** The bytes of answers that may wait, as the kernel counts them. */
  int receiveLimit() {
    return receiveLimit;
  }

  void join(int group) throws KernelException {
    Errno.check(
        trySet(Netlink.SOL_NETLINK, Netlink.NETLINK_ADD_MEMBERSHIP, group),
        "subscribe to group " + group,
        what);
  }

  /** How long {@link #receive} waits at most. */
  void receiveTimeout(Duration timeout) throws KernelException {
    try (Arena call = Arena.ofConfined()) {
      MemorySegment timeval = call.allocate(16, 8); // two longs on every 64-bit Linux
      timeval.set(ValueLayout.JAVA_LONG, 0, timeout.toSeconds());
      timeval.set(ValueLayout.JAVA_LONG, 8, timeout.toNanosPart() / 1000);
      Errno.check(
          Libc.setsockopt(fd.number(), SOL_SOCKET, SO_RCVTIMEO, timeval, 16), "set timeout", what);
    }
  }

  void send(byte[] data, int from, int to) throws KernelException {
    int length = to - from;
    MemorySegment sending = memory.sending(length);
    MemorySegment.copy(data, from, sending, ValueLayout.JAVA_BYTE, 0, length);
    long sent;
    do {
      sent = Libc.send(fd.number(), sending, length, 0);
    } while (Errno.EINTR.is(sent));
    Errno.check((int) sent, "send " + length + " bytes to", what);
    if (sent != length) {
      throw Errno.exception(
          "send", what, Errno.EMSGSIZE.number(), sent + " of " + length, Capability.NET_ADMIN);
    }
  }

  /**
   * Receives one datagram of the kernel's into {@link #data}.
   *
   * @param goOn asked after each interrupted or foreign datagram
   * @return its length, or a negated errno: EAGAIN when nothing came in time, ENOBUFS when the
   *     kernel dropped some
   */
  int receive(boolean wait, BooleanSupplier goOn) throws KernelException {
    MemorySegment area = ChannelMemory.borrowArea();
    try {
      return receive(area, wait, goOn);
    } finally {
      ChannelMemory.giveBackArea(area);
    }
  }

  private int receive(MemorySegment area, boolean wait, BooleanSupplier goOn)
      throws KernelException {
    do {
      memory.senderLength().set(ValueLayout.JAVA_INT, 0, ChannelMemory.ADDRESS_BYTES);
      long length =
          Libc.recvfrom(
              fd.number(),
              area,
              memory.datagram(),
              MSG_TRUNC | (wait ? 0 : MSG_DONTWAIT),
              memory.sender(),
              memory.senderLength());
      if (Errno.EINTR.is(length)) {
        continue;
      }
      if (length < 0) {
        return (int) length;
      }
      if (length > memory.datagram()) {
        throw new KernelException.Malformed(
            "datagram of " + what,
            length + " bytes are more than the " + memory.datagram() + " of the buffer");
      }
      if (memory.sender().get(ValueLayout.JAVA_INT, 4) != 0) {
        continue; // another process may write to our port; only port 0 is the kernel
      }
      memory.keep(area, (int) length);
      return (int) length;
    } while (goOn.getAsBoolean());
    return -Errno.EAGAIN.number();
  }

  /** The last datagram received. */
  byte[] data() {
    return memory.received();
  }

  @Override
  public void close() {
    if (!fd.isClosed()) {
      fd.close();
      memory.giveBack();
    }
  }

  @Override
  public String toString() {
    return what;
  }

  private int trySet(int level, int name, int value) {
    try (Arena call = Arena.ofConfined()) {
      MemorySegment option = call.allocateFrom(ValueLayout.JAVA_INT, value);
      return Libc.setsockopt(fd.number(), level, name, option, 4);
    }
  }

  /** Asks for a buffer beyond the system's limit, else for what the limit allows. */
  private int enlarge(int force, int plain, int bytes) throws KernelException {
    if (trySet(SOL_SOCKET, force, bytes) < 0) {
      Errno.check(trySet(SOL_SOCKET, plain, bytes), "set buffer of", what);
    }
    try (Arena call = Arena.ofConfined()) {
      MemorySegment value = call.allocate(ValueLayout.JAVA_INT);
      MemorySegment length = call.allocateFrom(ValueLayout.JAVA_INT, 4);
      Errno.check(
          Libc.getsockopt(fd.number(), SOL_SOCKET, plain, value, length), "get buffer of", what);
      return value.get(ValueLayout.JAVA_INT, 0);
    }
  }
}
