package dev.sund.lab.measure;

import java.nio.ByteBuffer;

/** What probes carry: 4 bytes magic, 4 bytes kind, 4 bytes number of the flight, 4 bytes zero. */
final class Payload {
  static final int SIZE = 16;
  static final int REQUEST = 1;
  static final int REPLY = 2;
  private static final int MAGIC = 0x53554e44; // "SUND"

  private Payload() {}

  static void write(ByteBuffer data, int kind, int flight) {
    data.putInt(0, MAGIC);
    data.putInt(4, kind);
    data.putInt(8, flight);
    data.putInt(12, 0);
  }

  /** The flight of a message of this kind, or -1 when it is none. */
  static int flight(ByteBuffer data, int at, int length, int kind) {
    if (length < 12 || data.getInt(at) != MAGIC || data.getInt(at + 4) != kind) {
      return -1;
    }
    return data.getInt(at + 8);
  }
}
