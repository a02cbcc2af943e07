package dev.sund.model;

import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A range of addresses in CIDR notation; the bits behind the prefix length are 0.
 *
 * <p>Ordered by family, first address, then length (shorter first).
 *
 * @param address the first address, with all host bits 0
 * @param length the prefix length in bits, 0 to 32 or 0 to 128
 */
public record Prefix(Ip address, int length) implements Comparable<Prefix> {
  public Prefix {
    Checks.range("prefix length", length, 0, address.family().bits());
    Ip first = masked(address, length);
    if (!first.equals(address)) {
      throw new IllegalArgumentException(
          address + "/" + length + " has host bits set; the network is " + first + "/" + length);
    }
  }

  /** The prefix that holds {@code address} alone: /32 or /128. */
  public static Prefix host(Ip address) {
    return new Prefix(address, address.family().bits());
  }

  /** The prefix of this length that holds {@code address}. */
  public static Prefix around(Ip address, int length) {
    return new Prefix(masked(address, length), length);
  }

  /** All addresses of {@code family}: the destination of a default route. */
  public static Prefix all(Family family) {
    return new Prefix(Ip.any(family), 0);
  }

  /**
   * Parses {@code ADDRESS/LENGTH}.
   *
   * @throws IllegalArgumentException naming the text, and the network meant where host bits are set
   */
  public static Prefix parse(String text) {
    int slash = text.indexOf('/');
    Optional<Ip> address = slash < 0 ? Optional.empty() : Ip.tryParse(text.substring(0, slash));
    int length = slash < 0 ? -1 : decimal(text.substring(slash + 1));
    if (address.isEmpty() || length < 0 || length > address.get().family().bits()) {
      throw new IllegalArgumentException(
          "'" + text + "' is not a CIDR such as 10.244.0.0/16 or fd00:10::/56");
    }
    return new Prefix(address.get(), length);
  }

  /** As {@link #parse}, empty where that throws. */
  public static Optional<Prefix> tryParse(String text) {
    try {
      return Optional.of(parse(text));
    } catch (IllegalArgumentException _) {
      return Optional.empty();
    }
  }

  /** The address family. */
  public Family family() {
    return address.family();
  }

  /** Whether {@code ip} is in this range; false for another family. */
  public boolean contains(Ip ip) {
    if (ip.family() != address.family()) {
      return false;
    }
    if (ip.family() == Family.V4) { // plain: asked for every endpoint of a cluster
      return length == 0 || (ip.low() ^ address.low()) >>> (32 - length) == 0;
    }
    if (length <= 64) {
      return length == 0 || (ip.high() ^ address.high()) >>> (64 - length) == 0;
    }
    return ip.high() == address.high() && (ip.low() ^ address.low()) >>> (128 - length) == 0;
  }

  /** Whether every address of {@code other} is in this range. */
  public boolean contains(Prefix other) {
    return other.length >= length && contains(other.address);
  }

  /** Whether some address is in both ranges. */
  public boolean overlaps(Prefix other) {
    return contains(other) || other.contains(this);
  }

  /** Whether this is a single address: /32 or /128. */
  public boolean isHost() {
    return length == family().bits();
  }

  /** The last address of the range. */
  public Ip last() {
    if (family() == Family.V4) {
      long host = length == 0 ? 0xffffffffL : 0xffffffffL >>> length;
      return new Ip(Family.V4, 0, address.low() | (length == 32 ? 0 : host));
    }
    long highHost = length >= 64 ? 0 : length == 0 ? -1L : -1L >>> length;
    long lowHost = length <= 64 ? -1L : length == 128 ? 0 : -1L >>> (length - 64);
    return Ip.v6(address.high() | highHost, address.low() | lowHost);
  }

  /** Written out, as that of {@link Ip}. */
  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof Prefix prefix
        && length == prefix.length
        && address.equals(prefix.address);
  }

  @Override
  public int hashCode() {
    return 31 * address.hashCode() + length;
  }

  @Override
  public int compareTo(Prefix other) { // the order of every table: plain, since called so often
    int byAddress = address.compareTo(other.address);
    return byAddress != 0 ? byAddress : Integer.compare(length, other.length);
  }

  /** CIDR notation: {@code ADDRESS/LENGTH}. */
  @Override
  public String toString() {
    return address + "/" + length;
  }

  private static Ip masked(Ip ip, int length) {
    Checks.range("prefix length", length, 0, ip.family().bits());
    if (ip.family() == Family.V4) {
      long mask = length == 0 ? 0 : (0xffffffffL << (32 - length)) & 0xffffffffL;
      return new Ip(Family.V4, 0, ip.low() & mask);
    }
    long highMask = length == 0 ? 0 : length >= 64 ? -1L : -1L << (64 - length);
    long lowMask = length <= 64 ? 0 : length == 128 ? -1L : -1L << (128 - length);
    return Ip.v6(ip.high() & highMask, ip.low() & lowMask);
  }

  private static int decimal(String text) {
    if (text.isEmpty() || text.length() > 3 || (text.length() > 1 && text.charAt(0) == '0')) {
      return -1;
    }
    int value = 0;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c < '0' || c > '9') {
        return -1;
      }
      value = value * 10 + (c - '0');
    }
    return value;
  }
}
