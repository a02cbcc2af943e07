package dev.sund.engine;

import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.Marks;
import dev.sund.model.Prefix;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What flannel tells of a node in {@code /run/flannel/subnet.env}, for those who read it there: the
 * CNI plugin {@code flannel}, scripts, Docker's start options.
 *
 * @param networks for each family the range of all pods: the pool that contains the node's range,
 *     or that range itself where no pool is given
 * @param subnets for each family the node's own range; the same families as {@code networks}
 * @param mtu what pods' packets may have in every family
 * @see <a
 *     href="https://github.com/flannel-io/flannel/blob/master/Documentation/running.md">flannel's
 *     own words</a>
 */
public record FlannelSubnet(
    SortedMap<Family, Prefix> networks, SortedMap<Family, Prefix> subnets, int mtu) {
  public FlannelSubnet {
    networks = new TreeMap<>(networks);
    subnets = new TreeMap<>(subnets);
  }

  /**
   * The file's text. {@code FLANNEL_IPMASQ=true} tells readers not to translate addresses
   * themselves, since the pool's natOutgoing decides that. As flannel has it, a subnet is written
   * with its first address, which would be the bridge's.
   */
  public String text() {
    StringBuilder text = new StringBuilder("# ").append(Marks.TABLE_COMMENT).append('\n');
    for (Map.Entry<Family, Prefix> entry : networks.entrySet()) {
      String prefix =
          switch (entry.getKey()) {
            case V4 -> "FLANNEL_";
            case V6 -> "FLANNEL_IPV6_";
          };
      text.append(prefix).append("NETWORK=").append(entry.getValue()).append('\n');
      Prefix subnet = subnets.getOrDefault(entry.getKey(), entry.getValue());
      text.append(prefix).append("SUBNET=").append(first(subnet)).append('/');
      text.append(subnet.length()).append('\n');
    }
    return text.append("FLANNEL_MTU=").append(mtu).append("\nFLANNEL_IPMASQ=true\n").toString();
  }

  private static Ip first(Prefix subnet) {
    return subnet.isHost() ? subnet.address() : subnet.address().plus(1);
  }
}
