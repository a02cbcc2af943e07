package dev.sund.doctor.capture;

import dev.sund.model.Ip;
import dev.sund.model.Mac;
import java.nio.ByteBuffer;
import java.util.Locale;

/**
 * A packet's bytes in network order, as many as were taken. What lies beyond reads as 0: a line
 * about a packet that was cut short is better than none.
 */
final class PacketBytes {
  private final ByteBuffer memory;
  private final int begin;
  private final int length;

  PacketBytes(ByteBuffer memory, int begin, int length) {
    this.memory = memory;
    this.begin = begin;
    this.length = length;
  }

  /** How many there are. */
  int length() {
    return length;
  }

  /** Those from a place on. */
  PacketBytes from(int at) {
    int skipped = Math.clamp(at, 0, length);
    return new PacketBytes(memory, begin + skipped, length - skipped);
  }

  int u8(int at) {
    return at >= 0 && at < length ? memory.get(begin + at) & 0xff : 0;
  }

  int u16(int at) {
    return u8(at) << 8 | u8(at + 1);
  }

  long u32(int at) {
    return (long) u16(at) << 16 | u16(at + 2);
  }

  private byte[] bytes(int at, int count) {
    byte[] copy = new byte[count];
    for (int i = 0; i < count; i++) {
      copy[i] = (byte) u8(at + i);
    }
    return copy;
  }

  Ip v4(int at) {
    return Ip.v4((int) u32(at));
  }

  Ip v6(int at) {
    return Ip.of(bytes(at, 16));
  }

  String mac(int at) {
    return Mac.of(bytes(at, 6)).toString().toLowerCase(Locale.ROOT);
  }

  /** Printable characters; others are dots. */
  String text(int at, int count) {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < count && at + i < length; i++) {
      int c = u8(at + i);
      text.append(c > ' ' && c < 0x7f ? (char) c : '.');
    }
    return text.toString();
  }
}
