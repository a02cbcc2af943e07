package dev.sund.doctor.check;

import java.util.Set;
import java.util.regex.Pattern;

/** How devices of well-known networks are recognised. */
final class Tunnels {
  private static final Pattern NAMES =
      Pattern.compile(
          "flannel.*|vxlan.*|tunl\\d+|geneve.*|genev_.*|cilium_vxlan|cilium_geneve|wireguard.*|wg\\d+"
              + "|sund-vx.*|sund\\.vxlan.*|ip6tnl\\d+|sit\\d+|gre\\d+");

  private static final Set<String> KINDS =
      Set.of("vxlan", "geneve", "ipip", "ip6tnl", "sit", "gre", "gretap", "wireguard");

  private Tunnels() {}

  /** Whether this name is a tunnel's, where only names are known. */
  static boolean isTunnel(String device) {
    return NAMES.matcher(device).matches();
  }

  /** Whether the kernel calls a tunnel so. */
  static boolean isKind(String kind) {
    return KINDS.contains(kind);
  }
}
