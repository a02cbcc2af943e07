package dev.sund.doctor.check;

import dev.sund.doctor.probe.Crossing;
import java.util.List;

/**
 * Which fabric a way carries, and how Sund is told to use it.
 *
 * @param name in short
 * @param why why this one
 * @param mtu of pods
 * @param settings lines of the Fabric file and of an IPPool
 */
public record Fabric(String name, String why, long mtu, String settings) {
  /** No IPv4 network may carry less (RFC 791). */
  private static final long LEAST = 576;

  private static final List<Crossing> PORTS =
      List.of(Crossing.VXLAN, Crossing.FLANNEL, Crossing.GENEVE, Crossing.WIREGUARD);

  /** The cheapest that passes both ways. */
  public static Fabric of(Peer peer) {
    long path = peer.carries();
    int vxlan = peer.isV6() ? 70 : 50;
    if (peer.passes(Crossing.POD_SOURCE)) {
      String mode = "IPPool ipipMode: Never, vxlanMode: ";
      if (peer.onLink()) {
        return new Fabric(
            "routed inside a subnet, VXLAN between subnets",
            "packets from pods' addresses pass, and no router is between",
            path - vxlan,
            mode + "CrossSubnet");
      }
      if (peer.passes(Crossing.BGP)) {
        return new Fabric(
            "routed, with routes by BGP",
            "packets from pods' addresses pass, and so does TCP 179",
            path,
            mode + "Never");
      }
    }
    for (Crossing kind : PORTS) {
      if (peer.passes(kind)) {
        long port = port(kind);
        return new Fabric(
            "VXLAN " + port,
            "UDP " + port + " passes both ways",
            path - vxlan,
            "IPPool vxlanMode: Always, ipipMode: Never"
                + (port == 4789 ? "" : "; Fabric vxlanPort: " + port));
      }
      if (kind == Crossing.VXLAN && peer.passes(Crossing.IPIP)) {
        return new Fabric(
            "IPIP",
            "IP protocol 4 passes both ways, UDP 4789 does not",
            path - 20,
            "IPPool ipipMode: Always, vxlanMode: Never");
      }
    }
    return new Fabric(
        "VXLAN " + peer.port(),
        "of the usual ones nothing passes both ways, but the probe itself did, by UDP "
            + peer.port(),
        path - vxlan,
        "IPPool vxlanMode: Always, ipipMode: Never; Fabric vxlanPort: " + peer.port());
  }

  /** One sentence without a full stop. */
  public String sentence() {
    if (mtu < LEAST) {
      return "no fabric yet: mend the way first, it carries too little (probe-path-mtu)";
    }
    return "use this fabric: %s, pods' MTU %d (%s), since %s".formatted(name, mtu, settings, why);
  }

  private static long port(Crossing kind) {
    return Long.parseLong(kind.key().substring("udp-".length()));
  }
}
