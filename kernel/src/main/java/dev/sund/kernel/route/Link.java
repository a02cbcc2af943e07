package dev.sund.kernel.route;

import dev.sund.kernel.KernelException.Malformed;
import dev.sund.kernel.netlink.NlReader;
import dev.sund.kernel.netlink.NlWriter;
import dev.sund.model.Mac;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * A network device as the kernel lists it (RTM_NEWLINK).
 *
 * @param index its number in its namespace, from 1
 * @param name at most 15 bytes
 * @param flags {@code ifi_flags}: IFF_UP and so on
 * @param mtu in bytes
 * @param mac its address, empty for devices without one of 6 bytes
 * @param operState RFC 2863 state: 6 up, 2 down, 0 unknown (lo, vxlan)
 * @param group the link group, 0 by default
 * @param alias the ifalias, empty when it has none
 * @param master the bridge that it is a port of, 0 for none
 * @param lower the device that it stands on or is paired with (IFLA_LINK), 0 for none; a number of
 *     {@code peerNamespace} when that is there
 * @param peerNamespace the id (RTM_GETNSID) of the namespace that {@code lower} is in, when it is
 *     another
 * @param kind {@code veth}, {@code vxlan} ..., empty for hardware and lo
 * @param vxlan the settings of a VXLAN device
 * @param ipip the settings of an IPIP device
 */
public record Link(
    int index,
    String name,
    int flags,
    int mtu,
    Optional<Mac> mac,
    int operState,
    int group,
    String alias,
    int master,
    int lower,
    OptionalInt peerNamespace,
    String kind,
    Optional<Vxlan> vxlan,
    Optional<Ipip> ipip) {
  static final int IFLA_ADDRESS = 1;
  static final int IFLA_IFNAME = 3;
  static final int IFLA_MTU = 4;
  static final int IFLA_LINK = 5;
  static final int IFLA_MASTER = 10;
  static final int IFLA_PROTINFO = 12;
  static final int IFLA_OPERSTATE = 16;
  static final int IFLA_LINKINFO = 18;
  static final int IFLA_IFALIAS = 20;
  static final int IFLA_AF_SPEC = 26;
  static final int IFLA_GROUP = 27;
  static final int IFLA_NET_NS_FD = 28;
  static final int IFLA_EXT_MASK = 29;
  static final int IFLA_NUM_TX_QUEUES = 31;
  static final int IFLA_NUM_RX_QUEUES = 32;
  static final int IFLA_LINK_NETNSID = 37;
  static final int IFLA_GSO_MAX_SEGS = 40;
  static final int IFLA_INFO_KIND = 1;
  static final int IFLA_INFO_DATA = 2;
  static final int IFLA_INFO_SLAVE_KIND = 4;
  static final int IFLA_INFO_SLAVE_DATA = 5;
  static final int IFLA_INET6_ADDR_GEN_MODE = 8;
  static final int IFF_UP = 1;
  static final int IFF_PROMISC = 0x100;
  private static final int IFF_LOOPBACK = 8;
  private static final int IFF_LOWER_UP = 0x10000;

  /** Whether it is switched on. */
  public boolean isUp() {
    return (flags & IFF_UP) != 0;
  }

  /** Whether the layer below works: a cable, or for a veth the other end being up. */
  public boolean hasCarrier() {
    return (flags & IFF_LOWER_UP) != 0;
  }

  /** Whether it was told to take frames that are for others too. */
  public boolean isPromiscuous() {
    return (flags & IFF_PROMISC) != 0;
  }

  /** Whether it is the loopback device. */
  public boolean isLoopback() {
    return (flags & IFF_LOOPBACK) != 0;
  }

  /**
   * Checks a device's name: 1 to 15 bytes, no slash, colon or white space, not {@code .} or {@code
   * ..}.
   *
   * @throws IllegalArgumentException naming it
   */
  public static String checkName(String name) {
    boolean fine =
        !name.isEmpty()
            && name.getBytes(StandardCharsets.UTF_8).length <= 15
            && !name.equals(".")
            && !name.equals("..")
            && name.chars().noneMatch(c -> c == '/' || c == ':' || c == 0 || isSpace(c));
    if (!fine) {
      throw new IllegalArgumentException(
          "'" + name + "' is no device name: 1 to 15 bytes without '/', ':' and spaces");
    }
    return name;
  }

  private static boolean isSpace(int c) {
    return c == ' ' || (c >= '\t' && c <= '\r') || c == 0xa0;
  }

  /** Writes {@code struct ifinfomsg}. */
  static void putHeader(NlWriter out, int index, int flags, int change) {
    out.putU8(Rtnl.AF_UNSPEC).putU8(0).putU16(0).putU32(index).putU32(flags).putU32(change);
  }

  /**
   * Reads the body of RTM_NEWLINK or RTM_DELLINK; empty for a message of another family about the
   * same device (a bridge's port, IPv6 settings), which says only part.
   */
  static Optional<Link> read(NlReader in) throws Malformed {
    int family = in.takeU8();
    in.skip(3);
    int index = in.takeU32();
    int flags = in.takeU32();
    in.skip(4);
    if (family != Rtnl.AF_UNSPEC) {
      return Optional.empty();
    }
    String name = "";
    int mtu = 0;
    Optional<Mac> mac = Optional.empty();
    int operState = 0;
    int group = 0;
    String alias = "";
    int master = 0;
    int lower = 0;
    OptionalInt peerNamespace = OptionalInt.empty();
    String kind = "";
    Optional<Vxlan> vxlan = Optional.empty();
    Optional<Ipip> ipip = Optional.empty();
    while (in.next()) {
      switch (in.type()) {
        case IFLA_ADDRESS -> {
          if (in.length() == 6) {
            mac = Optional.of(in.mac());
          }
        }
        case IFLA_IFNAME -> name = in.string();
        case IFLA_MTU -> mtu = in.u32();
        case IFLA_LINK -> lower = in.u32();
        case IFLA_MASTER -> master = in.u32();
        case IFLA_OPERSTATE -> operState = in.u8();
        case IFLA_IFALIAS -> alias = in.string();
        case IFLA_GROUP -> group = in.u32();
        case IFLA_LINK_NETNSID -> peerNamespace = OptionalInt.of(in.u32());
        case IFLA_LINKINFO -> {
          NlReader info = in.nested();
          while (info.next()) {
            if (info.type() == IFLA_INFO_KIND) { // the kernel writes it before the data
              kind = info.string();
            } else if (info.type() == IFLA_INFO_DATA && kind.equals("vxlan")) {
              vxlan = Optional.of(Vxlan.read(info.nested()));
            } else if (info.type() == IFLA_INFO_DATA && kind.equals("ipip")) {
              ipip = Optional.of(Ipip.read(info.nested()));
            }
          }
        }
        default -> {} // statistics and settings that Sund does not use
      }
    }
    if (name.isEmpty()) {
      throw new Malformed("link " + index, "it has no name");
    }
    return Optional.of(
        new Link(
            index,
            name,
            flags,
            mtu,
            mac,
            operState,
            group,
            alias,
            master,
            lower,
            peerNamespace,
            kind,
            vxlan,
            ipip));
  }
}
