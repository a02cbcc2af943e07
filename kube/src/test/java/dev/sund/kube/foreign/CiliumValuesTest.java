package dev.sund.kube.foreign;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import dev.sund.engine.cluster.IpPool;
import dev.sund.engine.cluster.IpPool.VxlanMode;
import dev.sund.kube.foreign.CiliumValues.Imported;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

/** Each value of Cilium's chart is accepted, mapped, not needed or refused, and none is lost. */
class CiliumValuesTest {
  private static Imported read(String yaml) throws Exception {
    return CiliumValues.read(HelmValues.read(yaml));
  }

  private static List<String> lines(Imported imported) {
    return imported.verdicts().stream().map(Verdict::toString).toList();
  }

  @Test
  void theCommandThatArticlesPrintIsReadAsItIs() throws Exception {
    Path file = Path.of(System.getProperty("sund.root"), "examples/articles/2024-cilium-helm.txt");
    Imported imported = read(Files.readString(file));
    assertThat(lines(imported))
        .containsExactly(
            "kubeProxyReplacement=true: accepted: Sund serves Services in kube-proxy's place; take"
                + " kube-proxy away.",
            "k8sServiceHost=API_SERVER_IP: mapped: the server of the kubeconfig that agents are"
                + " given: https://API_SERVER_IP:6443.",
            "k8sServicePort=6443: mapped: the server of the kubeconfig that agents are given:"
                + " https://API_SERVER_IP:6443.",
            "ipam.mode=kubernetes: accepted: nodes give addresses of their spec.podCIDRs.",
            "bpf.masquerade=true: mapped: natOutgoing, which is done in the table inet sund of"
                + " nftables.",
            "hubble.relay.enabled=true: refused: Sund shows no flows yet.",
            "hubble.ui.enabled=true: refused: Sund shows no flows yet.");
    assertThat(imported.refuses()).isTrue();
    assertThat(imported.pools()).isEmpty();
  }

  @Test
  void clusterPoolsBecomePools() throws Exception {
    Imported imported =
        read(
            """
            ipam:
              mode: cluster-pool
              operator:
                clusterPoolIPv4PodCIDRList: [10.0.0.0/12, 10.32.0.0/16]
                clusterPoolIPv4MaskSize: 24
                clusterPoolIPv6PodCIDRList: fd00::/104
                clusterPoolIPv6MaskSize: 112
            enableIPv6Masquerade: false
            tunnelProtocol: vxlan
            tunnelPort: 8472
            MTU: 1500
            """);
    assertThat(imported.refuses()).isFalse();
    assertThat(imported.pools())
        .extracting(IpPool::name, IpPool::blockSize, IpPool::vxlanMode, IpPool::natOutgoing)
        .containsExactly(
            tuple("cilium-ipv4", 24, VxlanMode.ALWAYS, true),
            tuple("cilium-ipv4-2", 24, VxlanMode.ALWAYS, true),
            tuple("cilium-ipv6", 116, VxlanMode.ALWAYS, false));
    assertThat(imported.fabric().vxlanPort()).isEqualTo(8472);
    assertThat(imported.fabric().mtu()).isEqualTo(OptionalInt.of(1450));
  }

  @Test
  void routingModesBecomeVxlanModes() throws Exception {
    String pool = "ipam.operator.clusterPoolIPv4PodCIDRList=10.0.0.0/16";
    Map<List<String>, VxlanMode> modes =
        Map.of(
            List.of(pool), VxlanMode.ALWAYS,
            List.of(pool, "tunnel=disabled"), VxlanMode.NEVER,
            List.of(pool, "routingMode=native"), VxlanMode.NEVER,
            List.of(pool, "routingMode=native", "autoDirectNodeRoutes=true"),
                VxlanMode.CROSS_SUBNET);
    modes.forEach((values, mode) ->
        assertThat(CiliumValues.read(HelmValues.ofSet(values)).pools().getFirst().vxlanMode())
            .as("%s", values)
            .isEqualTo(mode));
  }

  @Test
  void whatIsNotDoneOrNotKnownIsRefusedByName() throws Exception {
    Imported imported =
        read(
            """
            tunnel: geneve
            MTU: 1200
            encryption: {enabled: true, type: wireguard}
            ingressController: {enabled: false}
            image: {repository: quay.io/cilium/cilium}
            policyEnforcementMode: always
            ipam: {mode: eni}
            cni: {chainingMode: none, exclusive: true}
            kubeProxyReplacment: true
            """);
    assertThat(lines(imported))
        .containsExactly(
            "tunnel=geneve: refused: Sund wraps in VXLAN, which costs as many bytes; write vxlan.",
            "MTU=1200: refused: it leaves pods 1150 bytes, but every IPv6 link takes 1280; leave"
                + " it out to have it computed.",
            "encryption.enabled=true: refused: Sund encrypts nothing; give the nodes WireGuard"
                + " underneath, and Sund sees its MTU.",
            "encryption.type=wireguard: refused: Sund encrypts nothing; give the nodes WireGuard"
                + " underneath, and Sund sees its MTU.",
            "ingressController.enabled=false: accepted: Sund does not do it either.",
            "image.repository=quay.io/cilium/cilium: not needed: it is about Cilium's own"
                + " programs, which are not started any more.",
            "policyEnforcementMode=always: refused: Sund enforces no policy yet.",
            "ipam.mode=eni: refused: Sund gives addresses of spec.podCIDRs or of pools; write"
                + " kubernetes or cluster-pool.",
            "cni.chainingMode=none: accepted: Sund's plugin is the first of its conflist.",
            "cni.exclusive=true: not needed: Sund writes a configuration of its own for its"
                + " plugin.",
            "kubeProxyReplacment=true: refused: no such value is known; check its spelling.");
  }
}
