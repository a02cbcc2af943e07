package dev.sund.kernel.conntrack;

import dev.sund.kernel.KernelException.Malformed;
import dev.sund.kernel.conntrack.Tuple.Transport;
import dev.sund.kernel.netlink.NlReader;
import dev.sund.kernel.netlink.NlWriter;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Bytes of ctnetlink's messages, without a socket. */
final class ConntrackCodec {
  /** Messages of the subsystem are numbered from here. */
  static final int SUBSYSTEM = 1 << 8;

  static final int NEW = SUBSYSTEM;
  static final int GET = SUBSYSTEM | 1;
  static final int DELETE = SUBSYSTEM | 2;
  static final int GET_STATS_CPU = SUBSYSTEM | 4;
  static final int GET_STATS = SUBSYSTEM | 5;

  /** The length of {@code struct nfgenmsg}. */
  static final int HEADER = 4;

  private static final int NFPROTO_UNSPEC = 0;
  private static final int NFPROTO_IPV4 = 2;
  private static final int NFPROTO_IPV6 = 10;

  /**
   * Bits that say which parts of a tuple a listing is filtered by. The kernel takes them from user
   * space since 5.8 but has them in no public header ({@code net/netfilter/nf_internals.h}).
   */
  private static final int BY_DESTINATION = 1 << 1;

  private static final int BY_PROTOCOL = 1 << 3;
  private static final int BY_DESTINATION_PORT = 1 << 5;

  private ConntrackCodec() {}

  /** Begins a message: its headers. */
  static NlWriter begin(NlWriter out, int type, int flags, Optional<Family> family) {
    int number =
        family.map(f -> f == Family.V4 ? NFPROTO_IPV4 : NFPROTO_IPV6).orElse(NFPROTO_UNSPEC);
    return out.message(type, flags).putU8(number).putZeros(HEADER - 1);
  }

  /** Writes a listing's request; the kernel may give more than what the filter matches. */
  static void writeList(NlWriter out, ConntrackFilter filter) {
    begin(out, GET, 0, filter.family());
    int by = 0;
    // The kernel parses a filter's tuple only when it is told the family.
    if (filter.family().isPresent() && filter.protocol().isPresent()) {
      int protocol = filter.protocol().getAsInt();
      out.nest(Cta.TUPLE_ORIG);
      // Kernels compare IPv6 addresses the wrong way round: they would leave out just what is
      // asked.
      if (filter.destination().isPresent() && filter.family().get() == Family.V4) {
        by |= BY_DESTINATION;
        out.nest(Cta.TUPLE_IP).ip(Cta.IP_V4_DST, filter.destination().get()).unnest();
      }
      by |= BY_PROTOCOL;
      out.nest(Cta.TUPLE_PROTO).u8(Cta.PROTO_NUM, protocol);
      if (filter.destinationPort().isPresent()) {
        by |= BY_DESTINATION_PORT;
        out.be16(Cta.PROTO_DST_PORT, filter.destinationPort().getAsInt());
      }
      out.unnest().unnest();
      out.nest(Cta.FILTER).u32(Cta.FILTER_ORIG_FLAGS, by).unnest();
    }
    out.end();
  }

  /**
   * Writes the deletion of one entry.
   *
   * @param id the entry's number, 0 for whichever has this tuple
   */
  static void writeDelete(NlWriter out, Tuple original, int zone, int id) {
    begin(out, DELETE, 0, Optional.of(original.family()));
    writeTuple(out, Cta.TUPLE_ORIG, original);
    if (zone != 0) {
      out.be16(Cta.ZONE, zone);
    }
    if (id != 0) {
      out.be32(Cta.ID, id);
    }
    out.end();
  }

  static void writeTuple(NlWriter out, int attribute, Tuple tuple) {
    boolean v4 = tuple.family() == Family.V4;
    out.nest(attribute)
        .nest(Cta.TUPLE_IP)
        .ip(v4 ? Cta.IP_V4_SRC : Cta.IP_V6_SRC, tuple.source())
        .ip(v4 ? Cta.IP_V4_DST : Cta.IP_V6_DST, tuple.destination())
        .unnest()
        .nest(Cta.TUPLE_PROTO)
        .u8(Cta.PROTO_NUM, tuple.protocol());
    switch (tuple.transport()) {
      case Transport.Ports(int _, int source, int destination) ->
          out.be16(Cta.PROTO_SRC_PORT, source).be16(Cta.PROTO_DST_PORT, destination);
      case Transport.Query(int protocol, int type, int code, int id) -> {
        if (protocol == Tuple.ICMP) {
          out.be16(Cta.PROTO_ICMP_ID, id)
              .u8(Cta.PROTO_ICMP_TYPE, type)
              .u8(Cta.PROTO_ICMP_CODE, code);
        } else {
          out.be16(Cta.PROTO_ICMPV6_ID, id)
              .u8(Cta.PROTO_ICMPV6_TYPE, type)
              .u8(Cta.PROTO_ICMPV6_CODE, code);
        }
      }
      case Transport.Plain _ -> {}
    }
    out.unnest();
    if (tuple.zone() != 0) {
      out.be16(Cta.TUPLE_ZONE, tuple.zone());
    }
    out.unnest();
  }

  /**
   * Reads an entry, from the {@code nfgenmsg} on.
   *
   * @throws Malformed when a tuple is missing or cannot be
   */
  static ConntrackEntry readEntry(NlReader body) throws Malformed {
    body.skip(HEADER);
    @Nullable Tuple original = null;
    @Nullable Tuple reply = null;
    int zone = 0;
    int status = 0;
    int mark = 0;
    long timeout = 0;
    Optional<TcpState> tcp = Optional.empty();
    long @Nullable [] sent = null;
    long @Nullable [] answered = null;
    int id = 0;
    while (body.next()) {
      switch (body.type()) {
        case Cta.TUPLE_ORIG -> original = readTuple(body.nested());
        case Cta.TUPLE_REPLY -> reply = readTuple(body.nested());
        case Cta.ZONE -> zone = body.be16();
        case Cta.STATUS -> status = body.be32();
        case Cta.MARK -> mark = body.be32();
        case Cta.TIMEOUT -> timeout = body.be32() & 0xffffffffL;
        case Cta.PROTOINFO -> tcp = readTcpState(body.nested());
        case Cta.COUNTERS_ORIG -> sent = readCounters(body.nested());
        case Cta.COUNTERS_REPLY -> answered = readCounters(body.nested());
        case Cta.ID -> id = body.be32();
        default -> {} // helpers, labels, sequence adjustments: of no use to us
      }
    }
    if (original == null || reply == null) {
      throw new Malformed("connection", "it has no tuple of each direction");
    }
    Optional<ConntrackEntry.Counters> counters =
        sent == null || answered == null
            ? Optional.empty()
            : Optional.of(new ConntrackEntry.Counters(sent[0], sent[1], answered[0], answered[1]));
    return new ConntrackEntry(original, reply, zone, status, mark, timeout, tcp, counters, id);
  }

  static Tuple readTuple(NlReader nested) throws Malformed {
    @Nullable Ip source = null;
    @Nullable Ip destination = null;
    @Nullable Transport transport = null;
    int zone = 0;
    while (nested.next()) {
      switch (nested.type()) {
        case Cta.TUPLE_IP -> {
          NlReader ip = nested.nested();
          while (ip.next()) {
            switch (ip.type()) {
              case Cta.IP_V4_SRC, Cta.IP_V6_SRC -> source = ip.ip();
              case Cta.IP_V4_DST, Cta.IP_V6_DST -> destination = ip.ip();
              default -> {} // the kernel may say more one day
            }
          }
        }
        case Cta.TUPLE_PROTO -> transport = readTransport(nested.nested());
        case Cta.TUPLE_ZONE -> zone = nested.be16();
        default -> {} // the kernel may say more one day
      }
    }
    if (source == null || destination == null || transport == null) {
      throw new Malformed("tuple of a connection", "an address or the protocol is missing");
    }
    if (source.family() != destination.family()) {
      throw new Malformed("tuple of a connection", "its addresses are of two families");
    }
    return new Tuple(source, destination, transport, zone);
  }

  private static Transport readTransport(NlReader nested) throws Malformed {
    int protocol = -1;
    int source = -1;
    int destination = -1;
    int id = 0;
    int type = 0;
    int code = 0;
    while (nested.next()) {
      switch (nested.type()) {
        case Cta.PROTO_NUM -> protocol = nested.u8();
        case Cta.PROTO_SRC_PORT -> source = nested.be16();
        case Cta.PROTO_DST_PORT -> destination = nested.be16();
        case Cta.PROTO_ICMP_ID, Cta.PROTO_ICMPV6_ID -> id = nested.be16();
        case Cta.PROTO_ICMP_TYPE, Cta.PROTO_ICMPV6_TYPE -> type = nested.u8();
        case Cta.PROTO_ICMP_CODE, Cta.PROTO_ICMPV6_CODE -> code = nested.u8();
        default -> {} // the kernel may say more one day
      }
    }
    if (protocol < 0) {
      throw new Malformed("tuple of a connection", "it has no protocol");
    }
    if (protocol == Tuple.ICMP || protocol == Tuple.ICMPV6) {
      return new Transport.Query(protocol, type, code, id);
    }
    return source < 0 || destination < 0
        ? new Transport.Plain(protocol)
        : new Transport.Ports(protocol, source, destination);
  }

  private static Optional<TcpState> readTcpState(NlReader nested) throws Malformed {
    Optional<TcpState> state = Optional.empty();
    while (nested.next()) {
      if (nested.type() == Cta.PROTOINFO_TCP) {
        NlReader tcp = nested.nested();
        while (tcp.next()) {
          if (tcp.type() == Cta.PROTOINFO_TCP_STATE) {
            state = TcpState.of(tcp.u8());
          }
        }
      }
    }
    return state;
  }

  private static long[] readCounters(NlReader nested) throws Malformed {
    long[] counters = new long[2];
    while (nested.next()) {
      switch (nested.type()) {
        case Cta.COUNTERS_PACKETS -> counters[0] = nested.be64();
        case Cta.COUNTERS_BYTES -> counters[1] = nested.be64();
        default -> {} // padding
      }
    }
    return counters;
  }

  /**
   * Adds the numbers of a message of statistics to {@code sums}, by attribute number.
   *
   * @param body from the {@code nfgenmsg} on
   */
  static void addStatistics(NlReader body, long[] sums) throws Malformed {
    body.skip(HEADER);
    while (body.next()) {
      if (body.type() < sums.length) {
        sums[body.type()] += body.be32() & 0xffffffffL;
      }
    }
  }
}
