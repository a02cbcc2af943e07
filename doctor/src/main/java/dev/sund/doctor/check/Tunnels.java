package dev.sund.doctor.check;

import java.util.regex.Pattern;

/** How devices of well-known networks are recognised where only their names are known. */
final class Tunnels {
  private static final Pattern NAMES =
      Pattern.compile(
          "flannel.*|vxlan.*|tunl\\d+|geneve.*|genev_.*|cilium_vxlan|cilium_geneve|wireguard.*|wg\\d+"
              + "|sund-vx.*|sund\\.vxlan.*|ip6tnl\\d+|sit\\d+|gre\\d+");

  private Tunnels() {}

  /** Whether this name is a tunnel's. */
  static boolean isTunnel(String device) {
    return NAMES.matcher(device).matches();
  }
}
