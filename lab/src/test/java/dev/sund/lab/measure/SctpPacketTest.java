package dev.sund.lab.measure;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.kernel.socket.MessageBuffer;
import dev.sund.lab.measure.SctpPacket.Chunk;
import dev.sund.model.Family;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** What raw sockets send and see of associations. */
class SctpPacketTest {
  private static final SctpPacket INIT = new SctpPacket(20_001, 3868, Chunk.INIT, 0x53000001);
  private final MessageBuffer buffer = new MessageBuffer(256);

  @Test
  void whatIsWrittenIsReadAgain() {
    for (Chunk chunk : Chunk.values()) {
      SctpPacket packet = new SctpPacket(1, 65_535, chunk, -7);
      int length = packet.write(buffer);
      assertThat(SctpPacket.received(buffer.data(), length, Family.V6)).contains(packet);
    }
  }

  @Test
  void initHasTheChecksumOfTheRfc() {
    assertThat(INIT.write(buffer)).isEqualTo(32);
    assertThat(buffer.data().getInt(4)).as("no verification tag yet").isZero();
    // Lowest byte first, as another program reckoned it.
    assertThat(buffer.data().getInt(8)).isEqualTo(0x315992cb);
  }

  @Test
  void answerGoesBackWithTheTagThatWasAskedFor() {
    SctpPacket answer = INIT.answer(Chunk.INIT_ACK);
    assertThat(answer).isEqualTo(new SctpPacket(3868, 20_001, Chunk.INIT_ACK, 0x53000001));
    answer.write(buffer);
    assertThat(buffer.data().getInt(4)).isEqualTo(0x53000001);
  }

  @Test
  void whatIsTooShortOrAnotherChunkIsNone() {
    int length = INIT.write(buffer);
    Optional<SctpPacket> none = Optional.empty();
    assertThat(SctpPacket.read(buffer.data(), 0, 15)).isEqualTo(none);
    assertThat(SctpPacket.read(buffer.data(), 0, 20)).as("what ICMP quotes").contains(INIT);
    buffer.data().put(12, (byte) 3); // SACK
    assertThat(SctpPacket.read(buffer.data(), 0, length)).isEqualTo(none);
  }
}
