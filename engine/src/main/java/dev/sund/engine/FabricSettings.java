package dev.sund.engine;

import dev.sund.model.Checks;
import java.util.OptionalInt;

/**
 * What an operator sets for the fabric as a whole; the same on every node.
 *
 * @param vni the VXLAN network identifier, 1 to 16777215
 * @param vxlanPort the UDP port of VXLAN packets, 1 to 65535
 * @param mtu the MTU of pods in bytes; when empty, computed from the underlay
 */
public record FabricSettings(int vni, int vxlanPort, OptionalInt mtu) {
  /** VNI 4096, port 4789 (RFC 7348), MTU computed. */
  public static final FabricSettings DEFAULT = new FabricSettings(4096, 4789, OptionalInt.empty());

  public FabricSettings {
    Checks.range("vni", vni, 1, (1 << 24) - 1);
    Checks.range("vxlanPort", vxlanPort, 1, 65535);
    mtu.ifPresent(value -> Checks.range("mtu", value, 576, 65535));
  }
}
