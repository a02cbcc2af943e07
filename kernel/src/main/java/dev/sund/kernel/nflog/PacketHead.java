package dev.sund.kernel.nflog;

import dev.sund.model.Checks;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import java.util.Arrays;
import java.util.Optional;

/**
 * What the headers of a packet say of who asks whom.
 *
 * @param source who sent it
 * @param destination to whom, of the same family
 * @param protocol the IANA number of what the packet carries, behind IPv6's extensions, 0 to 255;
 *     {@link #ARP} of what is no IP packet and asks who has an address, or says it
 * @param sourcePort of TCP, UDP and SCTP; 0 for others, and where the header is not there
 * @param destinationPort the same; for ICMP 0
 * @param bytes the packet's length as its header says it, or all of an ARP message's
 */
public record PacketHead(
    Ip source, Ip destination, int protocol, int sourcePort, int destinationPort, int bytes) {
  /** ETH_P_ARP, which is no number of a protocol that IP carries. */
  public static final int ARP = 0x0806;

  private static final int TCP = 6;
  private static final int UDP = 17;
  private static final int SCTP = 132;
  private static final int HOP_BY_HOP = 0;
  private static final int ROUTING = 43;
  private static final int FRAGMENT = 44;
  private static final int AUTHENTICATION = 51;
  private static final int DESTINATION_OPTIONS = 60;
  private static final int V4_HEADER = 20;
  private static final int V6_HEADER = 40;

  /** Ethernet and IPv4, six and four bytes: how each ARP message about IPv4 begins. */
  private static final byte[] ARP_OF_V4 = {0, 1, 8, 0, 6, 4};

  private static final int ARP_SENDER_AT = 14;
  private static final int ARP_TARGET_AT = 24;
  private static final int ARP_BYTES = 28;

  public PacketHead {
    Checks.that(source.family() == destination.family(), "addresses are of one family");
    Checks.range("protocol", protocol, 0, protocol == ARP ? ARP : 0xff);
    Checks.range("source port", sourcePort, 0, 0xffff);
    Checks.range("destination port", destinationPort, 0, 0xffff);
  }

  /** The family of both addresses. */
  public Family family() {
    return source.family();
  }

  /**
   * Reads an IPv4 or IPv6 packet, or an ARP message about IPv4 addresses, from its first byte on.
   *
   * @param packet as much of it as is there
   * @return empty where not even the addresses are there, or it is none of these
   */
  public static Optional<PacketHead> tryParse(byte[] packet) {
    if (packet.length >= V4_HEADER && packet[0] >> 4 == 4) {
      return Optional.of(v4(packet));
    }
    if (packet.length >= ARP_BYTES
        && Arrays.equals(packet, 0, ARP_OF_V4.length, ARP_OF_V4, 0, ARP_OF_V4.length)) {
      return Optional.of(
          new PacketHead(
              Ip.of(Arrays.copyOfRange(packet, ARP_SENDER_AT, ARP_SENDER_AT + 4)),
              Ip.of(Arrays.copyOfRange(packet, ARP_TARGET_AT, ARP_TARGET_AT + 4)),
              ARP,
              0,
              0,
              ARP_BYTES));
    }
    return packet.length >= V6_HEADER && packet[0] >> 4 == 6
        ? Optional.of(v6(packet))
        : Optional.empty();
  }

  private static PacketHead v4(byte[] packet) {
    boolean first = (u16(packet, 6) & 0x1fff) == 0; // later fragments have no ports
    return of(packet, 12, 4, packet[9] & 0xff, first ? (packet[0] & 0xf) * 4 : -1, u16(packet, 2));
  }

  private static PacketHead v6(byte[] packet) {
    int next = packet[6] & 0xff;
    int at = V6_HEADER;
    while (isExtension(next) && at >= 0 && at + 8 <= packet.length) {
      int length =
          switch (next) {
            case FRAGMENT -> 8;
            case AUTHENTICATION -> ((packet[at + 1] & 0xff) + 2) * 4;
            default -> ((packet[at + 1] & 0xff) + 1) * 8;
          };
      boolean later = next == FRAGMENT && (u16(packet, at + 2) & 0xfff8) != 0;
      next = packet[at] & 0xff;
      at = later ? -1 : at + length;
    }
    return of(packet, 8, 16, next, at, V6_HEADER + u16(packet, 4));
  }

  private static boolean isExtension(int header) {
    return header == HOP_BY_HOP
        || header == ROUTING
        || header == FRAGMENT
        || header == AUTHENTICATION
        || header == DESTINATION_OPTIONS;
  }

  private static PacketHead of(
      byte[] packet, int addresses, int length, int protocol, int transport, int bytes) {
    boolean ports =
        (protocol == TCP || protocol == UDP || protocol == SCTP)
            && transport >= 0
            && transport + 4 <= packet.length;
    int middle = addresses + length;
    return new PacketHead(
        Ip.of(Arrays.copyOfRange(packet, addresses, middle)),
        Ip.of(Arrays.copyOfRange(packet, middle, middle + length)),
        protocol,
        ports ? u16(packet, transport) : 0,
        ports ? u16(packet, transport + 2) : 0,
        bytes);
  }

  private static int u16(byte[] packet, int at) {
    return (packet[at] & 0xff) << 8 | (packet[at + 1] & 0xff);
  }
}
