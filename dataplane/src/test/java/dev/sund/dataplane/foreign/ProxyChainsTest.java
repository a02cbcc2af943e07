package dev.sund.dataplane.foreign;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

class ProxyChainsTest {
  @Test
  void theKubeletsChainsAndKubeRoutersAreNotKubeProxys() {
    assertThat(
            ProxyChains.in(
                "filter",
                List.of(
                    "INPUT",
                    "KUBE-FIREWALL",
                    "KUBE-KUBELET-CANARY",
                    "KUBE-ROUTER-FORWARD",
                    "KUBE-POD-FW-X",
                    "DOCKER")))
        .isEmpty();
    assertThat(
            ProxyChains.in(
                "filter", List.of("KUBE-FIREWALL", "KUBE-FORWARD", "KUBE-PROXY-FIREWALL")))
        .containsExactly("KUBE-FORWARD", "KUBE-PROXY-FIREWALL");
  }

  @Test
  void whatTheKubeletOnceHadTooIsKubeProxysBesideOthersOfIts() {
    assertThat(ProxyChains.in("nat", List.of("KUBE-MARK-MASQ", "KUBE-POSTROUTING"))).isEmpty();
    assertThat(ProxyChains.in("nat", List.of("KUBE-MARK-MASQ", "KUBE-SERVICES", "KUBE-SVC-A")))
        .containsExactly("KUBE-MARK-MASQ", "KUBE-SERVICES", "KUBE-SVC-A");
    assertThat(ProxyChains.in("nat", List.of("KUBE-FIREWALL", "KUBE-LOAD-BALANCER")))
        .containsExactly("KUBE-FIREWALL", "KUBE-LOAD-BALANCER");
  }

  @Test
  void whatOthersLeadToStaysWithAllThatItLeadsTo() {
    Set<String> chains = Set.of("KUBE-MARK-MASQ", "KUBE-SERVICES", "KUBE-SVC-A", "KUBE-SEP-A");
    Map<String, Set<String>> jumps =
        Map.of(
            "KUBE-SERVICES", Set.of("KUBE-SVC-A"),
            "KUBE-SVC-A", Set.of("KUBE-SEP-A", "KUBE-MARK-MASQ"),
            "CNI-HOSTPORT-SETMARK", Set.of("KUBE-MARK-MASQ"));

    assertThat(ProxyChains.removable(chains, jumps))
        .containsExactly("KUBE-SEP-A", "KUBE-SERVICES", "KUBE-SVC-A");
    assertThat(ProxyChains.removable(chains, Map.of("MINE", Set.of("KUBE-SVC-A"))))
        .contains("KUBE-SEP-A", "KUBE-SERVICES");
  }
}
