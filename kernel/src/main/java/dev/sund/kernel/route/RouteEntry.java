package dev.sund.kernel.route;

import dev.sund.kernel.KernelException.Malformed;
import dev.sund.kernel.netlink.Netlink;
import dev.sund.kernel.netlink.NlReader;
import dev.sund.kernel.netlink.NlWriter;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.Prefix;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A route (RTM_NEWROUTE). The kernel's key: table, destination, metric, and for IPv4 the type of
 * service; several IPv6 routes of one key with gateways are one route with several ways.
 *
 * <p>Made by {@link #to} and changed by the {@code with} methods, which leave the rest as {@code ip
 * route} would have it.
 *
 * @param destination the prefix
 * @param table the routing table, {@link Rtnl#TABLE_MAIN} by default
 * @param protocol who made it (RTPROT_...), 0 to 255
 * @param type what it does
 * @param scope {@link Rtnl#SCOPE_LINK} for an IPv4 route without a gateway; IPv6 has 0 only
 * @param metric lower is preferred; IPv4 by default 0, IPv6 1024
 * @param gateway the next hop, maybe of the other family (RTA_VIA)
 * @param device the ifindex, 0 for a dead end, for several ways and for a next hop object
 * @param source the preferred source of packets born here (RTA_PREFSRC)
 * @param mtu the largest packet in bytes (RTAX_MTU), 0 for the device's
 * @param flags RTNH_F_...; {@link #ONLINK} may be written
 * @param nextHops the ways of a route with several, else empty
 * @param nextHopId the next hop object that it uses, 0 for none
 * @param other what else it says that is not modelled here, as words; empty for every route of ours
 */
public record RouteEntry(
    Prefix destination,
    int table,
    int protocol,
    RouteType type,
    int scope,
    int metric,
    Optional<Ip> gateway,
    int device,
    Optional<Ip> source,
    int mtu,
    int flags,
    List<NextHop> nextHops,
    int nextHopId,
    String other)
    implements RouteRequest.Entry {
  /** The gateway need not be on a subnet of the device (RTNH_F_ONLINK). */
  public static final int ONLINK = 4;

  /** The next hop is dead (RTNH_F_DEAD): its device is down. */
  public static final int DEAD = 1;

  /** The device has no carrier (RTNH_F_LINKDOWN). */
  public static final int LINK_DOWN = 16;

  private static final int RTA_DST = 1;
  private static final int RTA_SRC = 2;
  private static final int RTA_IIF = 3;
  private static final int RTA_OIF = 4;
  private static final int RTA_GATEWAY = 5;
  private static final int RTA_PRIORITY = 6;
  private static final int RTA_PREFSRC = 7;
  private static final int RTA_METRICS = 8;
  private static final int RTA_MULTIPATH = 9;
  private static final int RTA_FLOW = 11;
  private static final int RTA_CACHEINFO = 12;
  private static final int RTA_TABLE = 15;
  private static final int RTA_VIA = 18;
  private static final int RTA_PREF = 20;
  private static final int RTA_ENCAP_TYPE = 21;
  private static final int RTA_EXPIRES = 23;
  private static final int RTA_NH_ID = 30;
  private static final int RTAX_MTU = 2;
  private static final int METRIC_V6 = 1024;

  public RouteEntry {
    nextHops = List.copyOf(nextHops);
  }

  /** A unicast route of the main table to {@code destination}, protocol static. */
  public static RouteEntry to(Prefix destination) {
    boolean v4 = destination.family() == Family.V4;
    return new RouteEntry(
        destination,
        Rtnl.TABLE_MAIN,
        Rtnl.PROTOCOL_STATIC,
        RouteType.UNICAST,
        v4 ? Rtnl.SCOPE_LINK : Rtnl.SCOPE_UNIVERSE,
        v4 ? 0 : METRIC_V6,
        Optional.empty(),
        0,
        Optional.empty(),
        0,
        0,
        List.of(),
        0,
        "");
  }

  /** By this device. */
  public RouteEntry withDevice(int index) {
    return copy(table, protocol, type, scope, metric, gateway, index, source, mtu, flags);
  }

  /** By this next hop; the scope becomes universe. */
  public RouteEntry withGateway(Ip nextHop) {
    return copy(
        table,
        protocol,
        type,
        Rtnl.SCOPE_UNIVERSE,
        metric,
        Optional.of(nextHop),
        device,
        source,
        mtu,
        flags);
  }

  /** The gateway is on the link, whatever the subnets say. */
  public RouteEntry withOnlink() {
    return copy(table, protocol, type, scope, metric, gateway, device, source, mtu, flags | ONLINK);
  }

  /** Of this table. */
  public RouteEntry withTable(int number) {
    return copy(number, protocol, type, scope, metric, gateway, device, source, mtu, flags);
  }

  /** Made by this protocol number. */
  public RouteEntry withProtocol(int number) {
    return copy(table, number, type, scope, metric, gateway, device, source, mtu, flags);
  }

  /** With this metric. */
  public RouteEntry withMetric(int value) {
    return copy(table, protocol, type, scope, value, gateway, device, source, mtu, flags);
  }

  /** With this source for packets born here. */
  public RouteEntry withSource(Ip ip) {
    return copy(table, protocol, type, scope, metric, gateway, device, Optional.of(ip), mtu, flags);
  }

  /** With this MTU in bytes, 0 for the device's. */
  public RouteEntry withMtu(int bytes) {
    return copy(table, protocol, type, scope, metric, gateway, device, source, bytes, flags);
  }

  /** Of this type; a dead end has scope universe and no device. */
  public RouteEntry withType(RouteType kind) {
    boolean end = kind.isDeadEnd();
    return copy(
        table,
        protocol,
        kind,
        end ? Rtnl.SCOPE_UNIVERSE : kind == RouteType.LOCAL && isV4() ? Rtnl.SCOPE_HOST : scope,
        metric,
        gateway,
        end ? 0 : device,
        source,
        mtu,
        flags);
  }

  /**
   * Without what the kernel adds by itself and changes as devices go up and down (flags such as
   * {@link #DEAD} and {@link #LINK_DOWN}): what was once written.
   */
  public RouteEntry withoutState() {
    return copy(table, protocol, type, scope, metric, gateway, device, source, mtu, flags & ONLINK);
  }

  /** Whether the gateway is forced on the link. */
  public boolean isOnlink() {
    return (flags & ONLINK) != 0;
  }

  /** The family of the destination. */
  public Family family() {
    return destination.family();
  }

  private boolean isV4() {
    return family() == Family.V4;
  }

  private RouteEntry copy(
      int newTable,
      int newProtocol,
      RouteType newType,
      int newScope,
      int newMetric,
      Optional<Ip> newGateway,
      int newDevice,
      Optional<Ip> newSource,
      int newMtu,
      int newFlags) {
    return new RouteEntry(
        destination,
        newTable,
        newProtocol,
        newType,
        newScope,
        newMetric,
        newGateway,
        newDevice,
        newSource,
        newMtu,
        newFlags,
        nextHops,
        nextHopId,
        other);
  }

  /**
   * Writes the body.
   *
   * @throws IllegalArgumentException for a route that says what this cannot write
   */
  @Override
  public void write(NlWriter out) {
    if (!other.isEmpty()) {
      throw new IllegalArgumentException("a route with '" + other + "' can only be read: " + this);
    }
    out.putU8(Rtnl.number(family()))
        .putU8(destination.length())
        .putU8(0)
        .putU8(0)
        .putU8(table < 256 ? table : 0)
        .putU8(protocol)
        .putU8(scope)
        .putU8(type.number())
        .putU32(nextHops.isEmpty() ? flags & ONLINK : 0);
    if (table >= 256 || table < 0) {
      out.u32(RTA_TABLE, table);
    }
    if (destination.length() > 0) {
      out.ip(RTA_DST, destination.address());
    }
    if (metric != 0) {
      out.u32(RTA_PRIORITY, metric);
    }
    if (device != 0) {
      out.u32(RTA_OIF, device);
    }
    if (gateway.isPresent()) {
      writeGateway(out, gateway.get());
    }
    if (source.isPresent()) {
      out.ip(RTA_PREFSRC, source.get());
    }
    if (mtu != 0) {
      out.nest(RTA_METRICS).u32(RTAX_MTU, mtu).unnest();
    }
    if (nextHopId != 0) {
      out.u32(RTA_NH_ID, nextHopId);
    }
    if (!nextHops.isEmpty()) {
      out.open(RTA_MULTIPATH);
      for (NextHop hop : nextHops) {
        writeNextHop(out, hop);
      }
      out.unnest();
    }
  }

  private void writeGateway(NlWriter out, Ip ip) {
    if (ip.family() == family()) {
      out.ip(RTA_GATEWAY, ip);
    } else {
      out.open(RTA_VIA).putU16(Rtnl.number(ip.family())).putIp(ip).unnest();
    }
  }

  private void writeNextHop(NlWriter out, NextHop hop) {
    boolean via = hop.gateway().isPresent() && hop.gateway().get().family() != family();
    int length =
        hop.gateway().map(ip -> 12 + Netlink.align(ip.family().bytes() + (via ? 2 : 0))).orElse(8);
    out.putU16(length).putU8(hop.flags() & ONLINK).putU8(hop.weight() - 1).putU32(hop.device());
    hop.gateway().ifPresent(ip -> writeGateway(out, ip));
  }

  /** Reads the body; empty for another family or a copy in the routing cache. */
  static Optional<RouteEntry> read(NlReader in) throws Malformed {
    int familyNumber = in.takeU8();
    int length = in.takeU8();
    int sourceLength = in.takeU8();
    int tos = in.takeU8();
    int table = in.takeU8();
    int protocol = in.takeU8();
    int scope = in.takeU8();
    RouteType type = RouteType.of(in.takeU8());
    int flags = in.takeU32();
    Optional<Family> known = Rtnl.family(familyNumber);
    if (known.isEmpty() || (flags & 0x200) != 0) { // RTM_F_CLONED
      return Optional.empty();
    }
    Family family = known.get();
    Ip destination = Ip.any(family);
    int metric = 0;
    Optional<Ip> gateway = Optional.empty();
    int device = 0;
    Optional<Ip> source = Optional.empty();
    int mtu = 0;
    List<NextHop> nextHops = List.of();
    int nextHopId = 0;
    StringBuilder other = new StringBuilder();
    if (sourceLength != 0) {
      note(other, "from /" + sourceLength);
    }
    if (tos != 0) {
      note(other, "tos " + tos);
    }
    while (in.next()) {
      switch (in.type()) {
        case RTA_DST -> destination = in.ip();
        case RTA_OIF -> device = in.u32();
        case RTA_GATEWAY -> gateway = Optional.of(in.ip());
        case RTA_VIA -> gateway = Optional.of(via(in.nested()));
        case RTA_PRIORITY -> metric = in.u32();
        case RTA_PREFSRC -> source = Optional.of(in.ip());
        case RTA_TABLE -> table = in.u32();
        case RTA_METRICS -> {
          NlReader metrics = in.nested();
          while (metrics.next()) {
            if (metrics.type() == RTAX_MTU) {
              mtu = metrics.u32();
            } else {
              note(other, "metric#" + metrics.type());
            }
          }
        }
        case RTA_MULTIPATH -> nextHops = nextHops(in.nested());
        case RTA_NH_ID -> nextHopId = in.u32();
        case RTA_SRC, RTA_IIF -> {} // said by sourceLength; only in answers to lookups
        case RTA_FLOW -> note(other, "realm " + in.u32());
        case RTA_ENCAP_TYPE -> note(other, "encap " + in.u16());
        case RTA_EXPIRES -> note(other, "expires");
        case RTA_PREF -> {
          if (in.u8() != 0) {
            note(other, "pref " + in.u8());
          }
        }
        case RTA_CACHEINFO -> {
          if (in.nested().skip(8).takeU32() != 0) {
            note(other, "expires");
          }
        }
        default -> {} // RTA_ENCAP follows its type; the rest are counters
      }
    }
    if (destination.family() != family || length > family.bits()) {
      throw new Malformed("route", "its destination is not of its family");
    }
    Prefix prefix = Prefix.around(destination, length);
    return Optional.of(
        new RouteEntry(
            prefix,
            table,
            protocol,
            type,
            scope,
            metric,
            gateway,
            type.isDeadEnd() ? 0 : device, // IPv6 says lo there, IPv4 nothing
            source,
            mtu,
            flags & 0xff,
            nextHops,
            nextHopId,
            other.toString()));
  }

  private static void note(StringBuilder other, String word) {
    if (!other.isEmpty()) {
      other.append(' ');
    }
    other.append(word);
  }

  private static Ip via(NlReader in) throws Malformed {
    int family = in.takeU16();
    Optional<Family> known = Rtnl.family(family);
    if (known.isEmpty()) {
      throw new Malformed("route", "a next hop of family " + family);
    }
    return Ip.of(in.takeBytes(known.get().bytes()));
  }

  private static List<NextHop> nextHops(NlReader in) throws Malformed {
    List<NextHop> hops = new ArrayList<>();
    while (in.remaining() >= 8) {
      int length = in.takeU16();
      int flags = in.takeU8();
      int weight = in.takeU8() + 1;
      int device = in.takeU32();
      if (length < 8) {
        throw new Malformed("route", "a next hop of " + length + " bytes");
      }
      NlReader attributes = in.takeReader(length - 8);
      in.skip(Math.min(in.remaining(), -length & 3));
      Optional<Ip> gateway = Optional.empty();
      while (attributes.next()) {
        if (attributes.type() == RTA_GATEWAY) {
          gateway = Optional.of(attributes.ip());
        } else if (attributes.type() == RTA_VIA) {
          gateway = Optional.of(via(attributes.nested()));
        }
      }
      hops.add(new NextHop(device, gateway, weight, flags));
    }
    return hops;
  }

  /** As {@code ip route} would say it, devices by number. */
  @Override
  public String toString() {
    StringBuilder text = new StringBuilder();
    if (type != RouteType.UNICAST) {
      text.append(type.label()).append(' ');
    }
    text.append(destination);
    gateway.ifPresent(ip -> text.append(" via ").append(ip));
    if (device != 0) {
      text.append(" dev #").append(device);
    }
    if (table != Rtnl.TABLE_MAIN) {
      text.append(" table ").append(Integer.toUnsignedString(table));
    }
    text.append(" proto ").append(protocol);
    if (scope != Rtnl.SCOPE_UNIVERSE) {
      text.append(" scope ").append(scope);
    }
    source.ifPresent(ip -> text.append(" src ").append(ip));
    if (metric != 0) {
      text.append(" metric ").append(Integer.toUnsignedString(metric));
    }
    if (mtu != 0) {
      text.append(" mtu ").append(mtu);
    }
    if (isOnlink()) {
      text.append(" onlink");
    }
    if ((flags & DEAD) != 0) {
      text.append(" dead");
    }
    if ((flags & LINK_DOWN) != 0) {
      text.append(" linkdown");
    }
    if (nextHopId != 0) {
      text.append(" nhid ").append(nextHopId);
    }
    nextHops.forEach(hop -> text.append(' ').append(hop));
    if (!other.isEmpty()) {
      text.append(' ').append(other);
    }
    return text.toString();
  }
}
