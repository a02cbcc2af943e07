package dev.sund.kernel.socket;

import dev.sund.kernel.Capability;
import dev.sund.kernel.Errno;
import dev.sund.kernel.Fd;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.libc.Libc;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Optional;

/**
 * A non-blocking socket of the network namespace that its opener's thread was in.
 *
 * <p>Methods called {@code try...} return what the kernel returned: at least 0, or a negated errno
 * to be asked with {@link Errno#is}. All others throw when the kernel refuses, for that is a fault
 * of the program and no finding. One thread at a time; the opener closes.
 */
public final class NetSocket implements AutoCloseable {
  private static final int AF_INET = 2;
  private static final int AF_INET6 = 10;
  private static final int AF_PACKET = 17;
  private static final int SOCK_STREAM = 1;
  private static final int SOCK_DGRAM = 2;
  private static final int SOCK_RAW = 3;
  private static final int NONBLOCK_CLOEXEC = 0x800 | 0x80000;
  private static final int ETH_P_ALL = 3;

  private static final int SOL_SOCKET = 1;
  private static final int SO_REUSEADDR = 2;
  private static final int SO_ERROR = 4;
  private static final int SO_LINGER = 13;
  private static final int SO_RCVBUFFORCE = 33;
  private static final int SO_RXQ_OVFL = 40;
  private static final int SOL_PACKET = 263;
  private static final int PACKET_IGNORE_OUTGOING = 23;
  private static final int SOL_TCP = 6;
  private static final int TCP_NODELAY = 1;
  private static final int TCP_MAXSEG = 2;
  private static final int SOL_UDP = 17;
  private static final int UDP_CORK = 1;
  private static final int IPPROTO_IP = 0;
  private static final int IPPROTO_IPV6 = 41;
  private static final int IP_MTU = 14;
  private static final int IPV6_MTU = 24;

  private static final ValueLayout.OfShort NETWORK_SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

  private final Fd fd;
  private final Family family;

  private NetSocket(Fd fd, Family family) {
    this.fd = fd;
    this.family = family;
  }

  /** A TCP socket. */
  public static NetSocket tcp(Family family) throws KernelException {
    return open(domain(family), SOCK_STREAM, 0, family, "TCP socket");
  }

  /** A UDP socket. */
  public static NetSocket udp(Family family) throws KernelException {
    return open(domain(family), SOCK_DGRAM, 0, family, "UDP socket");
  }

  /**
   * A raw socket of this protocol number: sends and receives IP payloads. Received IPv4 packets
   * begin with their IP header, IPv6 packets do not.
   *
   * @throws KernelException.Denied without CAP_NET_RAW
   */
  public static NetSocket raw(Family family, int protocol) throws KernelException {
    return open(domain(family), SOCK_RAW, protocol, family, "raw socket");
  }

  /**
   * A socket that sees every frame that comes in by a device, from its Ethernet header on; frames
   * that go out by it are not shown.
   *
   * @param linkIndex the device's index in the calling thread's namespace
   * @throws KernelException.Denied without CAP_NET_RAW
   */
  public static NetSocket capture(int linkIndex) throws KernelException {
    // Protocol 0 until bound: else frames of all devices would queue up in between.
    NetSocket socket = open(AF_PACKET, SOCK_RAW, 0, Family.V4, "packet socket");
    try (Arena arena = Arena.ofConfined()) {
      socket.set(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1);
      MemorySegment address = arena.allocate(20, 4);
      address.set(ValueLayout.JAVA_SHORT, 0, (short) AF_PACKET);
      address.set(NETWORK_SHORT, 2, (short) ETH_P_ALL);
      address.set(ValueLayout.JAVA_INT, 4, linkIndex);
      Errno.check(
          Libc.bind(socket.number(), address, 20),
          "bind",
          "packet socket to link " + linkIndex,
          Capability.NET_RAW);
      return socket;
    } catch (KernelException e) {
      socket.close();
      throw e;
    }
  }

  /**
   * A socket that sends whole frames by a device, from their Ethernet header on, and receives none:
   * {@link MessageBuffer#send}.
   *
   * @param linkIndex the device's index in the calling thread's namespace
   * @throws KernelException.Denied without CAP_NET_RAW
   */
  public static NetSocket frames(int linkIndex) throws KernelException {
    NetSocket socket = open(AF_PACKET, SOCK_RAW, 0, Family.V4, "packet socket");
    boolean bound = false;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment address = arena.allocate(20, 4); // protocol 0: no frame is shown to it
      address.set(ValueLayout.JAVA_SHORT, 0, (short) AF_PACKET);
      address.set(ValueLayout.JAVA_INT, 4, linkIndex);
      Errno.check(
          Libc.bind(socket.number(), address, 20),
          "bind",
          "packet socket to link " + linkIndex,
          Capability.NET_RAW);
      bound = true;
      return socket;
    } finally {
      if (!bound) {
        socket.close();
      }
    }
  }

  private static NetSocket open(int domain, int type, int protocol, Family family, String what)
      throws KernelException {
    int number = Libc.socket(domain, type | NONBLOCK_CLOEXEC, protocol);
    Errno.check(number, "open", what, Capability.NET_RAW);
    return new NetSocket(Fd.own(number, what), family);
  }

  private static int domain(Family family) {
    return family == Family.V4 ? AF_INET : AF_INET6;
  }

  /** The family of its addresses. */
  public Family family() {
    return family;
  }

  /** The descriptor's number, for {@link Epoll}. */
  int number() {
    return fd.number();
  }

  /**
   * Binds to an address; IPv6 sockets then take IPv6 alone.
   *
   * @return 0, or a negated errno: EADDRINUSE, EADDRNOTAVAIL
   */
  public int tryBind(Endpoint local) throws KernelException {
    set(SOL_SOCKET, SO_REUSEADDR, 1);
    if (local.ip().equals(Ip.any(Family.V6))) {
      set(IPPROTO_IPV6, 26, 1); // IPV6_V6ONLY: IPv4 has a socket of its own
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment address = arena.allocate(SocketAddresses.SIZE, 8);
      int length = SocketAddresses.write(address, local);
      return Libc.bind(number(), address, length);
    }
  }

  /** Binds to an address that must be free. */
  public NetSocket bind(Endpoint local) throws KernelException {
    Errno.check(tryBind(local), "bind", local.toString(), Capability.NET_RAW);
    return this;
  }

  /**
   * Begins a connection.
   *
   * @return 0 when connected, or a negated errno: EINPROGRESS when the answer is to come (wait for
   *     writability, then ask {@link #pendingError}), else why not
   */
  public int tryConnect(Endpoint remote) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment address = arena.allocate(SocketAddresses.SIZE, 8);
      int length = SocketAddresses.write(address, remote);
      return Libc.connect(number(), address, length);
    }
  }

  /** Takes connections from now on. */
  public NetSocket listen(int backlog) throws KernelException {
    Errno.check(Libc.listen(number(), backlog), "listen", toString());
    return this;
  }

  /** The next connection that waits; empty when none does. */
  public Optional<NetSocket> accept() throws KernelException {
    int number = Libc.accept4(number(), MemorySegment.NULL, MemorySegment.NULL, NONBLOCK_CLOEXEC);
    if (Errno.EAGAIN.is(number) || Errno.ECONNABORTED.is(number)) {
      return Optional.empty();
    }
    Errno.check(number, "accept", toString());
    return Optional.of(new NetSocket(Fd.own(number, "TCP connection"), family));
  }

  /** The address of this side. */
  public Endpoint local() throws KernelException {
    return name("getsockname", true);
  }

  /** The address of the other side as this side sees it. */
  public Endpoint remote() throws KernelException {
    return name("getpeername", false);
  }

  private Endpoint name(String call, boolean own) throws KernelException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment address = arena.allocate(SocketAddresses.SIZE, 8);
      MemorySegment length = arena.allocateFrom(ValueLayout.JAVA_INT, (int) SocketAddresses.SIZE);
      int result =
          own
              ? Libc.getsockname(number(), address, length)
              : Libc.getpeername(number(), address, length);
      Errno.check(result, call, toString());
      return SocketAddresses.read(address)
          .orElseThrow(() -> new KernelException.Malformed(call, "not an Internet address"));
    }
  }

  /** The error that waits on the socket (SO_ERROR), positive; 0 when there is none. */
  public int pendingError() throws KernelException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment value = arena.allocate(ValueLayout.JAVA_INT);
      MemorySegment length = arena.allocateFrom(ValueLayout.JAVA_INT, 4);
      Errno.check(
          Libc.getsockopt(number(), SOL_SOCKET, SO_ERROR, value, length), "getsockopt", "SO_ERROR");
      return value.get(ValueLayout.JAVA_INT, 0);
    }
  }

  /** Sends no packet that routers may cut, and learns what the path takes (IP_PMTUDISC_DO). */
  public NetSocket dontFragment() throws KernelException {
    return discover(2);
  }

  /**
   * Sends no packet that routers may cut, and forgets what the path is said to take
   * (IP_PMTUDISC_PROBE): only the device's own MTU bounds a packet.
   */
  public NetSocket probeMtu() throws KernelException {
    return discover(3);
  }

  /**
   * The largest packet in bytes that the kernel would send to the connected address: the device's
   * MTU, the route's, or what a router once said (IP_MTU, IPV6_MTU).
   */
  public int pathMtu() throws KernelException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment value = arena.allocate(ValueLayout.JAVA_INT);
      MemorySegment length = arena.allocateFrom(ValueLayout.JAVA_INT, 4);
      boolean v4 = family == Family.V4;
      Errno.check(
          Libc.getsockopt(
              number(), v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_MTU : IPV6_MTU, value, length),
          "getsockopt",
          "IP_MTU");
      return value.get(ValueLayout.JAVA_INT, 0);
    }
  }

  private NetSocket discover(int mode) throws KernelException {
    return family == Family.V4 ? set(IPPROTO_IP, 10, mode) : set(IPPROTO_IPV6, 23, mode);
  }

  /** The time to live or hop limit of what is sent from now on, 1 to 255. */
  public NetSocket timeToLive(int ttl) throws KernelException {
    return family == Family.V4 ? set(IPPROTO_IP, 2, ttl) : set(IPPROTO_IPV6, 16, ttl);
  }

  /** Queues ICMP errors and local errors to be read with {@link MessageBuffer#receiveError}. */
  public NetSocket queueErrors() throws KernelException {
    return family == Family.V4 ? set(IPPROTO_IP, 11, 1) : set(IPPROTO_IPV6, 25, 1);
  }

  /** Tells the time to live of what is received ({@link MessageBuffer#timeToLive}). */
  public NetSocket tellTimeToLive() throws KernelException {
    return family == Family.V4 ? set(IPPROTO_IP, 12, 1) : set(IPPROTO_IPV6, 51, 1);
  }

  /** Tells how many messages did not fit the receive buffer ({@link MessageBuffer#overflow}). */
  public NetSocket tellOverflow() throws KernelException {
    return set(SOL_SOCKET, SO_RXQ_OVFL, 1);
  }

  /**
   * Sets the receive buffer, above the system's limit if need be.
   *
   * @throws KernelException.Denied without CAP_NET_ADMIN
   */
  public NetSocket receiveBuffer(int bytes) throws KernelException {
    return set(SOL_SOCKET, SO_RCVBUFFORCE, bytes);
  }

  /**
   * Gathers what is sent on a UDP socket into one packet (UDP_CORK), which goes when this is
   * switched off. The kernel makes the checksum of such a packet itself.
   */
  public NetSocket cork(boolean on) throws KernelException {
    return set(SOL_UDP, UDP_CORK, on ? 1 : 0);
  }

  /** Sends small pieces at once (TCP_NODELAY). */
  public NetSocket noDelay() throws KernelException {
    return set(SOL_TCP, TCP_NODELAY, 1);
  }

  /**
   * Announces no larger segments than this when a connection begins (TCP_MAXSEG).
   *
   * @param bytes 88 to 32767
   */
  public NetSocket largestSegment(int bytes) throws KernelException {
    return set(SOL_TCP, TCP_MAXSEG, bytes);
  }

  /** Closing ends the connection by a reset, so that it leaves no TIME_WAIT behind. */
  public NetSocket resetOnClose() throws KernelException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment linger = arena.allocate(8, 4); // on, for 0 seconds
      linger.set(ValueLayout.JAVA_INT, 0, 1);
      Errno.check(
          Libc.setsockopt(number(), SOL_SOCKET, SO_LINGER, linger, 8), "setsockopt", "SO_LINGER");
      return this;
    }
  }

  private NetSocket set(int level, int name, int value) throws KernelException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment memory = arena.allocateFrom(ValueLayout.JAVA_INT, value);
      Errno.check(
          Libc.setsockopt(number(), level, name, memory, 4),
          "setsockopt",
          "level " + level + " option " + name + " to " + value);
      return this;
    }
  }

  /** Whether {@link #close} has been called. */
  public boolean isClosed() {
    return fd.isClosed();
  }

  @Override
  public void close() {
    fd.close();
  }

  @Override
  public String toString() {
    return fd.toString();
  }
}
