package dev.sund.lab.measure;

import dev.sund.engine.trace.Trace.Outer;
import dev.sund.model.Ip;
import java.nio.ByteBuffer;
import java.util.Optional;

/**
 * A probe's request as it was seen on the underlay.
 *
 * @param flight the flight it belongs to
 * @param outer its outer header, when it is wrapped in VXLAN or IPIP
 */
record Frame(int flight, Optional<Outer> outer) {
  private static final int ETHERNET = 14;
  private static final int VXLAN_AND_UDP = 16;
  private static final int IPIP = 4;

  /**
   * Reads an Ethernet frame, of which the first {@code length} bytes are known.
   *
   * @param vxlanPort the UDP port that means VXLAN
   * @return empty for every frame that is no request of a probe
   */
  static Optional<Frame> read(ByteBuffer data, int length, int vxlanPort) {
    return frame(data, 0, length, vxlanPort, Optional.empty());
  }

  private static Optional<Frame> frame(
      ByteBuffer data, int at, int length, int vxlanPort, Optional<Outer> outer) {
    return length < at + ETHERNET
        ? Optional.empty()
        : packet(data, at + ETHERNET, data.getShort(at + 12) & 0xffff, length, vxlanPort, outer);
  }

  private static Optional<Frame> packet(
      ByteBuffer data, int ip, int etherType, int length, int vxlanPort, Optional<Outer> outer) {
    if (length < ip + 20) {
      return Optional.empty();
    }
    int udp;
    switch (etherType) {
      case 0x0800 -> {
        boolean later = (data.getShort(ip + 6) & 0x1fff) != 0; // not the first fragment
        if (data.get(ip + 9) == IPIP && !later && outer.isEmpty()) {
          int inner = ip + 4 * (data.get(ip) & 15);
          Outer header = Outer.ipip(source(data, ip), destination(data, ip));
          return packet(data, inner, etherType, length, vxlanPort, Optional.of(header));
        }
        if (data.get(ip + 9) != 17 || later) {
          return Optional.empty();
        }
        udp = ip + 4 * (data.get(ip) & 15);
      }
      case 0x86dd -> {
        if (data.get(ip + 6) != 17) {
          return Optional.empty();
        }
        udp = ip + 40;
      }
      default -> {
        return Optional.empty();
      }
    }
    if (length < udp + 8 + 12) {
      return Optional.empty();
    }
    if ((data.getShort(udp + 2) & 0xffff) == vxlanPort && outer.isEmpty()) {
      int vni = data.getInt(udp + 8 + 4) >>> 8;
      return frame(
          data,
          udp + VXLAN_AND_UDP,
          length,
          vxlanPort,
          Optional.of(new Outer(source(data, ip), destination(data, ip), vni, vxlanPort)));
    }
    int flight = Payload.flight(data, udp + 8, length - udp - 8, Payload.REQUEST);
    return flight < 0 ? Optional.empty() : Optional.of(new Frame(flight, outer));
  }

  private static Ip source(ByteBuffer data, int ip) {
    return isV4(data, ip)
        ? Ip.v4(data.getInt(ip + 12))
        : Ip.v6(data.getLong(ip + 8), data.getLong(ip + 16));
  }

  private static Ip destination(ByteBuffer data, int ip) {
    return isV4(data, ip)
        ? Ip.v4(data.getInt(ip + 16))
        : Ip.v6(data.getLong(ip + 24), data.getLong(ip + 32));
  }

  private static boolean isV4(ByteBuffer data, int ip) {
    return (data.get(ip) >>> 4) == 4;
  }
}
