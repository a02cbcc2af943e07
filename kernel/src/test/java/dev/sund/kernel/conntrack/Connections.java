package dev.sund.kernel.conntrack;

import dev.sund.kernel.NetNs;
import dev.sund.kernel.netlink.Buffers;
import dev.sund.kernel.netlink.Netlink;
import dev.sund.kernel.netlink.NetlinkSocket;
import dev.sund.kernel.netlink.NlWriter;
import java.util.List;
import java.util.Optional;

/** Makes entries of the table as a test wants them, many at a time. */
final class Connections {
  private static final int CONFIRMED = 1 << 3;

  private Connections() {}

  /** The message that makes this entry, as an event tells it and as the kernel takes it. */
  static void write(NlWriter out, ConntrackEntry entry) {
    ConntrackCodec.begin(
        out,
        ConntrackCodec.NEW,
        Netlink.NLM_F_CREATE | Netlink.NLM_F_EXCL,
        Optional.of(entry.original().family()));
    ConntrackCodec.writeTuple(out, Cta.TUPLE_ORIG, entry.original());
    ConntrackCodec.writeTuple(out, Cta.TUPLE_REPLY, entry.reply());
    out.be32(Cta.STATUS, entry.status());
    out.be32(Cta.TIMEOUT, (int) entry.timeoutSeconds());
    if (entry.mark() != 0) {
      out.be32(Cta.MARK, entry.mark());
    }
    if (entry.zone() != 0) {
      out.be16(Cta.ZONE, entry.zone());
    }
    entry
        .tcp()
        .ifPresent(state ->
            out.nest(Cta.PROTOINFO)
                .nest(Cta.PROTOINFO_TCP)
                .u8(Cta.PROTOINFO_TCP_STATE, state.ordinal())
                .unnest()
                .unnest());
    out.end();
  }

  /** An answered connection of ten minutes. */
  static ConntrackEntry entry(Tuple original, Tuple reply) {
    return new ConntrackEntry(
        original,
        reply,
        0,
        CONFIRMED | ConntrackEntry.SEEN_REPLY | ConntrackEntry.ASSURED,
        0,
        600,
        Optional.empty(),
        Optional.empty(),
        0);
  }

  /** Makes them all. */
  static void make(NetNs namespace, List<ConntrackEntry> entries) throws Exception {
    try (NetlinkSocket socket =
        NetlinkSocket.open(Netlink.NETLINK_NETFILTER, namespace, Buffers.DEFAULT)) {
      NlWriter out = new NlWriter();
      entries.forEach(entry -> write(out, entry));
      for (var answer : socket.request(out)) {
        answer.orThrow("make", "a connection");
      }
    }
  }
}
