package dev.sund.kernel.route;

import dev.sund.kernel.KernelException.Malformed;
import dev.sund.kernel.netlink.NlReader;
import dev.sund.kernel.netlink.NlWriter;
import dev.sund.model.Ip;
import dev.sund.model.Mac;
import java.util.Optional;

/**
 * Where a VXLAN device or a bridge sends frames for a MAC address (RTM_NEWNEIGH of AF_BRIDGE). Key:
 * device and MAC; an all-zero MAC may have several entries.
 *
 * @param device the ifindex
 * @param mac the frames' destination; all zero: for all others
 * @param destination the outer destination of a VXLAN device, empty for a bridge
 * @param state NUD_...
 * @param flags NTF_...: 2 the device's own table, 4 its bridge's
 * @param other a port, vni, vlan or outgoing device of its own, as words; empty for every entry of
 *     ours
 */
public record FdbEntry(
    int device, Mac mac, Optional<Ip> destination, int state, int flags, String other)
    implements RouteRequest.Entry {
  private static final int NDA_DST = 1;
  private static final int NDA_LLADDR = 2;
  private static final int NDA_VLAN = 5;
  private static final int NDA_PORT = 6;
  private static final int NDA_VNI = 7;
  private static final int NDA_IFINDEX = 8;
  private static final int NDA_SRC_VNI = 11;
  private static final int NDA_NH_ID = 13;
  private static final int NTF_SELF = 2;

  /** A permanent entry of a VXLAN device's own table. */
  public static FdbEntry permanent(int device, Mac mac, Ip destination) {
    return new FdbEntry(device, mac, Optional.of(destination), Neighbour.PERMANENT, NTF_SELF, "");
  }

  /** Whether it never changes by itself. */
  public boolean isPermanent() {
    return (state & Neighbour.PERMANENT) != 0;
  }

  /** Whether it is of the device's own table. */
  public boolean isSelf() {
    return (flags & NTF_SELF) != 0;
  }

  @Override
  public void write(NlWriter out) {
    out.putU8(Rtnl.AF_BRIDGE)
        .putZeros(3)
        .putU32(device)
        .putU16(state)
        .putU8(flags)
        .putU8(0)
        .mac(NDA_LLADDR, mac);
    if (destination.isPresent()) {
      out.ip(NDA_DST, destination.get());
    }
  }

  /**
   * Reads the body after its family, which is AF_BRIDGE; empty for an address of another length.
   */
  static Optional<FdbEntry> read(NlReader in) throws Malformed {
    in.skip(3);
    int device = in.takeU32();
    int state = in.takeU16();
    int flags = in.takeU8();
    in.skip(1);
    Optional<Mac> mac = Optional.empty();
    Optional<Ip> destination = Optional.empty();
    String other = "";
    while (in.next()) {
      switch (in.type()) {
        case NDA_LLADDR -> mac = in.length() == 6 ? Optional.of(in.mac()) : Optional.empty();
        case NDA_DST -> destination = Optional.of(in.ip());
        case NDA_VLAN -> other += " vlan " + in.u16();
        case NDA_PORT -> other += " port " + in.be16();
        case NDA_VNI -> other += " vni " + in.u32();
        case NDA_IFINDEX -> other += " via #" + in.u32();
        case NDA_SRC_VNI -> other += " src_vni " + in.u32();
        case NDA_NH_ID -> other += " nhid " + in.u32();
        default -> {} // counters, the bridge
      }
    }
    if (mac.isEmpty()) {
      return Optional.empty();
    }
    return Optional.of(new FdbEntry(device, mac.get(), destination, state, flags, other.strip()));
  }

  @Override
  public String toString() {
    return mac
        + destination.map(ip -> " dst " + ip).orElse("")
        + " dev #"
        + device
        + (isSelf() ? " self" : "")
        + (isPermanent() ? " permanent" : " state 0x" + Integer.toHexString(state))
        + (other.isEmpty() ? "" : " " + other);
  }
}
