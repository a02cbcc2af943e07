package dev.sund.kube.manifest;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.engine.cluster.ClusterEvent;
import dev.sund.engine.cluster.EndpointChoice;
import dev.sund.engine.cluster.EndpointSlice;
import dev.sund.engine.cluster.EndpointSlice.Backend;
import dev.sund.engine.cluster.EndpointSlice.SlicePort;
import dev.sund.engine.cluster.Service;
import dev.sund.engine.cluster.Service.LoadBalancerIp;
import dev.sund.engine.cluster.Service.NotServed;
import dev.sund.engine.cluster.Service.ServicePort;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.NodeName;
import dev.sund.model.PodKey;
import dev.sund.model.Prefix;
import dev.sund.model.Protocol;
import dev.sund.model.ServiceKey;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** What Services and EndpointSlices say, as their objects have it. */
class ServicesTest {
  private static final String SLICE =
      """
      apiVersion: discovery.k8s.io/v1
      kind: EndpointSlice
      metadata:
        name: web-1
        namespace: shop
        uid: slice-1
        labels: {kubernetes.io/service-name: web}
        annotations: {endpoints.kubernetes.io/last-change-trigger-time: "2026-01-31T12:00:00.25Z"}
      addressType: IPv4
      """;

  private static ClusterEvent event(String text) {
    Manifests read = ManifestFiles.parse("f.yaml", text);
    assertThat(read.findings()).isEmpty();
    return read.events().getFirst();
  }

  private static Service service(String spec) {
    return service("{name: web, namespace: shop, uid: service-1}", spec);
  }

  private static Service service(String metadata, String spec) {
    String text = "apiVersion: v1\nkind: Service\nmetadata: " + metadata + "\n" + spec;
    return ((ClusterEvent.ServiceSeen) event(text)).service();
  }

  private static EndpointSlice slice(String rest) {
    return ((ClusterEvent.SliceSeen) event(SLICE + rest)).slice();
  }

  @Test
  void aServiceSaysEverythingThatMattersToPackets() {
    Service found =
        service(
            """
            spec:
              type: LoadBalancer
              clusterIP: 10.96.0.10
              clusterIPs: [10.96.0.10, "fd00:10:96::10"]
              ipFamilies: [IPv4, IPv6]
              ipFamilyPolicy: RequireDualStack
              externalIPs: [203.0.113.7]
              selector: {app: web}
              internalTrafficPolicy: Local
              externalTrafficPolicy: Local
              healthCheckNodePort: 32000
              sessionAffinity: ClientIP
              sessionAffinityConfig: {clientIP: {timeoutSeconds: 60}}
              publishNotReadyAddresses: true
              loadBalancerSourceRanges: [198.51.100.0/24, " 2001:db8::1/32"]
              trafficDistribution: PreferSameZone
              ports:
              - {name: web, port: 80, targetPort: http, nodePort: 30080, appProtocol: http}
              - {name: dns, port: 53, protocol: UDP, nodePort: 30080}
              - {name: sig, port: 2905, protocol: SCTP, nodePort: 0}
            status:
              loadBalancer:
                ingress:
                - {ip: 203.0.113.1, ipMode: VIP}
                - {ip: 203.0.113.2, ipMode: Proxy}
                - {hostname: lb.example}
            """);
    assertThat(found)
        .isEqualTo(
            new Service(
                new ServiceKey("shop", "web"),
                "service-1",
                0,
                Service.Type.LOAD_BALANCER,
                Optional.empty(),
                List.of(Ip.parse("10.96.0.10"), Ip.parse("fd00:10:96::10")),
                List.of(Ip.parse("203.0.113.7")),
                List.of(
                    new LoadBalancerIp(Ip.parse("203.0.113.1"), false),
                    new LoadBalancerIp(Ip.parse("203.0.113.2"), true)),
                List.of(
                    new ServicePort("web", Protocol.TCP, 80, Optional.of(30080)),
                    new ServicePort("dns", Protocol.UDP, 53, Optional.of(30080)),
                    new ServicePort("sig", Protocol.SCTP, 2905, Optional.empty())),
                List.of(Prefix.parse("198.51.100.0/24"), Prefix.parse("2001:db8::/32")),
                true,
                true,
                Optional.of(32000),
                Optional.of(Duration.ofSeconds(60)),
                true,
                true,
                Optional.empty()));
  }

  @Test
  void whatAServiceDoesNotSayIsAsAnApiServerFillsItIn() {
    Service found = service("spec: {clusterIP: 10.96.0.10, ports: [{port: 80}]}");
    assertThat(found.type()).isEqualTo(Service.Type.CLUSTER_IP);
    assertThat(found.clusterIps()).containsExactly(Ip.parse("10.96.0.10"));
    assertThat(found.ports())
        .containsExactly(new ServicePort("", Protocol.TCP, 80, Optional.empty()));
    assertThat(found.internalLocal()).isFalse();
    assertThat(found.externalLocal()).isFalse();
    assertThat(found.affinity()).isEmpty();
    assertThat(found.hasSelector()).isFalse();
    assertThat(
            service("spec: {clusterIP: 10.96.0.10, ports: [{port: 80}], sessionAffinity: ClientIP}")
                .affinity())
        .as("three hours")
        .contains(Duration.ofSeconds(10_800));
  }

  @Test
  void whatBelongsToAnotherTypeOfServiceDoesNotCount() {
    Service found =
        service(
            """
            spec:
              clusterIP: 10.96.0.10
              externalTrafficPolicy: Local
              healthCheckNodePort: 32000
              loadBalancerSourceRanges: [198.51.100.0/24]
              ports: [{port: 80, nodePort: 30080}]
            status: {loadBalancer: {ingress: [{ip: 203.0.113.1}]}}
            """);
    assertThat(found.ports().getFirst().nodePort()).isEmpty();
    assertThat(found.healthCheckNodePort()).isEmpty();
    assertThat(found.sourceRanges()).isEmpty();
    assertThat(found.loadBalancerIps()).isEmpty();
  }

  @Test
  void s13TheOldAnnotationLimitsSourcesWhereTheFieldDoesNot() {
    String metadata =
        "{name: web, namespace: shop, annotations: {"
            + "service.beta.kubernetes.io/load-balancer-source-ranges: \"198.51.100.7/24, 192.0.2.0/24\"}}";
    String spec = "spec: {type: LoadBalancer, clusterIP: 10.96.0.10, ports: [{port: 80}]";
    assertThat(service(metadata, spec + "}").sourceRanges())
        .containsExactly(Prefix.parse("198.51.100.0/24"), Prefix.parse("192.0.2.0/24"));
    assertThat(service(metadata, spec + ", loadBalancerSourceRanges: [10.0.0.0/8]}").sourceRanges())
        .containsExactly(Prefix.parse("10.0.0.0/8"));
  }

  @Test
  void s19WhatNoProxyServesIsToldWithTheReasonAndWithoutAddresses() {
    String web = "{name: web, namespace: shop";
    Service other =
        service(
            web + ", labels: {service.kubernetes.io/service-proxy-name: mesh}}",
            "spec: {clusterIP: 10.96.0.10, ports: [{port: 80}]}");
    assertThat(other.notServed()).contains(NotServed.OTHER_PROXY);
    assertThat(other.clusterIps()).isEmpty();
    assertThat(other.ports()).isEmpty();
    assertThat(
            service("spec: {clusterIP: None, clusterIPs: [None], ports: [{port: 80}]}").notServed())
        .contains(NotServed.HEADLESS);
    assertThat(service("spec: {clusterIPs: [None]}").notServed()).contains(NotServed.HEADLESS);
    assertThat(
            service(
                    web + ", labels: {service.kubernetes.io/headless: \"\"}}",
                    "spec: {clusterIP: 10.96.0.10, ports: [{port: 80}]}")
                .notServed())
        .contains(NotServed.HEADLESS);
    assertThat(service("spec: {type: ExternalName, externalName: db.example}").notServed())
        .contains(NotServed.EXTERNAL_NAME);
  }

  @Test
  void aServiceMayAskForTheSameChoiceOnEveryNode() {
    Service found =
        service(
            "{name: web, namespace: shop, annotations: {sund.dev/endpoint-choice: by-client}}",
            "spec: {clusterIP: 10.96.0.10, ports: [{port: 80}]}");
    assertThat(found.choice()).contains(EndpointChoice.BY_CLIENT);
  }

  @Test
  void aSliceSaysWhereEachEndpointIsAndInWhatState() {
    EndpointSlice found =
        slice(
            """
            ports: [{name: web, port: 8080, protocol: TCP, appProtocol: http}]
            endpoints:
            - addresses: [10.244.1.5, 10.244.1.6]
              conditions: {ready: false, serving: true, terminating: true}
              nodeName: n1
              zone: a
              hostname: web-0
              hints: {forZones: [{name: a}, {name: b}], forNodes: [{name: n1}]}
              targetRef: {kind: Pod, namespace: shop, name: web-0, uid: pod-1}
            """);
    assertThat(found)
        .isEqualTo(
            new EndpointSlice(
                "shop/web-1",
                "slice-1",
                new ServiceKey("shop", "web"),
                Family.V4,
                List.of(new SlicePort("web", Protocol.TCP, 8080)),
                List.of(
                    new Backend(
                        Ip.parse("10.244.1.5"),
                        false,
                        true,
                        true,
                        Optional.of(new NodeName("n1")),
                        Optional.of("a"),
                        List.of("a", "b"),
                        List.of(new NodeName("n1")),
                        Optional.of(new PodKey("shop", "web-0")))),
                1769860800250L));
  }

  @Test
  void s5AnEndpointThatSaysNothingIsReadyAndServesAsItIsReady() {
    EndpointSlice found =
        slice(
            """
            ports: [{port: 8080}]
            endpoints:
            - {addresses: [10.244.1.5]}
            - {addresses: [10.244.1.6], conditions: {ready: null}}
            - {addresses: [10.244.1.7], conditions: {ready: false}, targetRef: {kind: VM, name: x}}
            """);
    assertThat(found.endpoints()).extracting(Backend::ready).containsExactly(true, true, false);
    assertThat(found.endpoints()).extracting(Backend::serving).containsExactly(true, true, false);
    assertThat(found.endpoints()).extracting(Backend::terminating).containsOnly(false);
    assertThat(found.endpoints()).extracting(Backend::pod).containsOnly(Optional.empty());
  }

  @Test
  void portsThatAreNullAreNobodys() {
    assertThat(slice("ports: null\nendpoints: null\n").ports()).isEmpty();
    assertThat(slice("ports: [{name: web}, {name: any, port: null}]\nendpoints: []\n").ports())
        .isEmpty();
  }

  @Test
  void aSliceThatIsNoProxysBusinessMeansNoSlice() {
    for (String labels :
        List.of(
            "{}",
            "{kubernetes.io/service-name: \"\"}",
            "{kubernetes.io/service-name: web, service.kubernetes.io/headless: \"\"}",
            "{kubernetes.io/service-name: web, service.kubernetes.io/service-proxy-name: mesh}")) {
      String text =
          "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\n"
              + "metadata: {name: web-1, namespace: shop, labels: "
              + labels
              + "}\naddressType: IPv4\nports: []\nendpoints: []\n";
      assertThat(event(text)).as(labels).isEqualTo(new ClusterEvent.SliceGone("shop/web-1"));
    }
  }
}
