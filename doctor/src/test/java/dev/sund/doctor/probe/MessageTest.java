package dev.sund.doctor.probe;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Messages as bytes, and what is not one. */
class MessageTest {
  private static final Random RANDOM = new Random(7);

  private static Message random() {
    return new Message(
        Message.mark(RANDOM.nextInt()),
        RANDOM.nextLong(),
        RANDOM.nextLong(),
        Message.Kind.values()[RANDOM.nextInt(Message.Kind.values().length)],
        RANDOM.nextInt(),
        RANDOM.nextInt(),
        "a=" + RANDOM.nextInt());
  }

  @Test
  void whatIsWrittenIsReadWhateverItsPadding() {
    for (int i = 0; i < 1_000; i++) {
      Message message = random();
      int length = message.length() + RANDOM.nextInt(1_000);
      ByteBuffer buffer = ByteBuffer.allocate(length + 7);
      message.write(buffer, 7, length);
      assertThat(Message.read(buffer, 7, length)).contains(message);
    }
  }

  @Test
  void noiseIsNoMessageAndBreaksNothing() {
    byte[] noise = new byte[200];
    for (int i = 0; i < 100_000; i++) {
      RANDOM.nextBytes(noise);
      noise[0] = i % 2 == 0 ? (byte) 'S' : noise[0];
      int length = RANDOM.nextInt(noise.length);
      Message.read(ByteBuffer.wrap(noise), 0, length)
          .ifPresent(
              one -> assertThat(one.length()).isLessThanOrEqualTo(length + one.text().length()));
    }
  }

  @Test
  void aMarkIsNoHeaderOfATunnel() {
    for (int i = 0; i < 1_000; i++) {
      int first = Message.mark(RANDOM.nextInt()) >>> 24;
      assertThat(first & 0x08).as("VXLAN's flag of a network number").isZero();
      assertThat(first >> 6).as("Geneve's version").isNotZero();
      assertThat(first).as("WireGuard's message types").isGreaterThan(4);
    }
  }

  @Test
  void onlyBothKeysTogetherAreASession() {
    Message one = random();
    assertThat(one.isOf(one.with(Message.Kind.BYE, 1, 2, ""))).isTrue();
    assertThat(one.isOf(one.withToken(one.token() + 1))).isFalse();
  }
}
