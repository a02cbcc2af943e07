package dev.sund.kernel.netlink;

import static java.nio.ByteOrder.BIG_ENDIAN;

import dev.sund.model.Ip;
import dev.sund.model.Mac;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Builds netlink messages, one after the other, in a buffer that grows.
 *
 * <pre>
 *   writer.message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL).u8(AF_UNSPEC)...   // the fixed header
 *       .string(IFLA_IFNAME, "eth0")
 *       .nest(IFLA_LINKINFO).string(IFLA_INFO_KIND, "veth").unnest()
 *       .end();
 * </pre>
 *
 * <p>Fixed headers are written by {@code putU8 ... putBytes}; attributes by the methods that take a
 * type. Host byte order unless a name says {@code Be}, as nf_tables wants. Sequence numbers are
 * given when the messages are sent. One thread at a time; {@link #clear} makes it ready for reuse.
 */
public final class NlWriter {
  private static final VarHandle U16 =
      MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.nativeOrder());
  private static final VarHandle U32 =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.nativeOrder());
  private static final VarHandle U64 =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.nativeOrder());
  private static final VarHandle BE16 =
      MethodHandles.byteArrayViewVarHandle(short[].class, BIG_ENDIAN);
  private static final VarHandle BE32 =
      MethodHandles.byteArrayViewVarHandle(int[].class, BIG_ENDIAN);
  private static final VarHandle BE64 =
      MethodHandles.byteArrayViewVarHandle(long[].class, BIG_ENDIAN);
  private static final int MAX_NESTING = 16;

  private byte[] data;
  private int size;
  private int[] messages = new int[16];
  private int count;
  private boolean inMessage;
  private final int[] nests = new int[MAX_NESTING];
  private int depth;

  /** An empty writer with room for 4 KiB before it grows. */
  public NlWriter() {
    this(4096);
  }

  /** An empty writer with room for {@code capacity} bytes before it grows. */
  public NlWriter(int capacity) {
    data = new byte[Math.max(64, capacity)];
  }

  /**
   * Begins a message: its header, with NLM_F_REQUEST added to {@code flags}.
   *
   * @throws IllegalStateException when the message before has not ended
   */
  public NlWriter message(int type, int flags) {
    if (inMessage) {
      throw new IllegalStateException("end() the message before");
    }
    inMessage = true;
    if (count == messages.length) {
      messages = Arrays.copyOf(messages, count * 2);
    }
    messages[count++] = size;
    int at = reserve(Netlink.HEADER);
    U16.set(data, at + 4, (short) type);
    U16.set(data, at + 6, (short) (flags | Netlink.NLM_F_REQUEST));
    U32.set(data, at + 8, 0);
    U32.set(data, at + 12, 0);
    return this;
  }

  /**
   * Ends the message: its length is known now.
   *
   * @throws IllegalStateException outside a message or with an open nest
   */
  public NlWriter end() {
    if (!inMessage || depth != 0) {
      throw new IllegalStateException(
          inMessage ? depth + " nests are open" : "there is no message to end");
    }
    inMessage = false;
    int start = messages[count - 1];
    U32.set(data, start, size - start);
    return this;
  }

  /** Takes back the message that has been begun and not ended. */
  public NlWriter abandon() {
    if (inMessage) {
      inMessage = false;
      depth = 0;
      size = messages[--count];
    }
    return this;
  }

  // Fixed parts.

  /** One byte. */
  public NlWriter putU8(int value) {
    int at = reserve(1);
    data[at] = (byte) value;
    return this;
  }

  /** Two bytes in host order. */
  public NlWriter putU16(int value) {
    int at = reserve(2);
    U16.set(data, at, (short) value);
    return this;
  }

  /** Four bytes in host order. */
  public NlWriter putU32(int value) {
    int at = reserve(4);
    U32.set(data, at, value);
    return this;
  }

  /** Two bytes in network order. */
  public NlWriter putBe16(int value) {
    int at = reserve(2);
    BE16.set(data, at, (short) value);
    return this;
  }

  /** Four bytes in network order. */
  public NlWriter putBe32(int value) {
    int at = reserve(4);
    BE32.set(data, at, value);
    return this;
  }

  /** Bytes as they are. */
  public NlWriter putBytes(byte[] bytes) {
    int at = reserve(bytes.length);
    System.arraycopy(bytes, 0, data, at, bytes.length);
    return this;
  }

  /** An address in network order: 4 or 16 bytes. */
  public NlWriter putIp(Ip ip) {
    if (ip.family() == dev.sund.model.Family.V4) {
      return putBe32((int) ip.low());
    }
    int at = reserve(16);
    BE64.set(data, at, ip.high());
    BE64.set(data, at + 8, ip.low());
    return this;
  }

  /** {@code n} zero bytes. */
  public NlWriter putZeros(int n) {
    int at = reserve(n);
    Arrays.fill(data, at, at + n, (byte) 0);
    return this;
  }

  // Attributes.

  /** An attribute without a value, which says something by being there. */
  public NlWriter flag(int type) {
    attribute(type, 0);
    return this;
  }

  /** An attribute of one byte. */
  public NlWriter u8(int type, int value) {
    int at = attribute(type, 1);
    data[at] = (byte) value;
    return this;
  }

  /** An attribute of two bytes in host order. */
  public NlWriter u16(int type, int value) {
    int at = attribute(type, 2);
    U16.set(data, at, (short) value);
    return this;
  }

  /** An attribute of four bytes in host order. */
  public NlWriter u32(int type, int value) {
    int at = attribute(type, 4);
    U32.set(data, at, value);
    return this;
  }

  /** An attribute of eight bytes in host order. */
  public NlWriter u64(int type, long value) {
    int at = attribute(type, 8);
    U64.set(data, at, value);
    return this;
  }

  /** An attribute of two bytes in network order. */
  public NlWriter be16(int type, int value) {
    int at = attribute(type, 2);
    BE16.set(data, at, (short) value);
    return this;
  }

  /** An attribute of four bytes in network order. */
  public NlWriter be32(int type, int value) {
    int at = attribute(type, 4);
    BE32.set(data, at, value);
    return this;
  }

  /** An attribute of eight bytes in network order. */
  public NlWriter be64(int type, long value) {
    int at = attribute(type, 8);
    BE64.set(data, at, value);
    return this;
  }

  /** An attribute of these bytes. */
  public NlWriter bytes(int type, byte[] value) {
    int at = attribute(type, value.length);
    System.arraycopy(value, 0, data, at, value.length);
    return this;
  }

  /** An attribute with an address in network order, 4 or 16 bytes. */
  public NlWriter ip(int type, Ip ip) {
    if (ip.family() == dev.sund.model.Family.V4) {
      return be32(type, (int) ip.low());
    }
    int at = attribute(type, 16);
    BE64.set(data, at, ip.high());
    BE64.set(data, at + 8, ip.low());
    return this;
  }

  /** An attribute with a MAC address, 6 bytes. */
  public NlWriter mac(int type, Mac mac) {
    int at = attribute(type, 6);
    BE16.set(data, at, (short) (mac.bits() >>> 32));
    BE32.set(data, at + 2, (int) mac.bits());
    return this;
  }

  /** An attribute with text in UTF-8 and the zero byte that ends it. */
  public NlWriter string(int type, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    int at = attribute(type, bytes.length + 1);
    System.arraycopy(bytes, 0, data, at, bytes.length);
    data[at + bytes.length] = 0;
    return this;
  }

  /** Begins an attribute of attributes, marked NLA_F_NESTED; {@link #unnest} ends it. */
  public NlWriter nest(int type) {
    return open(type | Netlink.NLA_F_NESTED);
  }

  /** Begins an attribute whose length is not known yet, unmarked; {@link #unnest} ends it. */
  public NlWriter open(int type) {
    if (depth == MAX_NESTING) {
      throw new IllegalStateException("more than " + MAX_NESTING + " nests");
    }
    nests[depth++] = size;
    attribute(type, 0);
    return this;
  }

  /**
   * Ends the innermost open attribute.
   *
   * @throws IllegalStateException when none is open, or it is longer than the 65,535 bytes that its
   *     length field can say
   */
  public NlWriter unnest() {
    if (depth == 0) {
      throw new IllegalStateException("no nest is open");
    }
    int start = nests[--depth];
    int length = size - start;
    if (length > 0xffff) {
      throw new IllegalStateException(
          "an attribute holds at most 65535 bytes, but this one has " + length);
    }
    U16.set(data, start, (short) length);
    putZeros(Netlink.align(size) - size);
    return this;
  }

  /** The bytes that the innermost open attribute has so far, its header included; 0 without one. */
  public int nestedSize() {
    return depth == 0 ? 0 : size - nests[depth - 1];
  }

  // The whole.

  /** How many messages have been begun. */
  public int count() {
    return count;
  }

  /** All messages' length in bytes. */
  public int size() {
    return size;
  }

  /** Forgets everything; the buffer is kept. */
  public NlWriter clear() {
    size = 0;
    count = 0;
    depth = 0;
    inMessage = false;
    return this;
  }

  /** A copy of the bytes. */
  public byte[] toBytes() {
    return Arrays.copyOf(data, size);
  }

  // What the socket needs.

  byte[] data() {
    return data;
  }

  int offset(int index) {
    return index == count ? size : messages[index];
  }

  void number(int index, int sequence, int addedFlags) {
    int at = messages[index];
    U16.set(data, at + 6, (short) ((short) U16.get(data, at + 6) | addedFlags));
    U32.set(data, at + 8, sequence);
  }

  boolean isComplete() {
    return !inMessage;
  }

  /** Writes an attribute's header and makes room for its value and padding. */
  private int attribute(int type, int length) {
    if (length > 0xffff - 4) {
      throw new IllegalStateException(
          "an attribute holds at most 65531 bytes, but this one has " + length);
    }
    int padded = Netlink.align(length);
    int at = reserve(4 + padded);
    U16.set(data, at, (short) (4 + length));
    U16.set(data, at + 2, (short) type);
    for (int i = length; i < padded; i++) {
      data[at + 4 + i] = 0;
    }
    return at + 4;
  }

  private int reserve(int length) {
    int at = size;
    int needed = Math.addExact(at, length);
    if (needed > data.length) {
      data = Arrays.copyOf(data, Math.max(needed, Math.multiplyExact(data.length, 2)));
    }
    size = needed;
    return at;
  }
}
