package dev.sund.doctor.probe;

import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.Mac;
import java.nio.ByteBuffer;

/** The bytes of test packets, as the kernel would make them if it let one say who sends them. */
final class PacketForms {
  private static final int ETHERNET = 14;
  private static final int UDP = 17;
  private static final int TCP = 6;
  private static final int ICMPV6 = 58;

  private PacketForms() {}

  /** An Ethernet frame. */
  static byte[] frame(Mac to, Mac from, int type, byte[] body) {
    return ByteBuffer.allocate(ETHERNET + body.length)
        .put(to.toBytes())
        .put(from.toBytes())
        .putShort((short) type)
        .put(body)
        .array();
  }

  /** The type of frames with packets of a family. */
  static int etherType(Family family) {
    return family == Family.V4 ? 0x0800 : 0x86dd;
  }

  /** A UDP datagram in an IP packet. */
  static byte[] udp(Ip from, Ip to, int source, int destination, byte[] payload) {
    byte[] datagram =
        ByteBuffer.allocate(8 + payload.length)
            .putShort((short) source)
            .putShort((short) destination)
            .putShort((short) (8 + payload.length))
            .putShort((short) 0)
            .put(payload)
            .array();
    return ip(from, to, UDP, 64, withChecksum(datagram, 6, from, to, UDP));
  }

  /** An IPv4 or IPv6 packet without options. */
  static byte[] ip(Ip from, Ip to, int protocol, int hops, byte[] body) {
    if (from.family() == Family.V6) {
      return ByteBuffer.allocate(40 + body.length)
          .putInt(6 << 28)
          .putShort((short) body.length)
          .put((byte) protocol)
          .put((byte) hops)
          .put(from.toBytes())
          .put(to.toBytes())
          .put(body)
          .array();
    }
    ByteBuffer packet = ByteBuffer.allocate(20 + body.length);
    packet
        .putShort((short) 0x4500)
        .putShort((short) (20 + body.length))
        .putInt(0x4000) // number 0, may not be cut
        .put((byte) hops)
        .put((byte) protocol)
        .putShort((short) 0)
        .put(from.toBytes())
        .put(to.toBytes());
    packet.putShort(10, (short) checksum(packet.array(), 20, 0));
    return packet.put(body).array();
  }

  /** A TCP segment that begins a connection. */
  static byte[] syn(Ip from, Ip to, int source, int destination, int sequence) {
    byte[] segment =
        ByteBuffer.allocate(20)
            .putShort((short) source)
            .putShort((short) destination)
            .putInt(sequence)
            .putInt(0)
            .putShort((short) 0x5002)
            .putShort((short) 65_535)
            .putInt(0)
            .array();
    return withChecksum(segment, 16, from, to, TCP);
  }

  /**
   * An answer to a question that nobody asked: {@code foreign} is at {@code mac}. Where an answer
   * names whom it is for, it has the session's mark and a number.
   */
  static byte[] arpAnswer(Mac mac, Ip foreign, Ip to, int mark, int number) {
    return ByteBuffer.allocate(28)
        .putLong(0x0001_0800_0604_0002L)
        .put(mac.toBytes())
        .put(foreign.toBytes())
        .putInt(mark)
        .putShort((short) number)
        .put(to.toBytes())
        .array();
  }

  /** The same of IPv6: the mark is the end of the foreign address. */
  static byte[] neighbourAnswer(Mac mac, Ip from, Ip to, int mark, int number) {
    byte[] body =
        ByteBuffer.allocate(32)
            .putInt(0x8800_0000)
            .putInt(0) // neither asked for nor to replace what is known
            .putLong(0x2001_0db8_0000_0000L)
            .putInt(0)
            .putInt(mark)
            .put((byte) 2)
            .put((byte) 1)
            .put(mac.toBytes())
            .array();
    body[19] = (byte) number;
    return ip(from, to, ICMPV6, 255, withChecksum(body, 2, from, to, ICMPV6));
  }

  private static byte[] withChecksum(byte[] body, int at, Ip from, Ip to, int protocol) {
    int sum = body.length + protocol;
    for (Ip address : new Ip[] {from, to}) {
      byte[] bytes = address.toBytes();
      for (int i = 0; i < bytes.length; i += 2) {
        sum += (bytes[i] & 0xff) << 8 | (bytes[i + 1] & 0xff);
      }
    }
    int checksum = checksum(body, body.length, sum);
    int written = checksum == 0 && protocol == UDP ? 0xffff : checksum;
    body[at] = (byte) (written >> 8);
    body[at + 1] = (byte) written;
    return body;
  }

  private static int checksum(byte[] bytes, int length, int begin) {
    int sum = begin;
    for (int i = 0; i < length; i += 2) {
      sum += (bytes[i] & 0xff) << 8 | (i + 1 < length ? bytes[i + 1] & 0xff : 0);
    }
    while (sum >> 16 != 0) {
      sum = (sum & 0xffff) + (sum >> 16);
    }
    return ~sum & 0xffff;
  }

  /** A second address of a device: of local administration, and nobody's. */
  static Mac second(Mac mac) {
    return new Mac((mac.bits() & 0x00ff_ffff_ffffL ^ 0x5300) | 0x0200_0000_0000L);
  }

  /** An address for documentation, which is nobody's (RFC 5737). */
  static Ip foreign() {
    return Ip.parse("192.0.2.83");
  }
}
