package dev.sund.kernel.conntrack;

import dev.sund.kernel.KernelException;
import dev.sund.kernel.KernelException.Malformed;
import dev.sund.kernel.netlink.Netlink;
import dev.sund.kernel.netlink.NlReader;
import dev.sund.kernel.netlink.NlWriter;
import java.util.Optional;

/**
 * ctnetlink's messages: an entry, sums, or {@link Malformed}; tuples that are written again are the
 * same. In this package to reach its decoder.
 */
public final class ConntrackTarget {
  private ConntrackTarget() {}

  /** Decodes each message as an entry and as statistics. */
  public static void fuzzerTestOneInput(byte[] data) throws KernelException {
    try {
      NlReader.messages(
          data,
          data.length,
          (_, _, body) -> {
            try {
              ConntrackCodec.addStatistics(body.ahead(), new long[16]);
            } catch (Malformed _) {
              // as entries its attributes may be right
            }
            check(ConntrackCodec.readEntry(body));
          });
    } catch (Malformed _) {
      // the one answer to bytes that are no message
    }
  }

  private static void check(ConntrackEntry entry) throws KernelException {
    if (entry.toString().isEmpty()) {
      throw new AssertionError("an entry that can be printed");
    }
    NlWriter out = new NlWriter();
    ConntrackCodec.begin(out, ConntrackCodec.NEW, 0, Optional.of(entry.original().family()));
    ConntrackCodec.writeTuple(out, Cta.TUPLE_ORIG, entry.original());
    ConntrackCodec.writeTuple(out, Cta.TUPLE_REPLY, entry.reply());
    out.end();
    ConntrackEntry again =
        ConntrackCodec.readEntry(new NlReader(out.toBytes(), Netlink.HEADER, out.size()));
    if (!again.original().equals(entry.original()) || !again.reply().equals(entry.reply())) {
      throw new AssertionError(entry + " became " + again);
    }
  }
}
