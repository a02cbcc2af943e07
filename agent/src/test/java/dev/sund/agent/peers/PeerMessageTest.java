package dev.sund.agent.peers;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** What agents send each other. */
class PeerMessageTest {
  private static final long SEED = Long.getLong("sund.seed", 20_260);

  @Test
  void whatIsReadIsWhatWasWritten() {
    Random random = new Random(SEED);
    for (int i = 0; i < 1_000; i++) {
      PeerMessage message =
          new PeerMessage(random.nextBoolean(), random.nextLong(), random.nextLong());
      ByteBuffer buffer = ByteBuffer.allocate(64);
      message.write(buffer);
      assertThat(buffer.remaining()).isEqualTo(PeerMessage.LENGTH);
      assertThat(PeerMessage.read(buffer)).as("seed %d", SEED).contains(message);
    }
  }

  @Test
  void anAnswerIsAsLongAsItsQuestion() {
    ByteBuffer buffer = ByteBuffer.allocate(64);
    PeerMessage question = new PeerMessage(false, 7, 9);
    question.answered().write(buffer);
    assertThat(buffer.remaining()).isEqualTo(PeerMessage.LENGTH);
    assertThat(PeerMessage.read(buffer)).contains(new PeerMessage(true, 7, 9));
  }

  @Test
  void anythingElseIsNothing() {
    ByteBuffer buffer = ByteBuffer.allocate(64);
    new PeerMessage(false, 7, 9).write(buffer);
    for (int bad : new int[] {0, 7, 8}) {
      ByteBuffer copy = ByteBuffer.allocate(64);
      copy.put(buffer.duplicate()).flip();
      copy.put(bad, (byte) (copy.get(bad) + 1));
      assertThat(PeerMessage.read(copy)).as("byte %d", bad).isEmpty();
    }
    buffer.limit(PeerMessage.LENGTH + 1);
    assertThat(PeerMessage.read(buffer)).isEmpty();
    buffer.limit(PeerMessage.LENGTH - 1);
    assertThat(PeerMessage.read(buffer)).isEmpty();
    Random random = new Random(SEED);
    for (int i = 0; i < 1_000; i++) {
      byte[] bytes = new byte[random.nextInt(65)];
      random.nextBytes(bytes);
      assertThat(PeerMessage.read(ByteBuffer.wrap(bytes))).as("seed %d", SEED).isEmpty();
    }
  }
}
