package dev.sund.bench.traffic;

import dev.sund.kernel.NetNs;
import dev.sund.model.Ip;
import java.io.IOException;

/**
 * Networks as a careful person sets them up by hand with {@code ip} and {@code nft}: what Sund's
 * figures stand beside. Nodes forward and track connections; pods are namespaces with a veth.
 *
 * <p>Names begin with {@code hand-}; the namespaces end with the benchmark's process.
 */
public final class HandMade {
  private HandMade() {}

  /**
   * Two pods on one node, each with a veth to it, routed.
   *
   * @param mtu of the veths
   */
  public static Ends sameNode(int mtu) throws IOException {
    node("hand-n0");
    pod("hand-n0", "hand-a", "10.201.1", mtu);
    pod("hand-n0", "hand-b", "10.201.2", mtu);
    return new Ends(NetNs.named("hand-a"), NetNs.named("hand-b"), Ip.parse("10.201.2.2"));
  }

  /**
   * A pod on each of two nodes that are joined by a link; between them a VXLAN device on each, with
   * static entries.
   *
   * @param underlayMtu of the link between the nodes; pods get 50 less
   */
  public static Ends acrossNodes(int underlayMtu) throws IOException {
    int mtu = underlayMtu - 50;
    node("hand-n1");
    node("hand-n2");
    Programs.run(
        "ip link add u0 netns hand-n1 mtu %d type veth peer name u0 netns hand-n2 mtu %d"
            .formatted(underlayMtu, underlayMtu));
    tunnelEnd("hand-n1", 1, 2, mtu);
    tunnelEnd("hand-n2", 2, 1, mtu);
    pod("hand-n1", "hand-c", "10.202.1", mtu);
    pod("hand-n2", "hand-d", "10.202.2", mtu);
    return new Ends(NetNs.named("hand-c"), NetNs.named("hand-d"), Ip.parse("10.202.2.2"));
  }

  private static void tunnelEnd(String node, int own, int other, int mtu) throws IOException {
    in(node, "ip address add 192.0.2.%d/24 dev u0".formatted(own));
    in(node, "ip link set u0 up");
    in(
        node,
        "ip link add vx0 mtu %d address 02:00:00:00:00:0%d type vxlan id 77 dstport 4789 local 192.0.2.%d nolearning"
            .formatted(mtu, own, own));
    in(node, "ip link set vx0 up");
    in(node, "ip address add 10.202.%d.0/32 dev vx0".formatted(own));
    in(node, "bridge fdb append 02:00:00:00:00:0%d dev vx0 dst 192.0.2.%d".formatted(other, other));
    in(
        node,
        "ip neighbour add 10.202.%d.0 lladdr 02:00:00:00:00:0%d dev vx0 nud permanent"
            .formatted(other, other));
    in(node, "ip route add 10.202.%d.0/24 via 10.202.%d.0 dev vx0 onlink".formatted(other, other));
  }

  private static void node(String name) throws IOException {
    Programs.run("ip netns add " + name);
    in(name, "ip link set lo up");
    in(name, "sysctl -q -w net.ipv4.ip_forward=1");
    // A rule that looks at the state of connections switches their tracking on.
    in(name, "nft add table inet hand");
    in(name, "nft add chain inet hand forward { type filter hook forward priority 0 ; }");
    in(name, "nft add rule inet hand forward ct state established,related accept");
  }

  private static void pod(String node, String pod, String subnet, int mtu) throws IOException {
    Programs.run("ip netns add " + pod);
    Programs.run(
        "ip link add v%s netns %s mtu %d type veth peer name eth0 netns %s mtu %d"
            .formatted(pod, node, mtu, pod, mtu));
    in(node, "ip address add %s.1/24 dev v%s".formatted(subnet, pod));
    in(node, "ip link set v%s up".formatted(pod));
    in(pod, "ip link set lo up");
    in(pod, "ip link set eth0 up");
    in(pod, "ip address add %s.2/24 dev eth0".formatted(subnet));
    in(pod, "ip route add default via %s.1".formatted(subnet));
  }

  private static void in(String namespace, String line) throws IOException {
    Programs.run("nsenter --net=/run/netns/" + namespace + " " + line);
  }
}
