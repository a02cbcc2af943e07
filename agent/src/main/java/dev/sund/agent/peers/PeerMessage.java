package dev.sund.agent.peers;

import java.nio.ByteBuffer;
import java.util.Optional;

/**
 * A datagram between agents, 32 bytes: {@code SUNDPEER}, version 1, whether it is an answer, 6
 * bytes 0, the asking agent's number and the question's. An answer is the question with one byte
 * changed, so that nobody gets more than he sent, and an answer is never answered.
 *
 * <p>When a question left is known to who asked; no clocks are compared.
 *
 * @param answer whether it is one
 * @param asker a random number of the agent that asks, another after each start
 * @param sequence counts its questions to one peer
 */
record PeerMessage(boolean answer, long asker, long sequence) {
  /** Its length; a datagram of another length is none. */
  static final int LENGTH = 32;

  private static final long MAGIC = 0x53554e4450454552L; // SUNDPEER
  private static final int ANSWER_AT = 9;
  private static final byte VERSION = 1;

  /** Makes it the content of a buffer, ready to be sent. */
  void write(ByteBuffer to) {
    to.clear();
    to.putLong(MAGIC).put(VERSION).put((byte) (answer ? 1 : 0));
    to.putShort((short) 0).putInt(0).putLong(asker).putLong(sequence).flip();
  }

  /** What a buffer holds; empty when that is nothing of ours. */
  static Optional<PeerMessage> read(ByteBuffer from) {
    if (from.remaining() != LENGTH || from.getLong(0) != MAGIC || from.get(8) != VERSION) {
      return Optional.empty();
    }
    return Optional.of(
        new PeerMessage(from.get(ANSWER_AT) == 1, from.getLong(16), from.getLong(24)));
  }

  /** The answer to it. */
  PeerMessage answered() {
    return new PeerMessage(true, asker, sequence);
  }
}
