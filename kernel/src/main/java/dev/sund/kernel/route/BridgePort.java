package dev.sund.kernel.route;

import dev.sund.kernel.KernelException.Malformed;
import dev.sund.kernel.netlink.NlReader;
import java.util.Optional;

/**
 * A device as port of a bridge (IFLA_INFO_SLAVE_DATA of kind {@code bridge}).
 *
 * @param bridge the bridge's ifindex
 * @param hairpin whether frames go back by the port that they came from
 * @param forwarding whether the port's state is forwarding (BR_STATE_FORWARDING)
 */
public record BridgePort(int bridge, boolean hairpin, boolean forwarding) {
  static final int IFLA_BRPORT_STATE = 1;
  static final int IFLA_BRPORT_MODE = 4;
  private static final int BR_STATE_FORWARDING = 3;

  /** Reads the body of RTM_NEWLINK; empty for a device that is no bridge's port. */
  static Optional<BridgePort> read(NlReader in) throws Malformed {
    in.skip(16);
    int master = 0;
    String kind = "";
    boolean hairpin = false;
    boolean forwarding = false;
    while (in.next()) {
      switch (in.type()) {
        case Link.IFLA_MASTER -> master = in.u32();
        case Link.IFLA_LINKINFO -> {
          NlReader info = in.nested();
          while (info.next()) {
            if (info.type() == Link.IFLA_INFO_SLAVE_KIND) { // the kernel writes it before the data
              kind = info.string();
            } else if (info.type() == Link.IFLA_INFO_SLAVE_DATA && kind.equals("bridge")) {
              NlReader port = info.nested();
              while (port.next()) {
                switch (port.type()) {
                  case IFLA_BRPORT_STATE -> forwarding = port.u8() == BR_STATE_FORWARDING;
                  case IFLA_BRPORT_MODE -> hairpin = port.u8() != 0;
                  default -> {} // costs, timers and settings that Sund does not use
                }
              }
            }
          }
        }
        default -> {} // see Link
      }
    }
    return kind.equals("bridge")
        ? Optional.of(new BridgePort(master, hairpin, forwarding))
        : Optional.empty();
  }
}
