package dev.sund.model;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/**
 * A 48-bit Ethernet address.
 *
 * @param bits the address in the lower 48 bits, first octet highest
 */
public record Mac(long bits) implements Comparable<Mac> {
  private static final HexFormat HEX = HexFormat.ofDelimiter(":");

  public Mac {
    Checks.that((bits >>> 48) == 0, "a MAC address has 48 bits");
  }

  /**
   * The address with these six octets.
   *
   * @throws IllegalArgumentException unless there are six
   */
  public static Mac of(byte[] octets) {
    Checks.that(octets.length == 6, "a MAC address has 6 octets, but there are " + octets.length);
    long bits = 0;
    for (byte octet : octets) {
      bits = (bits << 8) | (octet & 0xff);
    }
    return new Mac(bits);
  }

  /**
   * Parses six colon-separated hexadecimal octets.
   *
   * @throws IllegalArgumentException naming the text
   */
  public static Mac parse(String text) {
    try {
      if (text.length() == 17) {
        return of(HEX.parseHex(text));
      }
    } catch (IllegalArgumentException _) {
      // said below, with the text
    }
    throw new IllegalArgumentException(
        "'" + text + "' is not a MAC address such as 02:00:5e:10:00:01");
  }

  /**
   * A locally administered unicast address derived from {@code seed} by SHA-256: the same seed
   * always gives the same address.
   */
  public static Mac derivedFrom(String seed) {
    try {
      byte[] digest =
          MessageDigest.getInstance("SHA-256").digest(seed.getBytes(StandardCharsets.UTF_8));
      byte[] octets = new byte[6];
      System.arraycopy(digest, 0, octets, 0, 6);
      octets[0] = (byte) ((octets[0] & 0xfc) | 0x02);
      return of(octets);
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every JDK has SHA-256", e);
    }
  }

  /** The six octets, first octet first. */
  public byte[] toBytes() {
    byte[] octets = new byte[6];
    for (int i = 0; i < 6; i++) {
      octets[i] = (byte) (bits >>> (40 - 8 * i));
    }
    return octets;
  }

  /** The link-local IPv6 address that RFC 4291 appendix A forms from this address (EUI-64). */
  public Ip linkLocal() {
    byte[] o = toBytes();
    long low = 0;
    int[] eui = {o[0] ^ 0x02, o[1], o[2], 0xff, 0xfe, o[3], o[4], o[5]};
    for (int octet : eui) {
      low = (low << 8) | (octet & 0xff);
    }
    return Ip.v6(0xfe80L << 48, low);
  }

  @Override
  public int compareTo(Mac other) {
    return Long.compare(bits, other.bits);
  }

  @Override
  public String toString() {
    return HEX.formatHex(toBytes());
  }
}
