package dev.sund.lab.measure;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.engine.trace.Trace.Outer;
import dev.sund.model.Ip;
import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

/** What is read of frames on the underlay. */
class FrameTest {
  private static final int VXLAN = 4789;

  @Test
  void plainRequestIsReadByItsNumber() {
    ByteBuffer frame = ByteBuffer.allocate(256);
    int end = v4(frame, 0, 9999);
    Payload.write(frame.slice(end, Payload.SIZE), Payload.REQUEST, 42);

    assertThat(Frame.read(frame, end + Payload.SIZE, VXLAN))
        .contains(new Frame(42, Optional.empty()));
  }

  @Test
  void wrappedRequestIsReadWithItsOuterHeader() {
    ByteBuffer frame = ByteBuffer.allocate(256);
    int vxlan = v4(frame, 0, VXLAN);
    frame.putInt(vxlan + 4, 4096 << 8);
    int end = v4(frame, vxlan + 8, 9999);
    Payload.write(frame.slice(end, Payload.SIZE), Payload.REQUEST, 7);

    assertThat(Frame.read(frame, end + Payload.SIZE, VXLAN))
        .contains(
            new Frame(
                7,
                Optional.of(new Outer(Ip.parse("10.0.0.1"), Ip.parse("10.0.0.2"), 4096, VXLAN))));
  }

  @Test
  void replyAndForeignFramesAreNone() {
    ByteBuffer frame = ByteBuffer.allocate(256);
    int end = v4(frame, 0, 9999);
    Payload.write(frame.slice(end, Payload.SIZE), Payload.REPLY, 42);
    assertThat(Frame.read(frame, end + Payload.SIZE, VXLAN)).isEmpty();
    assertThat(Frame.read(frame, 20, VXLAN)).isEmpty();
  }

  @Test
  void noBytesWhateverMakeItFail() {
    RandomGenerator random = RandomGenerator.of("L64X128MixRandom");
    for (int i = 0; i < 20_000; i++) {
      ByteBuffer frame = ByteBuffer.allocate(256);
      random.nextBytes(frame.array());
      v4(frame, 0, random.nextBoolean() ? VXLAN : 7);
      frame.put(14, (byte) (0x40 | random.nextInt(16)));
      frame.putShort(12, (short) (random.nextBoolean() ? 0x0800 : 0x86dd));
      Frame.read(frame, random.nextInt(257), VXLAN);
    }
  }

  /** Writes Ethernet, IPv4 and UDP headers at {@code at}; where the payload begins. */
  private static int v4(ByteBuffer frame, int at, int port) {
    frame.putShort(at + 12, (short) 0x0800);
    frame.put(at + 14, (byte) 0x45);
    frame.putShort(at + 20, (short) 0);
    frame.put(at + 23, (byte) 17);
    frame.putInt(at + 26, 0x0a000001);
    frame.putInt(at + 30, 0x0a000002);
    frame.putShort(at + 36, (short) port);
    return at + 42;
  }
}
