package dev.sund.kernel.route;

import dev.sund.kernel.KernelException.Malformed;
import dev.sund.kernel.netlink.NlReader;
import dev.sund.kernel.netlink.NlWriter;
import dev.sund.model.Checks;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import java.util.Optional;

/**
 * A VXLAN device's own settings. The kernel changes none of the first four of a device that stands:
 * it has to be made anew.
 *
 * @param vni 0 to 16777215
 * @param port the UDP port of the other ends, 1 to 65535
 * @param local the outer source address, empty when the kernel chooses
 * @param underlay the device that outer packets leave by, 0 when the kernel chooses
 * @param remote where packets go that no FDB entry knows; empty: nowhere
 * @param learning whether FDB entries are learnt from received packets
 * @param ttl the outer TTL, 0 to let the kernel choose
 * @param df the outer IPv4 DF bit: 0 unset, 1 set, 2 inherited
 */
public record Vxlan(
    int vni,
    int port,
    Optional<Ip> local,
    int underlay,
    Optional<Ip> remote,
    boolean learning,
    int ttl,
    int df)
    implements LinkKind {
  private static final int ID = 1;
  private static final int GROUP = 2;
  private static final int LINK = 3;
  private static final int LOCAL = 4;
  private static final int TTL = 5;
  private static final int LEARNING = 7;
  private static final int PORT = 15;
  private static final int GROUP6 = 16;
  private static final int LOCAL6 = 17;
  private static final int UDP_CSUM = 18;
  private static final int DF = 29;

  public Vxlan {
    Checks.range("vni", vni, 0, (1 << 24) - 1);
    Checks.range("port", port, 0, 65535);
    Checks.range("ttl", ttl, 0, 255);
    Checks.range("df", df, 0, 255);
  }

  /** A device with static entries only: no learning, no remote, the kernel's TTL, DF unset. */
  public static Vxlan fixed(int vni, int port, Ip local, int underlay) {
    return new Vxlan(vni, port, Optional.of(local), underlay, Optional.empty(), false, 0, 0);
  }

  @Override
  public String name() {
    return "vxlan";
  }

  @Override
  public void writeData(NlWriter out) {
    out.u32(ID, vni).be16(PORT, port).u8(LEARNING, learning ? 1 : 0);
    local.ifPresent(ip -> out.ip(ip.family() == Family.V4 ? LOCAL : LOCAL6, ip));
    remote.ifPresent(ip -> out.ip(ip.family() == Family.V4 ? GROUP : GROUP6, ip));
    if (local.filter(ip -> ip.family() == Family.V4).isPresent()) {
      out.u8(UDP_CSUM, 0); // RFC 7348, section 5: what is inside has checksums of its own
    }
    if (underlay != 0) {
      out.u32(LINK, underlay);
    }
    if (ttl != 0) {
      out.u8(TTL, ttl);
    }
    if (df != 0) {
      out.u8(DF, df);
    }
  }

  static Vxlan read(NlReader data) throws Malformed {
    int vni = 0;
    int port = 0;
    Optional<Ip> local = Optional.empty();
    int underlay = 0;
    Optional<Ip> remote = Optional.empty();
    boolean learning = false;
    int ttl = 0;
    int df = 0;
    while (data.next()) {
      switch (data.type()) {
        case ID -> vni = data.u32() & 0xffffff;
        case PORT -> port = data.be16();
        case LOCAL, LOCAL6 -> local = Optional.of(data.ip()).filter(ip -> !ip.isUnspecified());
        case GROUP, GROUP6 -> remote = Optional.of(data.ip()).filter(ip -> !ip.isUnspecified());
        case LINK -> underlay = data.u32();
        case LEARNING -> learning = data.u8() != 0;
        case TTL -> ttl = data.u8();
        case DF -> df = data.u8();
        default -> {} // settings that Sund neither makes nor judges
      }
    }
    return new Vxlan(vni, port, local, underlay, remote, learning, ttl, df);
  }

  @Override
  public String toString() {
    return "vxlan id "
        + vni
        + " port "
        + port
        + local.map(ip -> " local " + ip).orElse("")
        + (underlay == 0 ? "" : " dev #" + underlay)
        + remote.map(ip -> " remote " + ip).orElse("")
        + (learning ? " learning" : " nolearning")
        + (ttl == 0 ? "" : " ttl " + ttl)
        + (df == 0 ? "" : " df " + df);
  }
}
