package dev.sund.it.service;

import static dev.sund.it.service.Heard.REFUSED;
import static dev.sund.it.service.Heard.SILENCE;
import static dev.sund.it.service.Heard.answered;
import static dev.sund.it.service.Manifest.Backend.notReady;
import static dev.sund.it.service.Manifest.Backend.ready;
import static dev.sund.it.service.Manifest.service;
import static dev.sund.it.service.Manifest.serviceWith;
import static dev.sund.it.service.Manifest.slices;
import static dev.sund.model.Protocol.TCP;
import static dev.sund.model.Protocol.UDP;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.engine.cluster.PortMapping;
import dev.sund.model.Condition;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.Reason;
import dev.sund.model.ServiceKey;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.AfterParameterizedClassInvocation;
import org.junit.jupiter.params.BeforeParameterizedClassInvocation;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Services beside others: pods' host ports, rules of somebody else, and Services with which
 * something is wrong. As in {@link ServiceScenesTest}, packets and the tracer both said what a test
 * says.
 */
@Tag("netns")
@Timeout(300)
@ParameterizedClass
@EnumSource(Dataplanes.class)
class ServiceEdgeScenesTest {
  private static final String WEB = "ports: [{name: web, port: 80, targetPort: 8080}]";
  private static final String WEB_SLICE = "web:tcp:8080";

  @TempDir private static Path directory;
  private static ServiceBed bed;

  ServiceEdgeScenesTest(Dataplanes kind) {
    assertThat(kind).isNotNull();
  }

  @BeforeParameterizedClassInvocation
  static void build(Dataplanes kind) throws Exception {
    bed = ServiceBed.build(kind, directory.resolve(kind.name()));
  }

  @AfterParameterizedClassInvocation
  static void close() throws Exception {
    bed.close();
  }

  @AfterEach
  void kernelsHoldWhatIsWanted() throws Exception {
    bed.assertInForce();
    bed.have();
  }

  private static String ip(String name) {
    return bed.address(name, Family.V4).toString();
  }

  private static String ip6(String name) {
    return bed.address(name, Family.V6).toString();
  }

  @Test
  void oneHostPortIsForOneAddressAndOneProtocol() throws Exception { // S20
    Optional<Ip> atLoopback = Optional.of(Ip.parse("127.0.0.1"));
    Optional<Ip> atNode = Optional.of(bed.address("n1", Family.V4));
    Optional<Ip> atNode6 = Optional.of(bed.address("n1", Family.V6));
    bed.hostPorts("a", new PortMapping(atLoopback, 8081, 8080, TCP));
    bed.hostPorts(
        "b", new PortMapping(atNode, 8081, 8080, TCP), new PortMapping(atNode6, 8081, 9090, UDP));
    bed.hostPorts("c", new PortMapping(Optional.empty(), 8081, 8080, TCP));
    assertThat(bed.ask("n1", TCP, "127.0.0.1", 8081)).isEqualTo(answered("a", ip("n1")));
    for (String from : List.of("outside", "a", "d")) {
      assertThat(bed.ask(from, TCP, ip("n1"), 8081).by()).as(from).isEqualTo("b");
      assertThat(bed.ask(from, UDP, ip6("n1"), 8081).by()).as(from).isEqualTo("b");
      assertThat(bed.ask(from, TCP, ip6("n1"), 8081)).as(from).isEqualTo(REFUSED);
      assertThat(bed.ask(from, TCP, ip("n2"), 8081).by()).as(from).isEqualTo("c");
    }
    assertThat(bed.ask("outside", TCP, ip("n1"), 8081)).isEqualTo(answered("b", ip("outside")));
    // A node port at the same place gives way, at the other node it is there.
    bed.have(
        service("web", 34, "type: NodePort, ports: [{name: web, port: 80, nodePort: 30081}]"),
        slices(bed, "web", WEB_SLICE, ready("a")));
    bed.hostPorts("c", new PortMapping(Optional.empty(), 30081, 8080, TCP));
    assertThat(bed.ask("outside", TCP, ip("n2"), 30081).by()).isEqualTo("c");
    assertThat(bed.ask("outside", TCP, ip("n1"), 30081).by()).isEqualTo("a");
    for (String pod : List.of("a", "b", "c")) {
      bed.hostPorts(pod);
    }
    assertThat(bed.ask("outside", TCP, ip("n1"), 8081)).isEqualTo(REFUSED);
  }

  @Test
  void whereTheNodeMayAskTheBalancersAddressMay() throws Exception { // S13
    // A balancer's agent puts its address on the node: the node's own packets come from it.
    String vip = "198.51.100.35";
    ServiceBed.run(bed.place("n1"), "ip", "address", "add", vip + "/32", "dev", "lo");
    bed.node("n1").tell(List.of(bed.node("n1").facts()));
    String spec = "type: LoadBalancer, loadBalancerSourceRanges: [%s], " + WEB;
    String status = "loadBalancer: {ingress: [{ip: " + vip + "}]}";
    String slices = slices(bed, "web", WEB_SLICE, ready("b"));
    try {
      bed.have(serviceWith("web", 35, "", spec.formatted("192.168.11.0/24"), status), slices);
      assertThat(bed.ask("n1", TCP, vip, 80).by()).isEqualTo("b");
      bed.have(serviceWith("web", 35, "", spec.formatted("203.0.114.0/24"), status), slices);
      assertThat(bed.ask("n1", TCP, vip, 80)).isEqualTo(SILENCE);
    } finally {
      ServiceBed.run(bed.place("n1"), "ip", "address", "del", vip + "/32", "dev", "lo");
      bed.node("n1").tell(List.of(bed.node("n1").facts()));
    }
  }

  @Test
  void rulesOfOthersSeeEndpointsAndOursAreInOwnTables() throws Exception { // S26
    bed.have(service("web", 36, WEB), slices(bed, "web", WEB_SLICE, ready("a")));
    assertThat(ServiceBed.run(bed.place("n1"), "nft", "list", "tables"))
        .isEqualTo("table inet sund\ntable inet sund-policy\n");
    assertThat(ServiceBed.run(bed.place("n1"), "nft", "list", "table", "inet", "sund"))
        .contains("type nat hook prerouting priority dstnat")
        .contains("type nat hook postrouting priority srcnat");
    assertThat(bed.ask("b", TCP, "10.96.0.36", 80)).isEqualTo(answered("a", ip("b")));
    ServiceBed.run(
        bed.place("n1"),
        "nft",
        "table inet others { chain theirs { type filter hook forward priority filter; ip daddr "
            + ip("a")
            + " tcp dport 8080 drop; }; }");
    try {
      // A policy's rule names the endpoint, and stops who asked the Service.
      assertThat(bed.packets("b", TCP, "10.96.0.36", 80, 1)).containsExactly(SILENCE);
      bed.have(
          service("web", 36, "clusterIP: 10.96.0.36, " + WEB),
          slices(bed, "web", WEB_SLICE, ready("c")));
      assertThat(bed.ask("b", TCP, "10.96.0.36", 80)).isEqualTo(answered("c", ip("b")));
      assertThat(ServiceBed.run(bed.place("n1"), "nft", "list", "tables"))
          .isEqualTo("table inet sund\ntable inet sund-policy\ntable inet others\n");
    } finally {
      ServiceBed.run(bed.place("n1"), "nft", "delete", "table", "inet", "others");
    }
  }

  // Bad input: each is told at its object, and all other Services go on.

  @Test
  void ofTwoAtOneNodePortOrExternalAddressTheOlderHasIt() throws Exception {
    String spec =
        "type: NodePort, externalIPs: [198.51.100.40], ports: [{name: web, port: 80, nodePort:"
            + " 30110}]";
    bed.have(
        service("old", 40, spec),
        slices(bed, "old", WEB_SLICE, ready("a")),
        service("young", 41, spec),
        slices(bed, "young", WEB_SLICE, ready("c")));
    assertThat(reasons("young")).containsOnly(Reason.SERVICE_PORT_TAKEN).isNotEmpty();
    assertThat(reasons("old")).isEmpty();
    assertThat(bed.ask("outside", TCP, ip("n1"), 30110).by()).isEqualTo("a");
    assertThat(bed.ask("outside", TCP, "198.51.100.40", 80).by()).isEqualTo("a");
    // Where nobody else is, it answers; and all of it once the other goes.
    assertThat(bed.ask("b", TCP, "10.96.0.41", 80)).isEqualTo(answered("c", ip("b")));
    bed.have(service("young", 41, spec), slices(bed, "young", WEB_SLICE, ready("c")));
    assertThat(reasons("young")).isEmpty();
    assertThat(bed.ask("outside", TCP, ip("n1"), 30110).by()).isEqualTo("c");
  }

  @Test
  void whatIsWrongWithOneLeavesTheOthersAsTheyAre() throws Exception {
    String good = service("good", 42, WEB);
    String goods = slices(bed, "good", WEB_SLICE, ready("a"), ready("c"));
    bed.have(good, goods);
    both("good", "10.96.0.42");

    // Endpoints outside of pods' ranges, here the node itself and a host elsewhere.
    bed.have(
        good,
        goods,
        service("far", 43, WEB),
        slice("far", "a", "[{addresses: [%s]}, {addresses: [203.0.113.10]}]".formatted(ip("n1"))));
    assertThat(reasons("far")).containsExactly(Reason.ENDPOINT_OUTSIDE_PODS);
    both("good", "10.96.0.42");

    // No selector, and nobody who says who answers.
    bed.have(good, goods, service("lost", 44, WEB).replace("selector: {app: lost}, ", ""));
    assertThat(reasons("lost")).containsExactly(Reason.SERVICE_UNBACKED);
    assertThat(bed.ask("b", TCP, "10.96.0.44", 80)).isEqualTo(REFUSED);
    both("good", "10.96.0.42");

    // Slices that contradict each other: the better word counts.
    bed.have(
        good,
        goods,
        service("torn", 45, WEB),
        slice("torn", "a", endpoint("a", true)),
        slice("torn", "b", endpoint("a", false)));
    assertThat(reasons("torn")).containsExactly(Reason.CONTRADICTING_SLICES);
    assertThat(bed.ask("b", TCP, "10.96.0.45", 80)).isEqualTo(answered("a", ip("b")));
    both("good", "10.96.0.42");

    // A hint that names no zone there is.
    bed.have(
        good,
        goods,
        service("moon", 46, WEB),
        slices(bed, "moon", WEB_SLICE, ready("a").forZones("moon"), notReady("c")));
    assertThat(reasons("moon")).isNotEmpty().containsOnly(Reason.UNKNOWN_HINT);
    assertThat(bed.ask("b", TCP, "10.96.0.46", 80)).isEqualTo(answered("a", ip("b")));
    both("good", "10.96.0.42");

    // A port that there is none of: the object is refused, its last good state stays.
    bed.have(good, goods, service("port", 47, WEB), slices(bed, "port", WEB_SLICE, ready("c")));
    bed.tellRefused(service("port", 47, WEB.replace("port: 80", "port: 80080")));
    assertThat(reasons("port")).containsExactly(Reason.INVALID_FIELD);
    assertThat(bed.ask("b", TCP, "10.96.0.47", 80)).isEqualTo(answered("c", ip("b")));
    both("good", "10.96.0.42");
  }

  private static void both(String name, String address) throws Exception {
    assertThat(ServiceBed.names(bed.askAll("b", TCP, address, 80))).containsExactly("a", "c");
    assertThat(reasons(name)).isEmpty();
  }

  /** What {@code sund service show} says is wrong with it. */
  private static List<Reason> reasons(String service) {
    return bed
        .node("n1")
        .compiler()
        .service(new ServiceKey("shop", service))
        .orElseThrow()
        .conditions()
        .stream()
        .map(Condition::reason)
        .toList();
  }

  private static String endpoint(String pod, boolean ready) {
    return "[{addresses: [%s], nodeName: n1, conditions: {ready: %s, serving: %s}}]"
        .formatted(ip(pod), ready, ready);
  }

  private static String slice(String service, String name, String endpoints) {
    return """
    {apiVersion: discovery.k8s.io/v1, kind: EndpointSlice,
     metadata: {namespace: shop, name: %s-%s, uid: e-%s-%s, labels: {kubernetes.io/service-name: %s}},
     addressType: IPv4, ports: [{name: web, protocol: TCP, port: 8080}], endpoints: %s}\
    """
        .formatted(service, name, service, name, service, endpoints);
  }
}
