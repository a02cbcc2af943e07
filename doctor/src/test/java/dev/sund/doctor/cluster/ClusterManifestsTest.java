package dev.sund.doctor.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sund.doctor.Catalogue;
import dev.sund.doctor.Examination;
import dev.sund.doctor.Facts;
import dev.sund.doctor.Host;
import dev.sund.doctor.UnreadException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A cluster as manifests: healthy, and with one thing changed that the checks of it find. */
class ClusterManifestsTest {
  @TempDir Path folder;

  private static final String HEALTHY =
      """
      apiVersion: v1
      kind: Namespace
      metadata: {name: shop}
      ---
      apiVersion: v1
      kind: Namespace
      metadata: {name: kube-system}
      ---
      apiVersion: v1
      kind: Node
      metadata: {name: n1, annotations: {projectcalico.org/IPv4Address: 192.168.0.11/24}}
      spec: {podCIDRs: [10.244.0.0/24]}
      status: {allocatable: {pods: "110"}, addresses: [{type: InternalIP, address: 192.168.0.11}]}
      ---
      apiVersion: v1
      kind: Node
      metadata: {name: n2, annotations: {projectcalico.org/IPv4Address: 192.168.0.12/24}}
      spec: {podCIDRs: [10.244.1.0/24]}
      status:
        allocatable: {pods: "110"}
        addresses: [{type: InternalIP, address: 192.168.0.12}]
        conditions: [{type: Ready, status: "True", lastHeartbeatTime: "2026-01-01T10:05:00Z"}]
      ---
      apiVersion: crd.projectcalico.org/v1
      kind: IPPool
      metadata: {name: pods}
      spec: {cidr: 10.244.0.0/16, ipipMode: CrossSubnet, blockSize: 26}
      ---
      apiVersion: metallb.io/v1beta1
      kind: IPAddressPool
      metadata: {name: lan, namespace: metallb-system}
      spec: {addresses: ["192.168.0.200 - 192.168.0.220"]}
      ---
      {apiVersion: metallb.io/v1beta1, kind: L2Advertisement, metadata: {name: l2, namespace: metallb-system}}
      ---
      apiVersion: v1
      kind: Pod
      metadata: {name: controller, namespace: kube-system, labels: {app: metallb}}
      spec: {nodeName: n1, containers: [{name: c, image: "quay.io/metallb/controller:v0.14.8"}]}
      ---
      apiVersion: v1
      kind: Pod
      metadata: {name: kube-apiserver-n1, namespace: kube-system, labels: {component: kube-apiserver}}
      spec:
        nodeName: n1
        containers: [{name: c, command: [kube-apiserver, --service-cluster-ip-range=10.96.0.0/12]}]
      ---
      apiVersion: v1
      kind: Pod
      metadata: {name: coredns-1, namespace: kube-system, labels: {k8s-app: kube-dns}}
      spec: {nodeName: n1, containers: [{name: coredns, image: coredns, ports: [{name: dns, containerPort: 53}]}]}
      status:
        podIP: 10.244.0.3
        conditions: [{type: Ready, status: "True", lastTransitionTime: "2026-01-01T09:00:00Z"}]
      ---
      apiVersion: v1
      kind: Service
      metadata: {name: kube-dns, namespace: kube-system, labels: {k8s-app: kube-dns}}
      spec: {clusterIP: 10.96.0.10, selector: {k8s-app: kube-dns}, ports: [{port: 53, protocol: UDP, targetPort: dns}]}
      ---
      apiVersion: discovery.k8s.io/v1
      kind: EndpointSlice
      metadata: {name: kube-dns-1, namespace: kube-system, labels: {kubernetes.io/service-name: kube-dns}}
      addressType: IPv4
      endpoints: [{addresses: [10.244.0.3], conditions: {ready: true}, targetRef: {kind: Pod, name: coredns-1, namespace: kube-system}}]
      ---
      apiVersion: v1
      kind: Pod
      metadata: {name: web-1, namespace: shop, labels: {app: web}}
      spec:
        nodeName: n2
        dnsConfig: {options: [{name: ndots, value: "2"}]}
        containers: [{name: web, ports: [{name: http, containerPort: 8080}]}]
      status:
        podIP: 10.244.1.5
        conditions: [{type: Ready, status: "True", lastTransitionTime: "2026-01-01T10:00:00Z"}]
      ---
      apiVersion: v1
      kind: Service
      metadata: {name: web, namespace: shop}
      spec: {type: LoadBalancer, clusterIP: 10.96.0.20, selector: {app: web}, ports: [{port: 80, targetPort: http}]}
      status: {loadBalancer: {ingress: [{ip: 192.168.0.200}]}}
      ---
      apiVersion: discovery.k8s.io/v1
      kind: EndpointSlice
      metadata: {name: web-1, namespace: shop, labels: {kubernetes.io/service-name: web}}
      addressType: IPv4
      endpoints: [{addresses: [10.244.1.5], conditions: {ready: true}, targetRef: {kind: Pod, name: web-1, namespace: shop}}]
      ---
      apiVersion: networking.k8s.io/v1
      kind: NetworkPolicy
      metadata: {name: deny, namespace: shop}
      spec: {podSelector: {}, policyTypes: [Ingress, Egress]}
      ---
      apiVersion: networking.k8s.io/v1
      kind: NetworkPolicy
      metadata: {name: deny, namespace: kube-system}
      spec: {podSelector: {}, policyTypes: [Ingress, Egress]}
      """;

  /** What the cluster's checks find in these manifests, by their ids; all of them could read. */
  private Map<String, String> found(String manifests) throws Exception {
    Path file = Files.writeString(folder.resolve("cluster.yaml"), manifests);
    Facts links = _ -> "link=eth0 index=2 kind= mtu=1500 up=1 carrier=1 addresses=192.168.50.7/24";
    Facts facts =
        links.with(
            Facts.CLUSTER,
            ClusterFacts.ofFiles(List.of(file.toString()), InputStream.nullInputStream()));
    Host host = new Host(folder, Duration.ZERO, _ -> {}, facts);
    Examination examined = Examination.of(host, Catalogue.cluster());
    assertThat(examined.unread()).isEmpty();
    Map<String, String> found = new TreeMap<>();
    examined
        .findings()
        .forEach(one -> found.merge(one.check().id(), one.finding().text(), (a, b) -> a + " " + b));
    return found;
  }

  private Map<String, String> found(String old, String other) throws Exception {
    assertThat(HEALTHY).contains(old);
    return found(HEALTHY.replace(old, other));
  }

  @Test
  void aHealthyClusterHasNoFindings() throws Exception {
    assertThat(found(HEALTHY)).isEmpty();
  }

  @Test
  void aServiceWithoutAnAddressIsTracedToWhoShouldGiveIt() throws Exception {
    String pending = "status: {loadBalancer: {}}";
    String given = "status: {loadBalancer: {ingress: [{ip: 192.168.0.200}]}}";
    assertThat(found(given, pending).get("load-balancer"))
        .contains("1 of 1 Services", "though metallb should give one");
    assertThat(
            found(HEALTHY.replace(given, pending).replace("quay.io/metallb/controller", "x"))
                .get("load-balancer"))
        .contains("nothing in this cluster hands out any");
    assertThat(
            found(
                    HEALTHY
                        .replace(given, pending)
                        .replace(
                            "type: LoadBalancer", "type: LoadBalancer, loadBalancerClass: a.b/c"))
                .get("load-balancer"))
        .contains("they ask for loadBalancerClass a.b/c, which nobody here serves");
    assertThat(
            found(
                    HEALTHY
                        .replace(given, pending)
                        .replace("spec: {addresses", "spec: {autoAssign: false, addresses"))
                .get("load-balancer"))
        .contains("has no IPAddressPool that it may give from unasked");
  }

  @Test
  void poolsOfLoadBalancersAreWhereTheyCanBeReached() throws Exception {
    assertThat(found("192.168.0.200 - 192.168.0.220", "192.168.0.8/29"))
        .hasEntrySatisfying(
            "balancer-pools",
            text ->
                assertThat(text)
                    .contains("in which is 192.168.0.11 of node n1", "192.168.0.12 of node n2"));
    assertThat(found("192.168.0.200 - 192.168.0.220", "172.30.0.0/28"))
        .containsOnlyKeys("balancer-pools");
    assertThat(
            found(
                    "kind: L2Advertisement, metadata: {name: l2, namespace: metallb-system}",
                    "kind: L2Advertisement, metadata: {name: l2}, spec: {ipAddressPools: [other]}")
                .get("balancer-pools"))
        .contains("is in no L2Advertisement and in no BGPAdvertisement");
  }

  @Test
  void poolsOfPodsAreLargeEnoughAndApart() throws Exception {
    assertThat(found("blockSize: 26", "blockSize: 17"))
        .as("two blocks of 32,768 for two nodes")
        .isEmpty();
    assertThat(
            found(
                    "10.244.0.0/16, ipipMode: CrossSubnet, blockSize: 26",
                    "10.244.0.0/25, ipipMode: CrossSubnet, blockSize: 25")
                .get("pool-size"))
        .contains("fewer blocks than nodes: 1 blocks");
    assertThat(found("blockSize: 26", "blockSize: 30").get("pool-size"))
        .contains("20 blocks of 4 for 110");
    assertThat(found("ipipMode: CrossSubnet", "ipipMode: Always"))
        .hasEntrySatisfying(
            "pool-tunnel", text -> assertThat(text).contains("all 2 nodes are on 192.168.0.11/24"))
        .containsOnlyKeys("pool-tunnel");
    assertThat(found("cidr: 10.244.0.0/16", "cidr: 10.100.0.0/16").get("pool-overlap"))
        .contains("the range of services, 10.96.0.0/12, and IPPool pods, 10.100.0.0/16");
    assertThat(found("cidr: 10.244.0.0/16", "cidr: 192.168.0.0/20").get("pool-overlap"))
        .contains("has the address 192.168.0.11 of node n1 in it");
    assertThat(found("podCIDRs: [10.244.1.0/24]", "podCIDRs: [10.244.0.128/25]").get("node-ranges"))
        .contains("have addresses in common");
    assertThat(found("podCIDRs: [10.244.1.0/24]", "podCIDRs: [10.244.1.0/26]").get("node-ranges"))
        .contains("Node n2 may have 110 pods, and its range 10.244.1.0/26 has addresses for 61");
  }

  @Test
  void servicesHaveSomebodyWhoAnswers() throws Exception {
    String ready = "lastTransitionTime: \"2026-01-01T10:00:00Z\"";
    assertThat(found("{app: web}, ports", "{app: wbe}, ports").get("service-endpoints"))
        .contains("1 of 2 Services select no pod: shop/web");
    Map<String, String> unready =
        found(
            HEALTHY
                .replace("status: \"True\", " + ready, "status: \"False\", " + ready)
                .replace(
                    "[10.244.1.5], conditions: {ready: true}",
                    "[10.244.1.5], conditions: {ready: false}"));
    assertThat(unready.get("service-endpoints"))
        .contains("of which none is ready: shop/web (1 pods)");
    assertThat(found("targetPort: http", "targetPort: web").get("service-ports"))
        .contains("shop/web's web (1 pods)");
    assertThat(
            found("name: web-1, namespace: shop}}]", "name: web-0, namespace: shop}}]")
                .get("endpoint-lag"))
        .contains("not in their Service's endpoints, one for 300 s: shop/web-1 of shop/web")
        .contains("1 endpoints are of pods that are gone: shop/web-0 of shop/web");
    assertThat(
            found(
                    "metadata: {name: deny, namespace: shop}",
                    "metadata: {name: deny, namespace: other}")
                .get("default-deny"))
        .contains("shop (ingress), shop (egress)");
  }

  @Test
  void dnsRunsAndIsAskedNoMoreThanItMust() throws Exception {
    String ready = "lastTransitionTime: \"2026-01-01T09:00:00Z\"";
    assertThat(found("status: \"True\", " + ready, "status: \"False\", " + ready).get("dns-pods"))
        .contains("None of the 1 pods of the cluster's DNS is ready");
    assertThat(found("value: \"2\"", "value: \"9\"").get("dns-settings"))
        .contains("Pods set ndots to more than 5: shop/web-1 (9)");
  }

  @Test
  void whatCannotBeUsedIsNamed() throws Exception {
    Path none = folder.resolve("none.yaml");
    assertThatThrownBy(() -> read(none))
        .isInstanceOf(UnreadException.class)
        .hasMessageContaining(none.toString());
    Path broken = Files.writeString(folder.resolve("broken.yaml"), "a: [1\n");
    assertThatThrownBy(() -> read(broken)).hasMessageContaining("broken.yaml:");
    Path empty =
        Files.writeString(
            folder.resolve("empty.yaml"), "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\n");
    assertThatThrownBy(() -> read(empty)).hasMessageContaining("holds no nodes, Services, pods");
  }

  private static void read(Path file) throws UnreadException {
    ClusterFacts.ofFiles(List.of(file.toString()), InputStream.nullInputStream())
        .tell(Facts.CLUSTER);
  }
}
