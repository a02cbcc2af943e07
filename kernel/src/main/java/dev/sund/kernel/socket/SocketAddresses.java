package dev.sund.kernel.socket;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import dev.sund.model.Family;
import dev.sund.model.Ip;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Optional;

/** {@code struct sockaddr_in} and {@code struct sockaddr_in6}, written and read in place. */
final class SocketAddresses {
  /** Room for any of them, and for {@code struct sockaddr_ll}. */
  static final long SIZE = 128;

  private static final short AF_INET = 2;
  private static final short AF_INET6 = 10;
  private static final ValueLayout.OfShort NETWORK_SHORT =
      JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
  private static final ValueLayout.OfInt NETWORK_INT =
      JAVA_INT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
  private static final ValueLayout.OfLong NETWORK_LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

  private SocketAddresses() {}

  /** Writes the address and returns its length in bytes. */
  static int write(MemorySegment to, Endpoint endpoint) {
    Ip ip = endpoint.ip();
    to.set(NETWORK_SHORT, 2, (short) endpoint.port());
    if (ip.family() == Family.V4) {
      to.set(JAVA_SHORT_UNALIGNED, 0, AF_INET);
      to.set(NETWORK_INT, 4, (int) ip.low());
      to.set(NETWORK_LONG, 8, 0);
      return 16;
    }
    to.set(JAVA_SHORT_UNALIGNED, 0, AF_INET6);
    to.set(NETWORK_INT, 4, 0);
    to.set(NETWORK_LONG, 8, ip.high());
    to.set(NETWORK_LONG, 16, ip.low());
    to.set(NETWORK_INT, 24, 0);
    return 28;
  }

  /** Reads the address; empty when it is of another family than IPv4 and IPv6. */
  static Optional<Endpoint> read(MemorySegment from) {
    short family = from.get(JAVA_SHORT_UNALIGNED, 0);
    int port = from.get(NETWORK_SHORT, 2) & 0xffff;
    if (family == AF_INET) {
      return Optional.of(new Endpoint(Ip.v4(from.get(NETWORK_INT, 4)), port));
    }
    if (family == AF_INET6) {
      long high = from.get(NETWORK_LONG, 8);
      long low = from.get(NETWORK_LONG, 16);
      return Optional.of(new Endpoint(Ip.v6(high, low), port));
    }
    return Optional.empty();
  }

  /** Forgets what was there: the family becomes 0, which {@link #read} calls empty. */
  static void clear(MemorySegment address) {
    address.asSlice(0, 28).fill((byte) 0);
  }

  /** The octet at {@code offset}, unsigned. */
  static int octet(MemorySegment memory, long offset) {
    return memory.get(JAVA_BYTE, offset) & 0xff;
  }
}
