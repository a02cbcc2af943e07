package dev.sund.kernel.route;

import dev.sund.model.Ip;
import java.util.Optional;

/**
 * One way of a route that has several (RTA_MULTIPATH).
 *
 * @param device the ifindex
 * @param gateway the next hop, empty on a link without one
 * @param weight its share, 1 to 256
 * @param flags RTNH_F_...
 */
public record NextHop(int device, Optional<Ip> gateway, int weight, int flags) {
  @Override
  public String toString() {
    return "nexthop"
        + gateway.map(ip -> " via " + ip).orElse("")
        + " dev #"
        + device
        + " weight "
        + weight;
  }
}
