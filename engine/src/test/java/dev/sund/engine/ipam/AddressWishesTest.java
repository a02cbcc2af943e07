package dev.sund.engine.ipam;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.engine.cluster.ClusterEvent;
import dev.sund.engine.cluster.IpPool;
import dev.sund.engine.cluster.IpPool.IpipMode;
import dev.sund.engine.cluster.IpPool.Use;
import dev.sund.engine.cluster.IpPool.VxlanMode;
import dev.sund.engine.cluster.Namespace;
import dev.sund.engine.cluster.Node;
import dev.sund.model.Ip;
import dev.sund.model.LabelExpression;
import dev.sund.model.NodeName;
import dev.sund.model.Prefix;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Calico's annotations of pods and namespaces, and what is said of those that are wrong. */
class AddressWishesTest {
  private final AddressPlan plan = new AddressPlan(new NodeName("n1"));

  @BeforeEach
  void aClusterOfSeveralPools() {
    plan.see(
        new ClusterEvent.NodeSeen(
            new Node(new NodeName("n1"), "u", 1, List.of(Ip.parse("192.168.1.11")), List.of())));
    pool("usual", "10.1.0.0/16", "all()", Set.of(Use.WORKLOAD), true, false);
    pool("manual", "10.2.0.0/16", "all()", Set.of(Use.WORKLOAD), false, false);
    pool("elsewhere", "10.3.0.0/16", "zone == 'east'", Set.of(Use.WORKLOAD), true, false);
    pool("off", "10.4.0.0/16", "all()", Set.of(Use.WORKLOAD), true, true);
    pool("tunnels", "10.5.0.0/16", "all()", Set.of(Use.TUNNEL), true, false);
    pool("younger", "10.1.128.0/17", "all()", Set.of(Use.WORKLOAD), true, false);
    pool("six", "fd01::/64", "all()", Set.of(Use.WORKLOAD), true, false);
    plan.see(
        new ClusterEvent.NamespaceSeen(
            new Namespace(
                "team", "u", 1, Map.of(), Map.of(AddressWishes.POOLS_V4, "[\"manual\"]"))));
  }

  private void pool(
      String name, String cidr, String nodes, Set<Use> uses, boolean automatic, boolean disabled) {
    Prefix range = Prefix.parse(cidr);
    plan.see(
        new ClusterEvent.PoolSeen(
            new IpPool(
                name,
                "uid-" + name,
                name.equals("younger") ? 9 : 1,
                range,
                VxlanMode.ALWAYS,
                IpipMode.NEVER,
                true,
                disabled,
                IpPool.usualBlock(range.family()),
                LabelExpression.parse(nodes),
                LabelExpression.ALL,
                uses,
                automatic)));
  }

  @Test
  void withoutAnnotationsOnlyAutomaticPoolsOfThisNodeServe() { // assignmentMode Manual
    assertThat(pools(Map.of(), "shop")).isEqualTo("six usual");
  }

  @Test
  void aNamedPoolServesWhateverItSelects() { // Calico: overridden by the annotation
    assertThat(pools(Map.of(AddressWishes.POOLS_V4, "[\"elsewhere\"]"), "shop"))
        .isEqualTo("elsewhere six");
    assertThat(pools(Map.of(AddressWishes.POOLS_V4, " [ \"10.2.0.0/16\" , \"usual\" ] "), "shop"))
        .isEqualTo("manual usual six");
    assertThat(pools(Map.of(AddressWishes.POOLS_V6, "[\"six\"]"), "shop")).isEqualTo("six usual");
  }

  @Test
  void aPodsPoolsGoBeforeItsNamespaces() {
    assertThat(pools(Map.of(), "team")).isEqualTo("manual six");
    assertThat(pools(Map.of(AddressWishes.POOLS_V4, "[\"usual\"]"), "team")).isEqualTo("usual six");
  }

  @Test
  void addressesAreRead() {
    AddressWishes wishes =
        read(Map.of(AddressWishes.ADDRESSES, "[\"10.2.0.7\",\"fd01::7\"]"), "shop");
    assertThat(wishes.addresses()).containsExactly(Ip.parse("10.2.0.7"), Ip.parse("fd01::7"));
    assertThat(plan.poolsAsked())
        .extracting(AddressPool::name)
        .containsExactlyInAnyOrder("usual", "manual", "elsewhere", "six");
    assertThat(read(Map.of(AddressWishes.UNMANAGED, "[\"172.20.0.7\"]"), "shop").unmanaged())
        .containsExactly(Ip.parse("172.20.0.7"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          ipAddrs|10.1.0.7|Pod shop/web metadata.annotations[cni.projectcalico.org/ipAddrs]: '10.1.0.7' is not a JSON list of texts. Write ["10.244.1.5"]. [invalid-field]
          ipAddrs|["10.1.0"]|Pod shop/web metadata.annotations[cni.projectcalico.org/ipAddrs]: '10.1.0' is not an address. Write addresses such as ["10.244.1.5", "fd00::5"]. [invalid-field]
          ipAddrs|["10.1.0.7", "10.1.0.8"]|Pod shop/web metadata.annotations[cni.projectcalico.org/ipAddrs]: '10.1.0.8' is a second address of its family. Write at most one IPv4 and one IPv6 address. [invalid-field]
          ipAddrs|[]|Pod shop/web metadata.annotations[cni.projectcalico.org/ipAddrs]: The list is empty. Write ["10.244.1.5"], or no annotation. [invalid-field]
          ipAddrsNoIpam|["x"]|Pod shop/web metadata.annotations[cni.projectcalico.org/ipAddrsNoIpam]: 'x' is not an address. Write addresses such as ["10.244.1.5", "fd00::5"]. [invalid-field]
          floatingIPs|["1.2.3.4"]|Pod shop/web metadata.annotations[cni.projectcalico.org/floatingIPs]: Sund does not carry out floating addresses. Remove the annotation, and use a Service of the type LoadBalancer or a hostPort. [not-supported]
          hwAddr|02:00:00:00:00:01|Pod shop/web metadata.annotations[cni.projectcalico.org/hwAddr]: Sund takes a pod's MAC address from the runtime alone. Remove the annotation, or pass the capability mac. [not-supported]
          ipv4pools|usual|Pod shop/web metadata.annotations[cni.projectcalico.org/ipv4pools]: 'usual' is not a JSON list of texts. Write ["default-ipv4-ippool"]. [invalid-field]
          ipv4pools|["none"]|Pod shop/web metadata.annotations[cni.projectcalico.org/ipv4pools]: 'none' is no IPPool of the cluster. Write the name or the cidr of one: elsewhere, manual, usual. [invalid-field]
          ipv4pools|["six"]|Pod shop/web metadata.annotations[cni.projectcalico.org/ipv4pools]: IPPool six (fd01::/64) has addresses of the other family. Write pools of the family that the annotation names. [invalid-field]
          ipv4pools|["off"]|Pod shop/web metadata.annotations[cni.projectcalico.org/ipv4pools]: IPPool off (10.4.0.0/16) is disabled. Enable it, or write another pool. [invalid-field]
          ipv4pools|["tunnels"]|Pod shop/web metadata.annotations[cni.projectcalico.org/ipv4pools]: IPPool tunnels (10.5.0.0/16) serves no pods. Add Workload to its allowedUses, or write another pool. [invalid-field]
          ipv4pools|["younger"]|Pod shop/web metadata.annotations[cni.projectcalico.org/ipv4pools]: IPPool younger (10.1.128.0/17) shares addresses with an older pool, which keeps them. Write another pool, or delete one of the two. [invalid-field]
          """)
  void whatIsWrongIsSaidWithItsRemedy(String key, String value, String said) {
    assertThat(pools(Map.of("cni.projectcalico.org/" + key, value), "shop")).isEqualTo(said);
  }

  @Test
  void twoWaysOfAskingForAddressesAreRefused() {
    assertThat(
            pools(
                Map.of(
                    AddressWishes.ADDRESSES, "[\"10.1.0.7\"]",
                    AddressWishes.UNMANAGED, "[\"10.1.0.7\"]"),
                "shop"))
        .isEqualTo(
            "Pod shop/web metadata.annotations[cni.projectcalico.org/ipAddrsNoIpam]: The pod has"
                + " cni.projectcalico.org/ipAddrs too. Write one of the two annotations."
                + " [invalid-field]");
  }

  @Test
  void aNamespacesMistakeIsSaidOfTheNamespace() {
    plan.see(
        new ClusterEvent.NamespaceSeen(
            new Namespace("team", "u", 1, Map.of(), Map.of(AddressWishes.POOLS_V4, "[\"none\"]"))));
    assertThat(pools(Map.of(), "team"))
        .startsWith(
            "Namespace team metadata.annotations[cni.projectcalico.org/ipv4pools]: 'none' is no");
  }

  @Test
  void reservationsAreKnownUntilTheyAreGone() {
    plan.see(new ClusterEvent.ReservationSeen("r", List.of(Prefix.parse("10.1.0.0/28"))));
    assertThat(plan.reservations()).containsExactly(Prefix.parse("10.1.0.0/28"));
    plan.see(new ClusterEvent.ReservationGone("r"));
    assertThat(plan.reservations()).isEmpty();
  }

  private AddressWishes read(Map<String, String> ofPod, String namespace) {
    return AddressWishes.read("shop/web", ofPod, namespace, plan.annotations(namespace))
            instanceof AddressWishes.Reading.Read(AddressWishes wishes)
        ? wishes
        : AddressWishes.NONE;
  }

  /** The names of the pools, or what is said. */
  private String pools(Map<String, String> ofPod, String namespace) {
    return switch (AddressWishes.read("shop/web", ofPod, namespace, plan.annotations(namespace))) {
      case AddressWishes.Reading.Refused(var why) -> why.toString();
      case AddressWishes.Reading.Read(var wishes) ->
          switch (plan.poolsFor(namespace, wishes.pools())) {
            case AddressPlan.Choice.Refused(var why) -> why.toString();
            case AddressPlan.Choice.Pools(var pools) ->
                String.join(" ", pools.stream().map(AddressPool::name).toList());
          };
    };
  }
}
