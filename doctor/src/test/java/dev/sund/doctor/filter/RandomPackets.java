package dev.sund.doctor.filter;

import java.nio.ByteBuffer;
import java.util.Random;

/** Frames as networks have them, of few addresses and ports, so that filters often hold. */
final class RandomPackets {
  private static final int[] V4 = {0x0a000001, 0x0a000002, 0x0af40105, 0xc0a80a0b, 0xe0000001};
  private static final long[] V6 = {0x20010db800000000L, 0xfd00001002440001L, 0xff02000000000000L};
  private static final long[] MACS = {
    0x020000000001L, 0x020000000002L, 0xffffffffffffL, 0x01005e000001L
  };
  static final int[] PORTS = {22, 53, 80, 443, 8080, 8090, 51820};
  private static final int[] PROTOCOLS = {6, 6, 6, 17, 17, 132, 1, 2, 58, 50, 51, 103, 112, 4};

  private final Random random;

  RandomPackets(Random random) {
    this.random = random;
  }

  private int pick(int... from) {
    return from[random.nextInt(from.length)];
  }

  byte[] next() {
    byte[] bytes = new byte[96 + random.nextInt(100)];
    random.nextBytes(bytes);
    ByteBuffer frame = ByteBuffer.wrap(bytes);
    mac(frame);
    mac(frame);
    if (random.nextInt(6) == 0) {
      for (int tags = 1 + random.nextInt(2); tags > 0; tags--) {
        frame.putShort((short) pick(0x8100, 0x8100, 0x88a8, 0x9100));
        frame.putShort((short) (random.nextInt(8) << 13 | pick(5, 7, 100)));
      }
    }
    switch (random.nextInt(12)) {
      case 0 -> frame.putShort((short) random.nextInt(1 << 16));
      case 1 -> frame.putShort((short) random.nextInt(1_600)).put((byte) pick(0x42, 0xaa, 0x06));
      case 2 -> arp(frame, pick(0x0806, 0x0806, 0x8035));
      case 3, 4, 5, 6 -> v6(frame);
      default -> v4(frame);
    }
    // A few end where a filter would like to read on.
    int length = random.nextInt(12) == 0 ? 14 + random.nextInt(60) : bytes.length;
    return java.util.Arrays.copyOf(bytes, length);
  }

  private void mac(ByteBuffer frame) {
    long mac = MACS[random.nextInt(MACS.length)];
    frame.putShort((short) (mac >> 32)).putInt((int) mac);
  }

  private void arp(ByteBuffer frame, int type) {
    frame.putShort((short) type).putInt(0x00010800).putShort((short) 0x0604);
    frame.putShort((short) pick(1, 2));
    mac(frame);
    frame.putInt(pick(V4));
    mac(frame);
    frame.putInt(pick(V4));
  }

  private void v4(ByteBuffer frame) {
    frame.putShort((short) 0x0800);
    int begin = frame.position();
    int words = pick(5, 5, 5, 6, 8);
    frame
        .put((byte) (0x40 | words))
        .put((byte) pick(0, 0x10))
        .putShort((short) pick(60, 576, 1500));
    frame.putShort((short) 77).putShort((short) pick(0, 0, 0x4000, 0x2000, 0x2005, 0x0007));
    int protocol = pick(PROTOCOLS);
    frame.put((byte) 64).put((byte) protocol).putShort((short) 0);
    frame.putInt(pick(V4)).putInt(pick(V4));
    frame.position(begin + 4 * words);
    transport(frame, protocol);
  }

  private void v6(ByteBuffer frame) {
    frame.putShort((short) 0x86dd).putInt(0x60000000).putShort((short) pick(40, 100));
    int protocol = pick(PROTOCOLS);
    boolean fragment = random.nextInt(5) == 0;
    frame.put((byte) (fragment ? 44 : protocol)).put((byte) 64);
    frame.putLong(V6[random.nextInt(V6.length)]).putLong(pick(1, 5));
    frame.putLong(V6[random.nextInt(V6.length)]).putLong(pick(1, 5));
    if (fragment) {
      frame.put((byte) protocol).put((byte) 0).putShort((short) pick(0, 8)).putInt(9);
    }
    transport(frame, protocol);
  }

  private void transport(ByteBuffer frame, int protocol) {
    switch (protocol) {
      case 1 -> frame.put((byte) pick(0, 3, 8, 11)).put((byte) pick(0, 3, 4));
      case 58 -> frame.put((byte) pick(1, 128, 129, 135)).put((byte) 0);
      default -> frame.putShort((short) pick(PORTS)).putShort((short) pick(PORTS));
    }
    if (protocol == 6) {
      frame.putLong(7).put((byte) 0x50).put((byte) pick(2, 0x12, 0x10, 0x18, 0x11, 4));
    }
  }
}
