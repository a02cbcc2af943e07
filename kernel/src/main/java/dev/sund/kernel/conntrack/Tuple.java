package dev.sund.kernel.conntrack;

import dev.sund.model.Checks;
import dev.sund.model.Family;
import dev.sund.model.Ip;

/**
 * What identifies a connection in one direction.
 *
 * @param source who sends in this direction
 * @param destination to whom, of the same family
 * @param transport protocol and what it has of ports
 * @param zone the zone of this direction alone, 0 when there is none
 */
public record Tuple(Ip source, Ip destination, Transport transport, int zone) {
  static final int ICMP = 1;
  static final int ICMPV6 = 58;

  public Tuple {
    if (source.family() != destination.family()) {
      throw new IllegalArgumentException(
          "source " + source + " and destination " + destination + " are of two families");
    }
    Checks.range("zone", zone, 0, 0xffff);
  }

  /** A tuple of a protocol with ports, in no zone. */
  public static Tuple of(
      int protocol, Ip source, int sourcePort, Ip destination, int destinationPort) {
    return new Tuple(
        source, destination, new Transport.Ports(protocol, sourcePort, destinationPort), 0);
  }

  /** The transport's part of a tuple. */
  public sealed interface Transport {
    /** The IANA protocol number. */
    int protocol();

    /**
     * TCP, UDP, SCTP and others that have ports.
     *
     * @param protocol 0 to 255, neither ICMP nor ICMPv6
     * @param source 0 to 65535
     * @param destination 0 to 65535
     */
    record Ports(int protocol, int source, int destination) implements Transport {
      public Ports {
        checkProtocol(protocol);
        if (protocol == ICMP || protocol == ICMPV6) {
          throw new IllegalArgumentException("protocol " + protocol + " has no ports");
        }
        Checks.range("source port", source, 0, 0xffff);
        Checks.range("destination port", destination, 0, 0xffff);
      }
    }

    /**
     * ICMP (1) and ICMPv6 (58) queries.
     *
     * @param type of the query, 0 to 255
     * @param code 0 to 255
     * @param id 0 to 65535
     */
    record Query(int protocol, int type, int code, int id) implements Transport {
      public Query {
        if (protocol != ICMP && protocol != ICMPV6) {
          throw new IllegalArgumentException("protocol " + protocol + " is neither 1 nor 58");
        }
        Checks.range("type", type, 0, 0xff);
        Checks.range("code", code, 0, 0xff);
        Checks.range("id", id, 0, 0xffff);
      }
    }

    /** Any other: the kernel knows no more of it than the protocol. */
    record Plain(int protocol) implements Transport {
      public Plain {
        checkProtocol(protocol);
      }
    }

    private static void checkProtocol(int protocol) {
      Checks.range("protocol", protocol, 0, 0xff);
    }
  }

  /** Family of both addresses. */
  public Family family() {
    return source.family();
  }

  /** The IANA protocol number. */
  public int protocol() {
    return transport.protocol();
  }

  /** The port of the source, 0 for a protocol without ports. */
  public int sourcePort() {
    return transport instanceof Transport.Ports(int _, int port, int _) ? port : 0;
  }

  /** The port of the destination, 0 for a protocol without ports. */
  public int destinationPort() {
    return transport instanceof Transport.Ports(int _, int _, int port) ? port : 0;
  }

  /** {@code udp 10.1.0.5:4711 -> 10.96.0.10:53}. */
  @Override
  public String toString() {
    String inZone = zone == 0 ? "" : " zone " + zone;
    return switch (transport) {
      case Transport.Ports(int protocol, int from, int to) ->
          protocol + " " + at(source, from) + " -> " + at(destination, to) + inZone;
      case Transport.Query(int protocol, int type, int code, int id) ->
          "%d %s -> %s type %d code %d id %d%s"
              .formatted(protocol, source, destination, type, code, id, inZone);
      case Transport.Plain(int protocol) -> protocol + " " + source + " -> " + destination + inZone;
    };
  }

  private static String at(Ip ip, int port) {
    return ip.family() == Family.V6 ? "[" + ip + "]:" + port : ip + ":" + port;
  }
}
