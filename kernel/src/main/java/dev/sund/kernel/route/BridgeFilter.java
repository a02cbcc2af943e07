package dev.sund.kernel.route;

import dev.sund.kernel.KernelException.Malformed;
import dev.sund.kernel.netlink.NlReader;
import dev.sund.kernel.netlink.NlWriter;
import java.util.Optional;

/**
 * Whether a bridge shows what goes from one of its ports to another to the rules of IPv4 and IPv6
 * (IFLA_BR_NF_CALL_IPTABLES, IFLA_BR_NF_CALL_IP6TABLES): this bridge alone, whatever the
 * namespace's settings {@code net.bridge.bridge-nf-call-*} say, which do the same for all bridges.
 * Either has an effect only while the module {@code br_netfilter} is there.
 *
 * @param v4 whether the rules of IPv4 see it
 * @param v6 whether the rules of IPv6 see it
 */
public record BridgeFilter(boolean v4, boolean v6) {
  /** Both. */
  public static final BridgeFilter ON = new BridgeFilter(true, true);

  static final int IFLA_BR_NF_CALL_IPTABLES = 36;
  static final int IFLA_BR_NF_CALL_IP6TABLES = 37;

  /** Writes the attributes of IFLA_INFO_DATA. */
  void write(NlWriter out) {
    out.u8(IFLA_BR_NF_CALL_IPTABLES, v4 ? 1 : 0).u8(IFLA_BR_NF_CALL_IP6TABLES, v6 ? 1 : 0);
  }

  /** Reads the body of RTM_NEWLINK; empty for a device that is no bridge. */
  static Optional<BridgeFilter> read(NlReader in) throws Malformed {
    in.skip(16);
    String kind = "";
    boolean v4 = false;
    boolean v6 = false;
    while (in.next()) {
      if (in.type() != Link.IFLA_LINKINFO) {
        continue;
      }
      NlReader info = in.nested();
      while (info.next()) {
        if (info.type() == Link.IFLA_INFO_KIND) { // the kernel writes it before the data
          kind = info.string();
        } else if (info.type() == Link.IFLA_INFO_DATA && kind.equals("bridge")) {
          NlReader data = info.nested();
          while (data.next()) {
            switch (data.type()) {
              case IFLA_BR_NF_CALL_IPTABLES -> v4 = data.u8() != 0;
              case IFLA_BR_NF_CALL_IP6TABLES -> v6 = data.u8() != 0;
              default -> {} // timers and settings that Sund does not use
            }
          }
        }
      }
    }
    return kind.equals("bridge") ? Optional.of(new BridgeFilter(v4, v6)) : Optional.empty();
  }
}
