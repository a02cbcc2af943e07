package dev.sund.kernel.conntrack;

import dev.sund.kernel.KernelException.Malformed;
import dev.sund.kernel.netlink.NlReader;
import java.util.Optional;

/** Reads of a connection what other parts of netfilter tell beside a packet. */
public final class ConntrackTuples {
  private ConntrackTuples() {}

  /**
   * How a connection began: its original direction, before addresses were translated.
   *
   * @param attributes of a connection (CTA_...), read to their end
   * @return empty where they do not say it
   */
  public static Optional<Tuple> original(NlReader attributes) throws Malformed {
    Optional<Tuple> found = Optional.empty();
    while (attributes.next()) {
      if (attributes.type() == Cta.TUPLE_ORIG) {
        found = Optional.of(ConntrackCodec.readTuple(attributes.nested()));
      }
    }
    return found;
  }
}
