package dev.sund.engine.program;

import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.Mac;
import dev.sund.model.PodKey;
import dev.sund.model.RuleId;
import java.util.List;

/**
 * A pod of this node: the device that its packets come from and go to. Key: {@code device}.
 *
 * <p>In the kernel: a veth with this name, in {@link dev.sund.model.Marks#GROUP_PODS}, with {@link
 * dev.sund.model.Marks#GATEWAY_MAC} on the node's side, whose ifalias carries {@code rule}; one
 * permanent neighbour an address, which holds {@code mac}; and inside the pod the default routes
 * with their MTU. Its host routes stand in {@code Routes}.
 *
 * @param device the host-side device, derived from the pod's uid and the interface's name, so that
 *     whoever reads the API can say which device is whose
 * @param pod the pod
 * @param uid the pod's uid
 * @param addresses sorted, at most one a family
 * @param mac the address of the pod's side, derived as the device is
 * @param mtuV4 MTU of the pod's IPv4 default route in bytes, 0 without an IPv4 address
 * @param mtuV6 MTU of the pod's IPv6 default route in bytes, 0 without an IPv6 address
 * @param rule {@code Pod:NAMESPACE/NAME:UID:none:0}
 */
public record LocalPod(
    String device,
    PodKey pod,
    String uid,
    List<Ip> addresses,
    Mac mac,
    int mtuV4,
    int mtuV6,
    RuleId rule) {
  public LocalPod {
    addresses = List.copyOf(addresses);
  }

  /** The MTU of both ends of the link: the larger of the two families'. */
  public int deviceMtu() {
    return Math.max(mtuV4, mtuV6);
  }

  /** The MTU of the pod's default route of this family, 0 without an address of it. */
  public int mtu(Family family) {
    return family == Family.V4 ? mtuV4 : mtuV6;
  }
}
