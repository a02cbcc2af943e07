package dev.sund.kernel.route;

import dev.sund.kernel.KernelException.Malformed;
import dev.sund.kernel.netlink.NlReader;
import dev.sund.kernel.netlink.NlWriter;
import dev.sund.model.Checks;
import dev.sund.model.Ip;
import java.util.Optional;

/**
 * The settings of a device that wraps IPv4 in IPv4 (kind {@code ipip}). Without a remote end it
 * wraps each packet for the next hop of its route. The kernel makes {@code tunl0} of this kind, in
 * every namespace, when its module is loaded.
 *
 * @param local the outer source address, empty when the kernel chooses
 * @param underlay the device that outer packets leave by, 0 when the kernel chooses
 * @param remote the one other end; empty: the route's next hop
 * @param ttl the outer TTL, 0 to take over the inner one
 * @param pathMtuDiscovery whether outer packets always have DF; otherwise they have the inner's.
 *     The kernel says yes wherever {@code ttl} is not 0
 */
public record Ipip(
    Optional<Ip> local, int underlay, Optional<Ip> remote, int ttl, boolean pathMtuDiscovery)
    implements LinkKind {
  private static final int LINK = 1;
  private static final int LOCAL = 2;
  private static final int REMOTE = 3;
  private static final int TTL = 4;
  private static final int PMTUDISC = 10;

  public Ipip {
    Checks.range("ttl", ttl, 0, 255);
  }

  /** A device without a remote end, whose outer packets have the inner ones' TTL and DF. */
  public static Ipip open(Ip local, int underlay) {
    return new Ipip(Optional.of(local), underlay, Optional.empty(), 0, false);
  }

  @Override
  public String name() {
    return "ipip";
  }

  @Override
  public void writeData(NlWriter out) {
    if (underlay != 0) {
      out.u32(LINK, underlay);
    }
    local.ifPresent(ip -> out.ip(LOCAL, ip));
    remote.ifPresent(ip -> out.ip(REMOTE, ip));
    out.u8(TTL, ttl).u8(PMTUDISC, pathMtuDiscovery ? 1 : 0);
  }

  static Ipip read(NlReader data) throws Malformed {
    int underlay = 0;
    Optional<Ip> local = Optional.empty();
    Optional<Ip> remote = Optional.empty();
    int ttl = 0;
    boolean pathMtuDiscovery = false;
    while (data.next()) {
      switch (data.type()) {
        case LINK -> underlay = data.u32();
        case LOCAL -> local = Optional.of(data.ip()).filter(ip -> !ip.isUnspecified());
        case REMOTE -> remote = Optional.of(data.ip()).filter(ip -> !ip.isUnspecified());
        case TTL -> ttl = data.u8();
        case PMTUDISC -> pathMtuDiscovery = data.u8() != 0;
        default -> {} // settings that Sund neither makes nor judges
      }
    }
    return new Ipip(local, underlay, remote, ttl, pathMtuDiscovery);
  }

  @Override
  public String toString() {
    return "ipip"
        + local.map(ip -> " local " + ip).orElse("")
        + (underlay == 0 ? "" : " dev #" + underlay)
        + remote.map(ip -> " remote " + ip).orElse("")
        + (ttl == 0 ? "" : " ttl " + ttl)
        + (pathMtuDiscovery ? " pmtudisc" : " nopmtudisc");
  }
}
