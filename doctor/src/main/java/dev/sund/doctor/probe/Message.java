package dev.sund.doctor.probe;

import dev.sund.kernel.socket.MessageBuffer;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/**
 * A datagram between prober and answerer, or the inside of a test packet: 32 bytes in network order
 * and a text of words, padded to any length.
 *
 * <pre>
 *   0 mark   4 key (the prober's)   12 token (the answerer's)   20 kind   22 text's length
 *   24 sequence   28 value   32 text
 * </pre>
 *
 * <p>The mark's first byte is no VXLAN header with a network number, no Geneve version and no
 * WireGuard message: a tunnel that owns the port of a test packet drops it.
 *
 * @param mark {@code S} and three random bytes: what a filter in the kernel looks for
 * @param key the prober's random number
 * @param token the answerer's; 0 in the first question, so that only who hears it can go on
 * @param sequence by which an answer is known
 * @param value what the kind needs
 * @param text words {@code KEY=VALUE}
 */
record Message(int mark, long key, long token, Kind kind, int sequence, int value, String text) {
  static final int HEADER = 32;

  /** With this length every question is sent, and no answer is longer. */
  static final int QUESTION = 512;

  private static final int FIRST_BYTE = 'S';

  /** What it is for. */
  enum Kind {
    /** Begins a session; answered by the answerer's token and how it reaches the prober. */
    HELLO,
    /** Pays for what the answerer is to send; not answered. */
    FILLER,
    /** Comes back with the same length, with the times of its arrival and leaving. */
    ECHO,
    /** The answer to an echo. */
    ECHOED,
    /** A probe of a size that may not be cut; value: its size as an IP packet. */
    SIZE,
    /** A probe of a size has arrived; value: which. */
    SIZE_HEARD,
    /** Send probes of this size; answered when they are sent. */
    SEND_SIZE,
    /** Send test packets of this kind; answered when they are sent. */
    SEND_CROSSING,
    /** A test packet; value: which. */
    CROSSING,
    /** Name a UDP port where nobody listens. */
    CLOSED_PORT,
    /** Send to this UDP port, where nobody listens. */
    SEND_CLOSED,
    /** What has been heard, and which errors came back. */
    REPORT,
    /** The session is over; not answered. */
    BYE,
    /** The answer to a question. */
    ANSWER
  }

  /** Makes a mark of a random number. */
  static int mark(int random) {
    return FIRST_BYTE << 24 | (random & 0xffffff);
  }

  /** The same session's, with other contents. */
  Message with(Kind other, int otherSequence, int otherValue, String words) {
    return new Message(mark, key, token, other, otherSequence, otherValue, words);
  }

  /** The same session's, once the answerer's token is known. */
  Message withToken(long theirs) {
    return new Message(mark, key, theirs, kind, sequence, value, text);
  }

  /** Whether both are of one session. */
  boolean isOf(Message other) {
    return mark == other.mark && key == other.key && token == other.token;
  }

  /** How many bytes it has without padding. */
  int length() {
    return HEADER + text.getBytes(StandardCharsets.UTF_8).length;
  }

  /** Writes it and zeros behind it, {@code length} bytes in all. */
  void write(ByteBuffer to, int at, int length) {
    byte[] words = text.getBytes(StandardCharsets.UTF_8);
    for (int i = 0; i < length; i++) {
      to.put(at + i, (byte) 0);
    }
    to.putInt(at, mark)
        .putLong(at + 4, key)
        .putLong(at + 12, token)
        .put(at + 20, (byte) kind.ordinal())
        .putShort(at + 22, (short) words.length)
        .putInt(at + 24, sequence)
        .putInt(at + 28, value);
    to.put(at + HEADER, words);
  }

  /** What was received; empty when it is none of ours. */
  static Optional<Message> read(MessageBuffer buffer, int length) {
    return read(buffer.data(), 0, length);
  }

  /** What stands there; empty when it is none of ours. */
  static Optional<Message> read(ByteBuffer from, int at, int length) {
    if (length < HEADER || from.get(at) != FIRST_BYTE) {
      return Optional.empty();
    }
    int kind = from.get(at + 20);
    int words = Short.toUnsignedInt(from.getShort(at + 22));
    if (kind < 0 || kind >= Kind.values().length || HEADER + words > length) {
      return Optional.empty();
    }
    byte[] text = new byte[words];
    from.get(at + HEADER, text);
    return Optional.of(
        new Message(
            from.getInt(at),
            from.getLong(at + 4),
            from.getLong(at + 12),
            Kind.values()[kind],
            from.getInt(at + 24),
            from.getInt(at + 28),
            new String(text, StandardCharsets.UTF_8)));
  }
}
