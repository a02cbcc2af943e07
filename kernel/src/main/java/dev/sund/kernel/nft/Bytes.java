package dev.sund.kernel.nft;

import dev.sund.kernel.netlink.NlWriter;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.Prefix;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;

/**
 * An immutable run of bytes that is compared by content: a set's key, a value in a register, the
 * raw form of what we do not interpret.
 *
 * <p>Ordered as unsigned big-endian numbers are, a shorter run before a longer one that begins with
 * it.
 */
public final class Bytes implements Comparable<Bytes> {
  /** No bytes. */
  public static final Bytes EMPTY = new Bytes(new byte[0]);

  private final byte[] content;

  private Bytes(byte[] content) {
    this.content = content;
  }

  /** Bytes of several parts, {@code length} in all. */
  public static Builder builder(int length) {
    return new Builder(length);
  }

  /** Puts parts together, one behind the other, without making each of them first. For one use. */
  public static final class Builder {
    private final byte[] content;
    private int at;

    private Builder(int length) {
      content = new byte[length];
    }

    /** One byte, modulo 256. */
    public Builder u8(int value) {
      content[at++] = (byte) value;
      return this;
    }

    /** A 16-bit number in network order. */
    public Builder u16(int value) {
      return u8(value >> 8).u8(value);
    }

    /** A 32-bit number in network order. */
    public Builder u32(int value) {
      return u16(value >> 16).u16(value);
    }

    /** A 32-bit number in the byte order of this machine. */
    public Builder host32(int value) {
      return u32(
          ByteOrder.nativeOrder() == ByteOrder.BIG_ENDIAN ? value : Integer.reverseBytes(value));
    }

    /** So many zeros. */
    public Builder zeros(int count) {
      at += count;
      return this;
    }

    /** An address in network order: 4 or 16 bytes. */
    public Builder ip(Ip address) {
      if (address.family() == Family.V6) {
        u32((int) (address.high() >>> 32)).u32((int) address.high());
        u32((int) (address.low() >>> 32));
      }
      return u32((int) address.low());
    }

    /**
     * All of it.
     *
     * @throws IllegalStateException when it is not as long as was said
     */
    public Bytes bytes() {
      if (at != content.length) {
        throw new IllegalStateException(at + " bytes of " + content.length);
      }
      at = -1; // so that nothing is added behind
      return new Bytes(content);
    }
  }

  /** A text in UTF-8 with the zero byte that ends it. */
  static Bytes terminated(String text) {
    byte[] encoded = text.getBytes(StandardCharsets.UTF_8);
    return new Bytes(Arrays.copyOf(encoded, encoded.length + 1));
  }

  /** A copy of {@code content}. */
  public static Bytes of(byte[] content) {
    return content.length == 0 ? EMPTY : new Bytes(content.clone());
  }

  /** These bytes; each value is taken modulo 256. */
  public static Bytes of(int... content) {
    byte[] bytes = new byte[content.length];
    for (int i = 0; i < content.length; i++) {
      bytes[i] = (byte) content[i];
    }
    return new Bytes(bytes);
  }

  /**
   * Parses hexadecimal digits, two a byte.
   *
   * @throws IllegalArgumentException when the text holds anything else
   */
  public static Bytes hex(String digits) {
    return new Bytes(HexFormat.of().parseHex(digits));
  }

  /** An address in network order: 4 or 16 bytes. */
  public static Bytes of(Ip address) {
    return new Bytes(address.toBytes());
  }

  /** A 16-bit number in network order, such as a port. */
  public static Bytes u16(int value) {
    return of(value >> 8, value);
  }

  /** A 32-bit number in network order. */
  public static Bytes u32(int value) {
    return of(value >> 24, value >> 16, value >> 8, value);
  }

  /** A 32-bit number in the byte order of this machine, as marks and interface indexes are kept. */
  public static Bytes host32(int value) {
    return u32(
        ByteOrder.nativeOrder() == ByteOrder.BIG_ENDIAN ? value : Integer.reverseBytes(value));
  }

  /** The network mask of a prefix, 4 or 16 bytes. */
  public static Bytes mask(Prefix prefix) {
    byte[] bytes = new byte[prefix.family().bytes()];
    for (int bit = 0; bit < prefix.length(); bit++) {
      bytes[bit / 8] |= (byte) (0x80 >>> (bit % 8));
    }
    return new Bytes(bytes);
  }

  /** These bytes, then zeros up to {@code length}; unchanged when already as long. */
  public Bytes padded(int length) {
    return content.length >= length ? this : new Bytes(Arrays.copyOf(content, length));
  }

  /** These bytes, then {@code other}'s. */
  public Bytes plus(Bytes other) {
    byte[] joined = Arrays.copyOf(content, content.length + other.content.length);
    System.arraycopy(other.content, 0, joined, content.length, other.content.length);
    return new Bytes(joined);
  }

  /**
   * The number one above this one, of the same length, read big-endian; all zeros after the last.
   */
  public Bytes next() {
    byte[] sum = content.clone();
    for (int i = sum.length - 1; i >= 0; i--) {
      if (++sum[i] != 0) {
        break;
      }
    }
    return new Bytes(sum);
  }

  /** The number one below this one, of the same length, read big-endian; all ones before zero. */
  public Bytes previous() {
    byte[] difference = content.clone();
    for (int i = difference.length - 1; i >= 0; i--) {
      if (difference[i]-- != 0) {
        break;
      }
    }
    return new Bytes(difference);
  }

  /** The greatest number of this length: all ones. */
  public Bytes lastOfLength() {
    byte[] ones = new byte[content.length];
    Arrays.fill(ones, (byte) 0xff);
    return new Bytes(ones);
  }

  /** Bytes {@code from} (inclusive) to {@code to} (exclusive). */
  public Bytes slice(int from, int to) {
    return new Bytes(Arrays.copyOfRange(content, from, to));
  }

  /** The number of bytes. */
  public int length() {
    return content.length;
  }

  /** The byte at {@code index}, 0 to 255. */
  public int at(int index) {
    return content[index] & 0xff;
  }

  /** Whether every byte is 0; true for no bytes. */
  public boolean isZero() {
    for (byte b : content) {
      if (b != 0) {
        return false;
      }
    }
    return true;
  }

  /** Writes them as an attribute. */
  void writeTo(NlWriter out, int type) {
    out.bytes(type, content);
  }

  /** Writes them as they are. */
  void writeTo(NlWriter out) {
    out.putBytes(content);
  }

  /** A copy. */
  public byte[] toArray() {
    return content.clone();
  }

  @Override
  public int compareTo(Bytes other) {
    return Arrays.compareUnsigned(content, other.content);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Bytes bytes && Arrays.equals(content, bytes.content);
  }

  @Override
  public int hashCode() {
    // Keys differ in a few bits of a few bytes, which Arrays.hashCode lets fall together.
    int hash = content.length;
    int i = 0;
    for (; i + 4 <= content.length; i += 4) {
      int word =
          content[i] << 24
              | (content[i + 1] & 0xff) << 16
              | (content[i + 2] & 0xff) << 8
              | (content[i + 3] & 0xff);
      hash = (hash ^ word) * 0x9e3779b1;
      hash ^= hash >>> 15;
    }
    for (; i < content.length; i++) {
      hash = (hash ^ content[i]) * 0x9e3779b1;
    }
    return hash ^ hash >>> 16;
  }

  /** {@code 0x} and two hexadecimal digits a byte. */
  @Override
  public String toString() {
    return "0x" + HexFormat.of().formatHex(content);
  }
}
