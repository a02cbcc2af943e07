package dev.sund.kernel.route;

import dev.sund.kernel.KernelException.Malformed;
import dev.sund.kernel.netlink.NlReader;
import dev.sund.kernel.netlink.NlWriter;
import dev.sund.model.Ip;
import dev.sund.model.Mac;
import java.util.Optional;

/**
 * Which MAC address an IP address has on a device (RTM_NEWNEIGH). Key: device and address.
 *
 * @param device the ifindex
 * @param ip the address
 * @param mac its MAC address, empty while it is not known
 * @param state NUD_...: {@link #PERMANENT} never changes by itself
 * @param flags NTF_...
 */
public record Neighbour(int device, Ip ip, Optional<Mac> mac, int state, int flags)
    implements RouteRequest.Entry {
  /** Written, never resolved, never forgotten. */
  public static final int PERMANENT = 0x80;

  private static final int NDA_DST = 1;
  private static final int NDA_LLADDR = 2;

  /** A permanent entry. */
  public static Neighbour permanent(int device, Ip ip, Mac mac) {
    return new Neighbour(device, ip, Optional.of(mac), PERMANENT, 0);
  }

  /** Whether it never changes by itself. */
  public boolean isPermanent() {
    return (state & PERMANENT) != 0;
  }

  @Override
  public void write(NlWriter out) {
    out.putU8(Rtnl.number(ip.family()))
        .putZeros(3)
        .putU32(device)
        .putU16(state)
        .putU8(flags)
        .putU8(0)
        .ip(NDA_DST, ip);
    if (mac.isPresent()) {
      out.mac(NDA_LLADDR, mac.get());
    }
  }

  /**
   * Reads the body after its family; empty when the entry is of a family other than IPv4 and IPv6.
   */
  static Optional<Neighbour> read(int family, NlReader in) throws Malformed {
    in.skip(3);
    int device = in.takeU32();
    int state = in.takeU16();
    int flags = in.takeU8();
    in.skip(1);
    Ip ip = null;
    Optional<Mac> mac = Optional.empty();
    while (in.next()) {
      switch (in.type()) {
        case NDA_DST -> ip = in.ip();
        case NDA_LLADDR -> mac = in.length() == 6 ? Optional.of(in.mac()) : Optional.empty();
        default -> {} // counters
      }
    }
    if (Rtnl.family(family).isEmpty()) {
      return Optional.empty();
    }
    if (ip == null || Rtnl.number(ip.family()) != family) {
      throw new Malformed("neighbour of device " + device, "it has no address of its family");
    }
    return Optional.of(new Neighbour(device, ip, mac, state, flags));
  }

  @Override
  public String toString() {
    return ip
        + mac.map(address -> " lladdr " + address).orElse("")
        + " dev #"
        + device
        + (isPermanent() ? " permanent" : " state 0x" + Integer.toHexString(state));
  }
}
