package dev.sund.kernel.netlink;

import static java.nio.ByteOrder.BIG_ENDIAN;

import dev.sund.kernel.KernelException;
import dev.sund.kernel.KernelException.Malformed;
import dev.sund.model.Ip;
import dev.sund.model.Mac;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.function.IntPredicate;

/**
 * Reads a message's fixed header and then its attributes, never outside its bounds.
 *
 * <pre>
 *   int index = message.skip(4).takeU32();
 *   while (message.next()) {
 *     switch (message.type()) {
 *       case IFLA_MTU -> mtu = message.u32();
 *       case IFLA_LINKINFO -> kind = readKind(message.nested());
 *       default -> {}                       // the kernel adds attributes; unknown ones are skipped
 *     }
 *   }
 * </pre>
 *
 * <p>{@code take...} read fixed parts and move on. {@link #next} moves to the next attribute; the
 * methods named after a type then read its value. An attribute longer than the type that is read is
 * accepted, as the kernel does, a shorter one is {@link Malformed}. Host byte order unless a name
 * says {@code be}. Not for several threads; a reader of a received message is valid until its
 * handler returns.
 */
public final class NlReader {
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

  private final byte[] data;
  private int position;
  private final int end;
  private int type;
  private int valueAt;
  private int valueLength = -1;

  /** Takes each message of a datagram. */
  @FunctionalInterface
  public interface MessageSink {
    /**
     * Takes one message.
     *
     * @param type {@code nlmsg_type}
     * @param flags {@code nlmsg_flags}
     * @param body what follows the header; valid during this call
     */
    void accept(int type, int flags, NlReader body) throws KernelException;
  }

  /** A reader of {@code data} from {@code from} (inclusive) to {@code to} (exclusive). */
  public NlReader(byte[] data, int from, int to) {
    if (from < 0 || to < from || to > data.length) {
      throw new IllegalArgumentException(
          "bounds " + from + " to " + to + " of " + data.length + " bytes");
    }
    this.data = data;
    this.position = from;
    this.end = to;
  }

  /** A reader of all of {@code data}. */
  public NlReader(byte[] data) {
    this(data, 0, data.length);
  }

  /**
   * Hands each netlink message of {@code data[0..length)} to {@code sink}, NLMSG_DONE and
   * NLMSG_ERROR included.
   *
   * @throws Malformed when a header's length does not fit
   */
  public static void messages(byte[] data, int length, MessageSink sink) throws KernelException {
    messages(data, length, _ -> false, sink);
  }

  /**
   * As {@link #messages(byte[], int, MessageSink)}, but for those that follow from what certain
   * sockets asked.
   *
   * @param passedOver by the port of the socket that asked; 0 for what nobody asked
   */
  static void messages(byte[] data, int length, IntPredicate passedOver, MessageSink sink)
      throws KernelException {
    int at = 0;
    while (length - at >= Netlink.HEADER) {
      int messageLength = messageLength(data, at, length);
      if (!passedOver.test((int) U32.get(data, at + 12))) {
        sink.accept(
            (short) U16.get(data, at + 4) & 0xffff,
            (short) U16.get(data, at + 6) & 0xffff,
            new NlReader(data, at + Netlink.HEADER, at + messageLength));
      }
      at += Math.min(Netlink.align(messageLength), length - at);
    }
    if (at != length) {
      throw new Malformed("netlink message", (length - at) + " bytes are too few for a header");
    }
  }

  static int messageLength(byte[] data, int at, int limit) throws Malformed {
    int length = (int) U32.get(data, at);
    if (length < Netlink.HEADER || length > limit - at) {
      throw new Malformed(
          "netlink message",
          "its length says "
              + Integer.toUnsignedString(length)
              + " but "
              + (limit - at)
              + " bytes are there");
    }
    return length;
  }

  static int messageType(byte[] data, int at) {
    return (short) U16.get(data, at + 4) & 0xffff;
  }

  static int messageFlags(byte[] data, int at) {
    return (short) U16.get(data, at + 6) & 0xffff;
  }

  static int messageSequence(byte[] data, int at) {
    return (int) U32.get(data, at + 8);
  }

  // Fixed parts.

  /** The bytes that are left. */
  public int remaining() {
    return end - position;
  }

  /** Leaves out {@code n} bytes of a fixed part. */
  public NlReader skip(int n) throws Malformed {
    take(n);
    return this;
  }

  /** The next byte, 0 to 255. */
  public int takeU8() throws Malformed {
    return data[take(1)] & 0xff;
  }

  /** The next two bytes in host order, 0 to 65535. */
  public int takeU16() throws Malformed {
    return (short) U16.get(data, take(2)) & 0xffff;
  }

  /** The next four bytes in host order. */
  public int takeU32() throws Malformed {
    return (int) U32.get(data, take(4));
  }

  /** The next two bytes in network order, 0 to 65535. */
  public int takeBe16() throws Malformed {
    return (short) BE16.get(data, take(2)) & 0xffff;
  }

  /** The next four bytes in network order. */
  public int takeBe32() throws Malformed {
    return (int) BE32.get(data, take(4));
  }

  /** The next {@code n} bytes, copied. */
  public byte[] takeBytes(int n) throws Malformed {
    int at = take(n);
    return Arrays.copyOfRange(data, at, at + n);
  }

  /** A reader of the next {@code n} bytes. */
  public NlReader takeReader(int n) throws Malformed {
    int at = take(n);
    return new NlReader(data, at, at + n);
  }

  /** Another reader of what is left; reading from it does not move this one. */
  public NlReader ahead() {
    return new NlReader(data, position, end);
  }

  /** All bytes that are left, copied. */
  public byte[] rest() {
    byte[] bytes = Arrays.copyOfRange(data, position, end);
    position = end;
    return bytes;
  }

  private int take(int n) throws Malformed {
    if (n < 0 || n > end - position) {
      throw new Malformed(
          "netlink message", n + " bytes were expected but " + (end - position) + " are left");
    }
    int at = position;
    position += n;
    return at;
  }

  // Attributes.

  /**
   * Moves to the next attribute.
   *
   * @return whether there is one
   * @throws Malformed when its length does not fit
   */
  public boolean next() throws Malformed {
    if (end - position < 4) { // the kernel, too, takes fewer bytes for padding
      valueLength = -1;
      position = end;
      return false;
    }
    int length = (short) U16.get(data, position) & 0xffff;
    type = (short) U16.get(data, position + 2) & Netlink.NLA_TYPE_MASK;
    if (length < 4 || length > end - position) {
      throw new Malformed(
          "attribute " + type,
          "its length says " + length + " but " + (end - position) + " bytes are there");
    }
    valueAt = position + 4;
    valueLength = length - 4;
    position += Math.min(Netlink.align(length), end - position);
    return true;
  }

  /** The current attribute's type, without NLA_F_NESTED and NLA_F_NET_BYTEORDER. */
  public int type() {
    return type;
  }

  /** The length of the current attribute's value in bytes. */
  public int length() {
    return Math.max(0, valueLength);
  }

  /** The value's first byte, 0 to 255. */
  public int u8() throws Malformed {
    return data[value(1)] & 0xff;
  }

  /** The value in host order, 0 to 65535. */
  public int u16() throws Malformed {
    return (short) U16.get(data, value(2)) & 0xffff;
  }

  /** The value in host order. */
  public int u32() throws Malformed {
    return (int) U32.get(data, value(4));
  }

  /** The value in host order. */
  public long u64() throws Malformed {
    return (long) U64.get(data, value(8));
  }

  /** The value in network order, 0 to 65535. */
  public int be16() throws Malformed {
    return (short) BE16.get(data, value(2)) & 0xffff;
  }

  /** The value in network order. */
  public int be32() throws Malformed {
    return (int) BE32.get(data, value(4));
  }

  /** The value in network order. */
  public long be64() throws Malformed {
    return (long) BE64.get(data, value(8));
  }

  /** The value's bytes, copied. */
  public byte[] bytes() throws Malformed {
    int at = value(0);
    return Arrays.copyOfRange(data, at, at + valueLength);
  }

  /** The value as text, up to its first zero byte. */
  public String string() throws Malformed {
    int at = value(0);
    int length = 0;
    while (length < valueLength && data[at + length] != 0) {
      length++;
    }
    return new String(data, at, length, StandardCharsets.UTF_8);
  }

  /** The value as an address: 4 bytes are IPv4, 16 are IPv6, others are malformed. */
  public Ip ip() throws Malformed {
    return switch (valueLength) {
      case 4 -> Ip.v4(be32());
      case 16 -> Ip.v6(be64(), (long) BE64.get(data, valueAt + 8));
      default ->
          throw new Malformed(
              "attribute " + type, "an address has 4 or 16 bytes, not " + valueLength);
    };
  }

  /** The value as a MAC address: 6 bytes exactly. */
  public Mac mac() throws Malformed {
    if (valueLength != 6) {
      throw new Malformed("attribute " + type, "a MAC address has 6 bytes, not " + valueLength);
    }
    return new Mac(((long) be16() << 32) | ((int) BE32.get(data, valueAt + 2) & 0xffffffffL));
  }

  /** A reader of the attributes in the value, or of the structure that it is. */
  public NlReader nested() throws Malformed {
    int at = value(0);
    return new NlReader(data, at, at + valueLength);
  }

  private int value(int needed) throws Malformed {
    if (valueLength < needed) {
      throw new Malformed(
          "attribute " + type,
          valueLength < 0
              ? "there is no current attribute"
              : "its value needs " + needed + " bytes but has " + valueLength);
    }
    return valueAt;
  }
}
