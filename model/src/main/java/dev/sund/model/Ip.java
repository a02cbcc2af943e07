package dev.sund.model;

import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * One IPv4 or IPv6 address, without zone or prefix length.
 *
 * <p>An IPv4 address keeps its 32 bits in {@code low}; an IPv6 address is {@code high} then {@code
 * low}. IPv4-mapped IPv6 addresses stay IPv6. Ordered by family (IPv4 first), then numerically.
 *
 * @param family the address family
 * @param high the upper 64 bits of an IPv6 address, 0 for IPv4
 * @param low the lower 64 bits of an IPv6 address, or the 32 bits of an IPv4 address
 */
public record Ip(Family family, long high, long low) implements Comparable<Ip> {
  public Ip {
    if (family == Family.V4) {
      Checks.that(high == 0 && (low >>> 32) == 0, "an IPv4 address has 32 bits");
    }
  }

  /** The IPv4 address with these 32 bits, in network order. */
  public static Ip v4(int bits) {
    return new Ip(Family.V4, 0, bits & 0xffffffffL);
  }

  /** The IPv6 address with these 128 bits. */
  public static Ip v6(long high, long low) {
    return new Ip(Family.V6, high, low);
  }

  /**
   * The address whose bytes in network order are {@code bytes}.
   *
   * @throws IllegalArgumentException unless there are 4 or 16 bytes
   */
  public static Ip of(byte[] bytes) {
    return switch (bytes.length) {
      case 4 -> new Ip(Family.V4, 0, load(bytes, 0, 4));
      case 16 -> new Ip(Family.V6, load(bytes, 0, 8), load(bytes, 8, 8));
      default ->
          throw new IllegalArgumentException(
              "an address has 4 or 16 bytes, but there are " + bytes.length);
    };
  }

  /** The unspecified address of {@code family}: {@code 0.0.0.0} or {@code ::}. */
  public static Ip any(Family family) {
    return new Ip(family, 0, 0);
  }

  /**
   * Parses dotted decimal IPv4 or RFC 4291 IPv6 text. Leading zeros in IPv4 octets, zones and
   * prefix lengths are refused.
   *
   * @throws IllegalArgumentException naming the text
   */
  public static Ip parse(String text) {
    return tryParse(text)
        .orElseThrow(
            () -> new IllegalArgumentException("'" + text + "' is not an IPv4 or IPv6 address"));
  }

  /** As {@link #parse}, empty where that throws. */
  public static Optional<Ip> tryParse(String text) {
    return text.indexOf(':') >= 0 ? parseV6(text) : parseV4(text);
  }

  /** The address in network byte order, 4 or 16 bytes. */
  public byte[] toBytes() {
    byte[] bytes = new byte[family.bytes()];
    if (family == Family.V4) {
      store(low, bytes, 0, 4);
    } else {
      store(high, bytes, 0, 8);
      store(low, bytes, 8, 8);
    }
    return bytes;
  }

  /** Bit {@code index} counted from the most significant, 0 to {@code family.bits() - 1}. */
  public boolean bit(int index) {
    if (family == Family.V4) {
      return ((low >>> (31 - index)) & 1) != 0;
    }
    return index < 64 ? ((high >>> (63 - index)) & 1) != 0 : ((low >>> (127 - index)) & 1) != 0;
  }

  /**
   * The address {@code offset} above this one, with carry; wraps around at the end of the family.
   */
  public Ip plus(long offset) {
    if (family == Family.V4) {
      return v4((int) (low + offset));
    }
    long sum = low + offset;
    long carry = 0;
    if (offset >= 0 && Long.compareUnsigned(sum, low) < 0) {
      carry = 1;
    } else if (offset < 0 && Long.compareUnsigned(sum, low) > 0) {
      carry = -1;
    }
    return v6(high + carry, sum);
  }

  /** Whether this is a link-local unicast address: 169.254.0.0/16 or fe80::/10. */
  public boolean isLinkLocal() {
    return family == Family.V4 ? (low >>> 16) == 0xa9fe : (high >>> 54) == 0x3fa;
  }

  /** Whether this is a loopback address: 127.0.0.0/8 or ::1. */
  public boolean isLoopback() {
    return family == Family.V4 ? (low >>> 24) == 127 : high == 0 && low == 1;
  }

  /** Whether this is a multicast address: 224.0.0.0/4 or ff00::/8. */
  public boolean isMulticast() {
    return family == Family.V4 ? (low >>> 28) == 0xe : (high >>> 56) == 0xff;
  }

  /** Whether all bits are 0. */
  public boolean isUnspecified() {
    return high == 0 && low == 0;
  }

  @Override
  public int compareTo(Ip other) {
    if (family != other.family) {
      return Integer.compare(family.ordinal(), other.family.ordinal());
    }
    int byHigh = Long.compareUnsigned(high, other.high);
    return byHigh != 0 ? byHigh : Long.compareUnsigned(low, other.low);
  }

  /** Written out: an agent's compiler (C1) makes much of what a record brings with it. */
  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof Ip ip && low == ip.low && high == ip.high && family == ip.family;
  }

  /**
   * Mixed: the addresses of prefixes differ in their middle bits only, which a hash table would not
   * look at.
   */
  @Override
  public int hashCode() {
    long mixed = (31 * high + low) * 0x9e3779b97f4a7c15L;
    return (int) (mixed >>> 32) + family.ordinal();
  }

  /** Dotted decimal, or the canonical IPv6 text of RFC 5952. */
  @Override
  public String toString() {
    if (family == Family.V4) {
      return (low >>> 24)
          + "."
          + ((low >>> 16) & 255)
          + "."
          + ((low >>> 8) & 255)
          + "."
          + (low & 255);
    }
    int[] groups = new int[8];
    for (int i = 0; i < 8; i++) {
      long half = i < 4 ? high : low;
      groups[i] = (int) (half >>> (48 - 16 * (i % 4))) & 0xffff;
    }
    int bestStart = -1;
    int bestLength = 1; // RFC 5952 section 4.2.2: a single zero group is not shortened
    for (int i = 0; i < 8; ) {
      int end = i;
      while (end < 8 && groups[end] == 0) {
        end++;
      }
      if (end - i > bestLength) {
        bestStart = i;
        bestLength = end - i;
      }
      i = Math.max(end, i + 1);
    }
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < 8; i++) {
      if (i == bestStart) {
        text.append("::");
        i += bestLength - 1;
        continue;
      }
      if (!text.isEmpty() && text.charAt(text.length() - 1) != ':') {
        text.append(':');
      }
      text.append(Integer.toHexString(groups[i]));
    }
    return text.toString();
  }

  private static Optional<Ip> parseV4(String text) {
    int bits = 0;
    int position = 0;
    for (int octet = 0; octet < 4; octet++) {
      if (octet > 0) {
        if (position >= text.length() || text.charAt(position++) != '.') {
          return Optional.empty();
        }
      }
      int start = position;
      int value = 0;
      while (position < text.length() && isDigit(text.charAt(position)) && position - start < 3) {
        value = value * 10 + (text.charAt(position++) - '0');
      }
      int digits = position - start;
      if (digits == 0 || value > 255 || (digits > 1 && text.charAt(start) == '0')) {
        return Optional.empty();
      }
      bits = (bits << 8) | value;
    }
    return position == text.length() ? Optional.of(v4(bits)) : Optional.empty();
  }

  private static boolean isDigit(char c) {
    return c >= '0' && c <= '9';
  }

  private static Optional<Ip> parseV6(String text) {
    int[] groups = new int[8];
    int count = 0;
    int gap = -1;
    int position = 0;
    if (text.startsWith("::")) {
      gap = 0;
      position = 2;
    } else if (text.startsWith(":")) {
      return Optional.empty();
    }
    while (position < text.length()) {
      int end = text.indexOf(':', position);
      String group = end < 0 ? text.substring(position) : text.substring(position, end);
      if (end < 0 && group.indexOf('.') >= 0) {
        Optional<Ip> tail = parseV4(group);
        if (tail.isEmpty() || count > 6) {
          return Optional.empty();
        }
        groups[count++] = (int) (tail.get().low >>> 16);
        groups[count++] = (int) tail.get().low & 0xffff;
        position = text.length();
        break;
      }
      if (count == 8 || group.isEmpty() || group.length() > 4) {
        return Optional.empty();
      }
      int value = 0;
      for (int i = 0; i < group.length(); i++) {
        int digit = Character.digit(group.charAt(i), 16);
        if (digit < 0 || group.charAt(i) > 'f') {
          return Optional.empty();
        }
        value = value * 16 + digit;
      }
      groups[count++] = value;
      if (end < 0) {
        position = text.length();
        break;
      }
      position = end + 1;
      if (position < text.length() && text.charAt(position) == ':') {
        if (gap >= 0) {
          return Optional.empty();
        }
        gap = count;
        position++;
      } else if (position == text.length()) {
        return Optional.empty(); // ends in a single colon
      }
    }
    if (gap < 0 ? count != 8 : count > 7) {
      return Optional.empty();
    }
    if (gap >= 0) {
      int moved = count - gap;
      for (int i = 0; i < moved; i++) {
        groups[7 - i] = groups[count - 1 - i];
      }
      for (int i = gap; i < 8 - moved; i++) {
        groups[i] = 0;
      }
    }
    long high = 0;
    long low = 0;
    for (int i = 0; i < 4; i++) {
      high = (high << 16) | groups[i];
      low = (low << 16) | groups[i + 4];
    }
    return Optional.of(v6(high, low));
  }

  private static long load(byte[] bytes, int from, int count) {
    long value = 0;
    for (int i = 0; i < count; i++) {
      value = (value << 8) | (bytes[from + i] & 0xff);
    }
    return value;
  }

  private static void store(long value, byte[] bytes, int from, int count) {
    for (int i = 0; i < count; i++) {
      bytes[from + i] = (byte) (value >>> (8 * (count - 1 - i)));
    }
  }
}
