package dev.sund.it.policy.oracle;

import java.net.InetAddress;
import org.jspecify.annotations.Nullable;

/** Addresses in ranges, bit by bit. */
final class Ranges {
  private final byte[] address;
  private final int length;

  private Ranges(byte[] address, int length) {
    this.address = address;
    this.length = length;
  }

  /** The range {@code ADDRESS/LENGTH}; bits behind the length do not matter. */
  static Ranges of(@Nullable Object cidr) throws NotUnderstood {
    String[] parts = Json.text(cidr).split("/", -1);
    try {
      byte[] address = InetAddress.ofLiteral(parts[0]).getAddress();
      int length = parts.length == 2 ? Integer.parseInt(parts[1]) : -1;
      if (length >= 0 && length <= address.length * 8) {
        return new Ranges(address, length);
      }
    } catch (IllegalArgumentException _) {
      // said below
    }
    throw new NotUnderstood("no CIDR: " + cidr);
  }

  boolean contains(InetAddress asked) {
    byte[] other = asked.getAddress();
    if (other.length != address.length) {
      return false;
    }
    for (int bit = 0; bit < length; bit++) {
      int mask = 0x80 >> (bit % 8);
      if ((other[bit / 8] & mask) != (address[bit / 8] & mask)) {
        return false;
      }
    }
    return true;
  }

  /** Whether the other range is a part of this one, and not all of it. */
  boolean hasPart(Ranges other) throws NotUnderstood {
    try {
      return other.length > length && contains(InetAddress.getByAddress(other.address));
    } catch (java.net.UnknownHostException e) {
      throw new NotUnderstood(e.toString());
    }
  }
}
