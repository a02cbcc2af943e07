package dev.sund.lab.measure;

import dev.sund.kernel.socket.MessageBuffer;
import dev.sund.model.Checks;
import dev.sund.model.Family;
import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.zip.CRC32C;

/**
 * The packets by which an SCTP association begins, or does not (RFC 9260 section 3.3), for raw
 * sockets: many kernels have no sockets of SCTP, and the first packet and its answer say all that
 * is asked of a network.
 *
 * <p>One number goes through all of them: an INIT carries it as its initiate tag, and whoever
 * answers has to repeat it as the verification tag.
 *
 * @param sourcePort the sender's port, 1 to 65535
 * @param destinationPort the receiver's port, 1 to 65535
 * @param chunk what it says
 * @param tag the number; not 0
 */
public record SctpPacket(int sourcePort, int destinationPort, Chunk chunk, int tag) {
  private static final int HEADER = 12;
  private static final int WINDOW = 65_536;
  private static final int STATE_COOKIE = 7;

  /** What a packet says. */
  public enum Chunk {
    /** An association is asked for. */
    INIT(1, 20),
    /** It is granted; with a cookie, which is not looked at. */
    INIT_ACK(2, 28),
    /** It is refused: nobody listens at the port. */
    ABORT(6, 4);

    private final int type;
    private final int length;

    Chunk(int type, int length) {
      this.type = type;
      this.length = length;
    }
  }

  public SctpPacket {
    Checks.range("source port", sourcePort, 1, 65_535);
    Checks.range("destination port", destinationPort, 1, 65_535);
    Checks.that(tag != 0, "a tag of an association is not 0");
  }

  /** The answer to this INIT. */
  public SctpPacket answer(Chunk with) {
    return new SctpPacket(destinationPort, sourcePort, with, tag);
  }

  /**
   * Writes it to the beginning of a buffer, with its checksum (CRC32c, RFC 9260 appendix A).
   *
   * @return its length in bytes
   */
  public int write(MessageBuffer buffer) {
    ByteBuffer data = buffer.data();
    data.putShort(0, (short) sourcePort);
    data.putShort(2, (short) destinationPort);
    data.putInt(4, chunk == Chunk.INIT ? 0 : tag);
    data.putInt(8, 0);
    data.put(HEADER, (byte) chunk.type);
    data.put(HEADER + 1, (byte) 0);
    data.putShort(HEADER + 2, (short) chunk.length);
    if (chunk != Chunk.ABORT) {
      data.putInt(HEADER + 4, tag);
      data.putInt(HEADER + 8, WINDOW);
      data.putShort(HEADER + 12, (short) 1);
      data.putShort(HEADER + 14, (short) 1);
      data.putInt(HEADER + 16, tag);
    }
    if (chunk == Chunk.INIT_ACK) {
      data.putShort(HEADER + 20, (short) STATE_COOKIE);
      data.putShort(HEADER + 22, (short) 8);
      data.putInt(HEADER + 24, tag);
    }
    int length = HEADER + chunk.length;
    CRC32C sum = new CRC32C();
    sum.update(buffer.bytes(length));
    data.putInt(8, Integer.reverseBytes((int) sum.getValue()));
    return length;
  }

  /** Reads what a raw socket of this family received: an IPv4 packet begins with its IP header. */
  public static Optional<SctpPacket> received(ByteBuffer data, int length, Family family) {
    return read(data, family == Family.V4 ? 4 * (data.get(0) & 15) : 0, length);
  }

  /**
   * Reads a packet, also one of which an ICMP message quotes the beginning.
   *
   * @param at where it begins
   * @param length how many bytes there are, from the buffer's beginning
   * @return empty for what is none of these, or too short
   */
  public static Optional<SctpPacket> read(ByteBuffer data, int at, int length) {
    if (length < at + HEADER + 8) {
      return length < at + HEADER + 4 ? Optional.empty() : abort(data, at);
    }
    for (Chunk chunk : Chunk.values()) {
      if (data.get(at + HEADER) == chunk.type) {
        return made(data, at, chunk, data.getInt(chunk == Chunk.INIT ? at + HEADER + 4 : at + 4));
      }
    }
    return Optional.empty();
  }

  private static Optional<SctpPacket> abort(ByteBuffer data, int at) {
    return data.get(at + HEADER) == Chunk.ABORT.type
        ? made(data, at, Chunk.ABORT, data.getInt(at + 4))
        : Optional.empty();
  }

  private static Optional<SctpPacket> made(ByteBuffer data, int at, Chunk chunk, int tag) {
    int source = data.getShort(at) & 0xffff;
    int destination = data.getShort(at + 2) & 0xffff;
    return tag == 0 || source == 0 || destination == 0
        ? Optional.empty()
        : Optional.of(new SctpPacket(source, destination, chunk, tag));
  }
}
