package dev.sund.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.engine.cluster.ClusterEvent;
import dev.sund.engine.cluster.IpPool.VxlanMode;
import dev.sund.engine.cluster.Node;
import dev.sund.engine.cluster.NodeFacts;
import dev.sund.model.Condition;
import dev.sund.model.Ip;
import dev.sund.model.NodeName;
import dev.sund.model.Prefix;
import dev.sund.model.RuleId;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Each condition word for word, and that the rest stays in force. */
class ConditionsTest {
  private final Scene scene = Scene.ofThreeNodes();

  @Test
  void aSoundClusterHasNone() {
    scene.pod("shop/web", "n1", "10.244.1.5", "fd00:1::5");
    assertThat(conditions()).isEmpty();
  }

  @Test
  void twoPodsWithOneAddress() {
    scene.pod("shop/a", "n1", "10.244.1.5").pod("shop/b", "n1", "10.244.1.5");
    assertThat(conditions())
        .containsExactly(
            "Pod shop/b status.podIPs: 10.244.1.5 is also the address of pod shop/a, which keeps"
                + " it. Delete one of the two; a new pod gets an address of its own."
                + " [duplicate-pod-ip]");
    assertThat(scene.program("n1").localPods().values())
        .extracting(pod -> pod.pod().name())
        .containsExactly("a");
  }

  @Test
  void aPodWithANodesAddress() {
    scene.pod("shop/a", "n1", "192.168.2.13");
    assertThat(conditions())
        .containsExactly(
            "Pod shop/a status.podIPs: 192.168.2.13 is also the address of node n3, which keeps"
                + " it. Delete one of the two; a new pod gets an address of its own."
                + " [duplicate-pod-ip]");
    assertThat(scene.program("n1").routes()).doesNotContainKey(Prefix.parse("192.168.2.13/32"));
  }

  @Test
  void twoNodesWithOverlappingRanges() {
    scene.node(node("n3", addresses("n3"), "10.244.2.0/23", "fd00:3::/64"));
    assertThat(conditions())
        .containsExactly(
            "Node n3 spec.podCIDRs: 10.244.2.0/23 overlaps 10.244.2.0/24 of node n2, which is older"
                + " and keeps it. Give each node a range of its own: delete the node object and let"
                + " it register anew. [overlapping-pod-cidr]");
    assertThat(scene.program("n1").routes())
        .containsKey(Prefix.parse("10.244.2.0/24"))
        .containsKey(Prefix.parse("fd00:3::/64"))
        .doesNotContainKey(Prefix.parse("10.244.2.0/23"));
  }

  @Test
  void aRangeWithANodesAddressInIt() {
    scene.node(node("n3", addresses("n3"), "192.168.1.8/29", "fd00:3::/64"));
    assertThat(conditions())
        .containsExactly(
            "Node n3 spec.podCIDRs: 192.168.1.8/29 contains 192.168.1.11, the address of a node, and"
                + " would take packets to it: it is not routed. Give pods ranges apart from the"
                + " nodes' subnets (--cluster-cidr). [overlapping-pod-cidr]");
    assertThat(scene.program("n1").routes())
        .doesNotContainKey(Prefix.parse("192.168.1.8/29"))
        .containsKey(Prefix.parse("fd00:3::/64"));
  }

  @Test
  void twoPoolsWithOverlappingRanges() {
    scene.pool("old", "10.244.0.0/16", VxlanMode.CROSS_SUBNET, true);
    scene.pool("young", "10.0.0.0/8", VxlanMode.NEVER, false);
    assertThat(conditions())
        .containsExactly(
            "IPPool young spec.cidr: 10.0.0.0/8 overlaps 10.244.0.0/16 of pool old, which is older"
                + " and keeps it. Give each pool a range of its own, or delete one of the two."
                + " [overlapping-pool]");
  }

  @Test
  void twoNodesWithOneAddress() {
    scene.node(node("n3", List.of(Ip.parse("192.168.1.12")), "10.244.3.0/24"));
    assertThat(conditions())
        .containsExactly(
            "Node n3 status.addresses: 192.168.1.12 is also the address of node n2, which keeps it."
                + " Give each node an address of its own, or delete the node that is no more."
                + " [duplicate-node-address]");
    assertThat(scene.program("n1").routes())
        .containsKey(Prefix.parse("10.244.2.0/24"))
        .doesNotContainKey(Prefix.parse("10.244.3.0/24"));
  }

  @Test
  void aNodeWithoutAddressOrRange() {
    scene.node(node("n3", List.of(), "10.244.3.0/24")).node(node("n2", addresses("n2")));
    assertThat(conditions())
        .containsExactly(
            "Node n3 status.addresses: There is no InternalIP; no packets go to this node's pods."
                + " See that its kubelet runs and reports an InternalIP (kubelet --node-ip)."
                + " [node-without-address]",
            "Node n2 spec.podCIDRs: There is no pod range; pods of this node get no addresses from"
                + " Sund. Let the controller manager give ranges (--allocate-node-cidrs"
                + " --cluster-cidr), or set spec.podCIDRs. [node-without-pod-cidr]");
  }

  @Test
  void aNodeWithoutAnAddressOfItsPodsFamily() {
    scene.node(node("n3", List.of(Ip.parse("192.168.2.13")), "10.244.3.0/24", "fd00:3::/64"));
    assertThat(conditions())
        .containsExactly(
            "Node n3 status.addresses: The node has pod range fd00:3::/64, but no IPv6 InternalIP:"
                + " no IPv6 packets go between its pods and other nodes. Give the node an IPv6"
                + " InternalIP (kubelet --node-ip takes one of each family). [family-unreachable]");
    assertThat(scene.program("n1").routes()).containsKey(Prefix.parse("10.244.3.0/24"));
  }

  @Test
  void aNodeBehindTheRouterThatIsNotToBeWrapped() {
    scene.pool("plain", "10.244.0.0/16", VxlanMode.NEVER, true);
    assertThat(conditions())
        .containsExactly(
            "Node n3 status.addresses: 192.168.2.13 is not on the subnet of node n1, and packets to"
                + " 10.244.3.0/24 are not to be wrapped: there is no way to it. Set vxlanMode"
                + " CrossSubnet or Always in the pool that contains it. [not-on-subnet]");
  }

  @Test
  void rangesAndPodsOutsideOfThePools() {
    scene.pool("some", "10.244.0.0/23", VxlanMode.CROSS_SUBNET, true);
    scene.pod("shop/a", "n2", "10.99.0.1");
    assertThat(conditions())
        .contains(
            "Node n2 spec.podCIDRs: 10.244.2.0/24 is in no IPPool: it is carried unwrapped and its"
                + " source is never translated. Add an IPPool that contains it, or give addresses"
                + " from one that exists. [outside-pools]",
            "Pod shop/a status.podIPs: 10.99.0.1 is in no IPPool: it is carried unwrapped and its"
                + " source is never translated. Add an IPPool that contains it, or give addresses"
                + " from one that exists. [outside-pools]");
    assertThat(scene.program("n1").routes()).containsKey(Prefix.parse("10.244.2.0/24"));
  }

  @Test
  void anAgentWhoseNodeIsNotThere() {
    ProgramCompiler compiler = new ProgramCompiler(new NodeName("n9"), FabricSettings.DEFAULT);
    List<ClusterEvent> events = new ArrayList<>(scene.events("n1"));
    assertThat(texts(compiler.apply(events).conditions()))
        .containsExactly(
            "Node n9 metadata.name: This agent is to serve node n9, but the cluster has no such"
                + " node; only pods of this machine are connected. Start the agent with --node and"
                + " the name that kubectl get nodes shows. [node-unknown]");
  }

  @Test
  void anAddressThatTheMachineDoesNotHave() {
    ProgramCompiler compiler = scene.compiler("n1");
    List<ClusterEvent> events = new ArrayList<>(scene.events("n1"));
    events.add(new ClusterEvent.FactsSeen(NodeFacts.NONE));
    assertThat(texts(compiler.apply(events).conditions()))
        .contains(
            "Node n1 status.addresses: 192.168.1.11 is this node's InternalIP, but no device of"
                + " this machine carries it. Put the address on a device, or correct the node's"
                + " InternalIP (kubelet --node-ip). [node-address-not-local]");
  }

  @Test
  void anUnderlayTooSmallForTheFamily() {
    scene.mtu("n1/a", 1300).pod("shop/web", "n1", "10.244.1.5", "fd00:1::5");
    assertThat(conditions())
        .containsExactly(
            "link eth0 mtu: 1300 leaves 1230 bytes for pods' IPv6 packets inside of VXLAN, but"
                + " every IPv6 link takes 1280. Give eth0 an MTU of 1350 or more."
                + " [mtu-too-small]");
    assertThat(scene.program("n1").tunnels()).containsOnlyKeys("sund-vxlan4");
    assertThat(scene.program("n1").localPods().values())
        .allMatch(pod -> pod.mtuV4() == 1250 && pod.mtuV6() == 1280);
  }

  @Test
  void aSettingThatIsTooSmallOrTooLarge() {
    scene.settings(new FabricSettings(4096, 4789, OptionalInt.of(1000)));
    assertThat(conditions())
        .containsExactly(
            "Fabric sund mtu: 1000 is less than the 1280 bytes that every IPv6 link takes; pods"
                + " get 1280. Set 1280 or more, or leave it out to have it computed."
                + " [mtu-too-small]");
    scene.settings(new FabricSettings(4096, 4789, OptionalInt.of(1440)));
    assertThat(conditions())
        .containsExactly(
            "Fabric sund mtu: 1440 is more than the 1430 bytes that eth0 leaves for pods' IPv6"
                + " packets; pods get 1430. Set 1430 or less, or leave it out to have it computed."
                + " [mtu-too-large]");
  }

  private List<String> conditions() {
    return texts(scene.conditions("n1"));
  }

  private static List<String> texts(List<Condition> conditions) {
    return conditions.stream().map(Condition::toString).toList();
  }

  private List<Ip> addresses(String name) {
    return scene.node(name).addresses();
  }

  private static Node node(String name, List<Ip> addresses, String... podCidrs) {
    return new Node(
        new NodeName(name),
        "uid-" + name,
        Integer.parseInt(name.substring(1)),
        addresses,
        Stream.of(podCidrs).map(Prefix::parse).toList());
  }

  @Test
  void theRuleOfARangeIsReadable() {
    assertThat(RuleId.parse("Node:n3:uid-n3:none:0"))
        .isEqualTo(scene.program("n1").routes().get(Prefix.parse("10.244.3.0/24")).rule());
  }
}
