package dev.sund.kube.manifest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import dev.sund.engine.cluster.AddressMethod;
import dev.sund.engine.cluster.AddressMethod.CanReach;
import dev.sund.engine.cluster.AddressMethod.FirstFound;
import dev.sund.engine.cluster.AddressMethod.InRanges;
import dev.sund.engine.cluster.AddressMethod.InternalIp;
import dev.sund.engine.cluster.AddressMethod.OnInterface;
import dev.sund.engine.cluster.AddressMethod.SkipInterface;
import dev.sund.engine.cluster.ClusterEvent;
import dev.sund.engine.cluster.FabricLayer;
import dev.sund.engine.cluster.FabricLayer.MtuLimit;
import dev.sund.engine.cluster.FabricLayer.Rank;
import dev.sund.engine.cluster.FabricLayer.Scope;
import dev.sund.engine.cluster.IpPool;
import dev.sund.engine.cluster.IpPool.VxlanMode;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.ObjectRef;
import dev.sund.model.Prefix;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** What configurations of Calico and flannel mean, accepted as their users have written them. */
class OtherNetworksTest {
  private static FabricLayer layer(String text) {
    Manifests read = ManifestFiles.parse("test.yaml", text);
    assertThat(read.findings().stream().filter(Finding::isError)).isEmpty();
    return ((ClusterEvent.LayerSeen) read.events().getFirst()).layer();
  }

  private static String calicoNode(String env) {
    return """
    apiVersion: apps/v1
    kind: DaemonSet
    metadata: {name: calico-node, namespace: kube-system}
    spec:
      template:
        spec:
          containers:
          - name: install-cni
            env: [{name: CALICO_IPV4POOL_CIDR, value: 1.2.3.4/32}]
          - name: calico-node
            env: %s
    """
        .formatted(env);
  }

  private static String flannel(String json) {
    return """
    apiVersion: v1
    kind: ConfigMap
    metadata: {name: kube-flannel-cfg, namespace: kube-flannel}
    data:
      net-conf.json: '%s'
    """
        .formatted(json);
  }

  @Test
  void installationGivesPoolsWithTheOperatorsDefaults() {
    FabricLayer layer =
        layer(
            """
            apiVersion: operator.tigera.io/v1
            kind: Installation
            metadata: {name: default}
            spec:
              calicoNetwork:
                mtu: 1450
                ipPools:
                - {cidr: 192.168.0.0/16, encapsulation: VXLAN}
                - cidr: fd00:10::/48
                  encapsulation: VXLANCrossSubnet
                  natOutgoing: Disabled
                  blockSize: 120
                  nodeSelector: zone == 'west'
                - {name: more, cidr: 10.9.0.0/16, encapsulation: None, disableNewAllocations: true}
                - {cidr: 10.10.0.0/16, encapsulation: None}
            """);
    assertThat(layer.rank()).isEqualTo(Rank.INSTALLATION);
    assertThat(layer.mtus())
        .containsExactly(
            new MtuLimit(
                new ObjectRef("Installation", "default"),
                "spec.calicoNetwork.mtu",
                1450,
                Scope.PODS));
    assertThat(layer.remarks()).isEmpty();
    assertThat(layer.pools())
        .extracting(IpPool::name, IpPool::vxlanMode, IpPool::natOutgoing, IpPool::blockSize)
        .containsExactly(
            tuple("default-ipv4-ippool", VxlanMode.ALWAYS, true, 26),
            tuple("default-ipv6-ippool", VxlanMode.CROSS_SUBNET, false, 120),
            tuple("more", VxlanMode.NEVER, true, 26),
            tuple("default-ipv4-ippool-2", VxlanMode.NEVER, true, 26));
    assertThat(layer.pools().get(2).disabled()).isTrue();
    assertThat(layer.pools().get(1).nodeSelector()).hasToString("zone == 'west'");
  }

  @Test
  void vethMtuOfCalicosConfigMapLimitsPodsAndZeroMeansComputed() {
    String text =
        """
        apiVersion: v1
        kind: ConfigMap
        metadata: {name: calico-config, namespace: calico-system}
        data: {veth_mtu: "1440"}
        """;
    FabricLayer layer = layer(text);
    assertThat(layer.source()).hasToString("ConfigMap calico-system/calico-config");
    assertThat(layer.mtu(Scope.PODS).orElseThrow().bytes()).isEqualTo(1440);
    assertThat(layer(text.replace("1440", "0")).mtus()).isEmpty();
  }

  private static String calicoNodeAddresses(String env) {
    FabricLayer layer = layer(calicoNode("[" + env + "]"));
    Map<Family, String> methods = new TreeMap<>();
    layer.nodeAddresses().forEach((family, method) -> methods.put(family, method.text()));
    return methods + " " + layer.remarks().stream().map(c -> c.field()).toList();
  }

  @Test
  void environmentOfCalicosNodesSaysHowTheyFindTheirAddresses() {
    assertThat(calicoNodeAddresses("")).isEqualTo("{} []");
    assertThat(calicoNodeAddresses("{name: IP, value: autodetect}"))
        .isEqualTo("{V4=first-found} []");
    assertThat(
            calicoNodeAddresses(
                """
                {name: IP, value: autodetect}, {name: IP6, value: autodetect},
                {name: IP_AUTODETECTION_METHOD, value: "interface=eth.*, ens3"},
                {name: IP6_AUTODETECTION_METHOD, value: "cidr=fd00:1::/64,fd00:2::/64"}\
                """))
        .isEqualTo("{V4=interface=eth.*,ens3, V6=cidr=fd00:1::/64,fd00:2::/64} []");
    assertThat(calicoNodeAddresses("{name: IP_AUTODETECTION_METHOD, value: can-reach=8.8.8.8}"))
        .isEqualTo("{V4=can-reach=8.8.8.8} []");
    assertThat(
            calicoNodeAddresses(
                "{name: IP_AUTODETECTION_METHOD, value: kubernetes-internal-ip},"
                    + " {name: IP6, value: none}"))
        .isEqualTo("{V4=kubernetes-internal-ip} []");
    assertThat(
            calicoNodeAddresses(
                "{name: IP, valueFrom: {fieldRef: {fieldPath: status.hostIP}}},"
                    + " {name: IP_AUTODETECTION_METHOD, value: first-found}"))
        .isEqualTo("{V4=kubernetes-internal-ip} []");
    assertThat(calicoNodeAddresses("{name: IP6_AUTODETECTION_METHOD, value: skip-interface=wg.*}"))
        .as("IP6 does not ask for it")
        .isEqualTo("{} [env[IP6_AUTODETECTION_METHOD]]");
    assertThat(calicoNodeAddresses("{name: IP, value: 10.0.0.7/24}"))
        .as("one address for all nodes")
        .isEqualTo("{} [env[IP]]");
  }

  @Test
  void installationSaysHowNodesFindTheirAddresses() {
    String text =
        """
        apiVersion: operator.tigera.io/v1
        kind: Installation
        metadata: {name: default}
        spec:
          calicoNetwork:
            nodeAddressAutodetectionV4: {%s}
            nodeAddressAutodetectionV6: {%s}
        """;
    Map<Family, AddressMethod> methods =
        layer(text.formatted("skipInterface: 'wg.*'", "cidrs: ['fd00:1::/64']")).nodeAddresses();
    assertThat(methods.get(Family.V4)).isEqualTo(new SkipInterface(List.of("wg.*")));
    assertThat(methods.get(Family.V6))
        .isEqualTo(new InRanges(List.of(Prefix.parse("fd00:1::/64"))));
    assertThat(
            layer(text.formatted("canReach: 8.8.8.8", "kubernetes: NodeInternalIP"))
                .nodeAddresses())
        .isEqualTo(
            Map.of(Family.V4, new CanReach(Ip.parse("8.8.8.8")), Family.V6, new InternalIp()));
    assertThat(layer(text.formatted("firstFound: true", "firstFound: false")).nodeAddresses())
        .isEqualTo(Map.of(Family.V4, new FirstFound()));
    assertThat(layer(text.formatted("interface: 'eth0,eth1'", "")).nodeAddresses())
        .isEqualTo(Map.of(Family.V4, new OnInterface(List.of("eth0", "eth1"))));
  }

  @Test
  void environmentOfCalicosNodesGivesMtusAndThePoolThatCalicoWouldMake() {
    FabricLayer layer =
        layer(
            calicoNode(
                """
                [{name: IP, value: autodetect}, {name: FELIX_IPINIPMTU, value: "1480"},
                 {name: FELIX_VXLANMTU, value: "1410"}, {name: FELIX_VXLANVNI, value: "9"},
                 {name: FELIX_VXLANPORT, value: "4790"}, {name: NODENAME, valueFrom: {}},
                 {name: CALICO_IPV4POOL_CIDR, value: 10.1.0.0/16},
                 {name: CALICO_IPV4POOL_IPIP, value: Never},
                 {name: CALICO_IPV4POOL_VXLAN, value: CrossSubnet},
                 {name: CALICO_IPV6POOL_CIDR, value: "fd00:1::/48"},
                 {name: CALICO_IPV6POOL_BLOCK_SIZE, value: "121"}]\
                """));
    assertThat(layer.remarks()).isEmpty();
    assertThat(layer.mtu(Scope.IPIP).orElseThrow().bytes()).isEqualTo(1480);
    assertThat(layer.mtu(Scope.VXLAN).orElseThrow())
        .hasToString(
            "MtuLimit[object=DaemonSet kube-system/calico-node, field=env[FELIX_VXLANMTU],"
                + " bytes=1410, scope=VXLAN]");
    assertThat(layer.vni()).isEqualTo(OptionalInt.of(9));
    assertThat(layer.vxlanPort()).isEqualTo(OptionalInt.of(4790));
    assertThat(layer.pools())
        .extracting(IpPool::name, IpPool::vxlanMode, IpPool::natOutgoing, IpPool::blockSize)
        .containsExactly(
            tuple("default-ipv4-ippool", VxlanMode.CROSS_SUBNET, true, 26),
            tuple("default-ipv6-ippool", VxlanMode.NEVER, false, 121));
    assertThat(
            layer(
                    calicoNode(
                        """
                        [{name: NO_DEFAULT_POOLS, value: "true"},
                         {name: CALICO_IPV4POOL_VXLAN, value: Always},
                         {name: CALICO_IPV4POOL_CIDR, value: 10.1.0.0/16}]\
                        """))
                .pools())
        .isEmpty();
  }

  @Test
  void flannelsBackendsSayHowPacketsTravel() {
    FabricLayer vxlan =
        layer(
            flannel(
                "{\"Network\": \"10.244.0.0/16\", \"EnableIPv6\": true, \"IPv6Network\":"
                    + " \"fd00:10:244::/48\", \"Backend\": {\"Type\": \"vxlan\", \"VNI\": 1,"
                    + " \"Port\": 8472, \"MTU\": 1400, \"DirectRouting\": true}}"));
    assertThat(vxlan.vni()).isEqualTo(OptionalInt.of(1));
    assertThat(vxlan.vxlanPort()).isEqualTo(OptionalInt.of(8472));
    assertThat(vxlan.mtu(Scope.PODS).orElseThrow().field())
        .isEqualTo("data.net-conf.json.Backend.MTU");
    assertThat(vxlan.pools())
        .extracting(IpPool::name, IpPool::cidr, IpPool::vxlanMode, IpPool::natOutgoing)
        .containsExactly(
            tuple("flannel-ipv4", Prefix.parse("10.244.0.0/16"), VxlanMode.CROSS_SUBNET, true),
            tuple("flannel-ipv6", Prefix.parse("fd00:10:244::/48"), VxlanMode.CROSS_SUBNET, true));
    FabricLayer plain = layer(flannel("{\"Network\": \"10.244.0.0/16\"}"));
    assertThat(plain.pools().getFirst().vxlanMode()).isEqualTo(VxlanMode.ALWAYS);
    assertThat(plain.vni()).isEmpty();
    FabricLayer hostGw =
        layer(flannel("{\"Network\": \"10.244.0.0/16\", \"Backend\": {\"Type\": \"host-gw\"}}"));
    assertThat(hostGw.pools().getFirst().vxlanMode()).isEqualTo(VxlanMode.NEVER);
  }
}
