package dev.sund.it.service;

import static dev.sund.it.service.Heard.REFUSED;
import static dev.sund.it.service.Heard.SILENCE;
import static dev.sund.it.service.Heard.answered;
import static dev.sund.it.service.Manifest.Backend.leaving;
import static dev.sund.it.service.Manifest.Backend.notReady;
import static dev.sund.it.service.Manifest.Backend.ready;
import static dev.sund.it.service.Manifest.service;
import static dev.sund.it.service.Manifest.serviceWith;
import static dev.sund.it.service.Manifest.slices;
import static dev.sund.model.Protocol.SCTP;
import static dev.sund.model.Protocol.TCP;
import static dev.sund.model.Protocol.UDP;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.engine.cluster.ClusterEvent.ServicesSet;
import dev.sund.engine.cluster.ServiceSettings;
import dev.sund.engine.cluster.ServiceSettings.NodePorts;
import dev.sund.it.service.Manifest.Backend;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.Prefix;
import dev.sund.model.Protocol;
import dev.sund.model.Reason;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.AtomicBoolean;
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
 * Who gets a packet to a Service, and whom he sees. What a test says of a question, packets in
 * namespaces and the tracer both said.
 */
@Tag("netns")
@Timeout(300)
@ParameterizedClass
@EnumSource(Dataplanes.class)
class ServiceScenesTest {
  private static final String WEB = "ports: [{name: web, port: 80, targetPort: 8080}]";
  private static final String WEB_SLICE = "web:tcp:8080";

  @TempDir private static Path directory;
  private static ServiceBed bed;

  ServiceScenesTest(Dataplanes kind) {
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
  }

  private static String ip(String name) {
    return bed.address(name, Family.V4).toString();
  }

  private static String ip6(String name) {
    return bed.address(name, Family.V6).toString();
  }

  @Test
  void whoHasNoEndpointsIsRefused() throws Exception { // S1
    bed.have(
        service(
            "web",
            10,
            "type: NodePort, externalIPs: [198.51.100.10, \"fd00:100::10\"], ports: [{name: web,"
                + " port: 80, nodePort: 30080}, {name: dns, port: 53, protocol: UDP, nodePort:"
                + " 30053}]"));
    for (String from : List.of("a", "n1")) {
      assertThat(bed.ask(from, TCP, "10.96.0.10", 80)).isEqualTo(REFUSED);
      assertThat(bed.ask(from, TCP, "fd00:96::a", 80)).isEqualTo(REFUSED);
      assertThat(bed.ask(from, UDP, "10.96.0.10", 53)).isEqualTo(REFUSED);
      assertThat(bed.ask(from, UDP, "fd00:96::a", 53)).isEqualTo(REFUSED);
    }
    assertThat(bed.ask("outside", TCP, ip("n1"), 30080)).isEqualTo(REFUSED);
    assertThat(bed.ask("outside", UDP, ip6("n2"), 30053)).isEqualTo(REFUSED);
    assertThat(bed.ask("outside", TCP, "198.51.100.10", 80)).isEqualTo(REFUSED);
    assertThat(bed.ask("outside", TCP, "fd00:100::10", 80)).isEqualTo(REFUSED);
  }

  @Test
  void whoHasEndpointsButNoneHereUnderPolicyLocalIsIgnored() throws Exception { // S2
    bed.have(
        service(
            "web",
            11,
            "type: NodePort, internalTrafficPolicy: Local, externalTrafficPolicy: Local, ports:"
                + " [{name: web, port: 80, nodePort: 30081}]"),
        slices(bed, "web", WEB_SLICE, ready("c")));
    assertThat(bed.ask("a", TCP, "10.96.0.11", 80)).isEqualTo(SILENCE);
    assertThat(bed.ask("a", TCP, "fd00:96::b", 80)).isEqualTo(SILENCE);
    assertThat(bed.ask("d", TCP, "10.96.0.11", 80)).isEqualTo(answered("c", ip("d")));
    assertThat(bed.ask("outside", TCP, ip("n1"), 30081)).isEqualTo(SILENCE);
    assertThat(bed.ask("outside", TCP, ip("n2"), 30081)).isEqualTo(answered("c", ip("outside")));
    assertThat(bed.ask("outside", TCP, ip6("n2"), 30081)).isEqualTo(answered("c", ip6("outside")));
  }

  @Test
  void thoseWhoLeaveAnswerOnlyWhileNobodyElseDoes() throws Exception { // S3
    String service =
        service(
            "web",
            12,
            "type: NodePort, externalTrafficPolicy: Local, ports: [{name: web, port: 80, nodePort:"
                + " 30082}]");
    bed.have(service, slices(bed, "web", WEB_SLICE, leaving("a"), leaving("c")));
    assertThat(ServiceBed.names(bed.askAll("b", TCP, "10.96.0.12", 80))).containsExactly("a", "c");
    bed.have(service, slices(bed, "web", WEB_SLICE, leaving("a"), ready("c")));
    assertThat(ServiceBed.names(bed.askAll("b", TCP, "10.96.0.12", 80))).containsExactly("c");
    // Of this node alone, the one that leaves is all there is: Local is looked at by itself.
    assertThat(bed.ask("outside", TCP, ip("n1"), 30082)).isEqualTo(answered("a", ip("outside")));
  }

  @Test
  void hintsCountWhenAllHaveThem() throws Exception { // S4
    String service = service("web", 13, WEB);
    bed.have(
        service,
        slices(bed, "web", WEB_SLICE, ready("a").forZones("west"), ready("c").forZones("east")));
    assertThat(ServiceBed.names(bed.askAll("b", TCP, "10.96.0.13", 80))).containsExactly("a");
    assertThat(ServiceBed.names(bed.askAll("d", TCP, "10.96.0.13", 80))).containsExactly("c");
    bed.have(service, slices(bed, "web", WEB_SLICE, ready("a").forZones("west"), ready("c")));
    assertThat(ServiceBed.names(bed.askAll("b", TCP, "10.96.0.13", 80))).containsExactly("a", "c");
    bed.have(
        service,
        slices(
            bed,
            "web",
            WEB_SLICE,
            ready("a").forZones("west").forNodes("n2"),
            ready("c").forZones("east").forNodes("n1")));
    assertThat(ServiceBed.names(bed.askAll("b", TCP, "10.96.0.13", 80))).containsExactly("c");
  }

  @Test
  void whoIsNotReadyIsNotAsked() throws Exception { // S5
    bed.have(service("web", 14, WEB), slices(bed, "web", WEB_SLICE, notReady("a"), ready("c")));
    assertThat(bed.ask("b", TCP, "10.96.0.14", 80)).isEqualTo(answered("c", ip("b")));
    bed.have(service("web", 14, WEB), slices(bed, "web", WEB_SLICE, notReady("a")));
    assertThat(bed.ask("b", TCP, "10.96.0.14", 80)).isEqualTo(REFUSED);
    bed.have(
        service("web", 14, "publishNotReadyAddresses: true, " + WEB),
        slices(bed, "web", WEB_SLICE, notReady("a")));
    assertThat(bed.ask("b", TCP, "10.96.0.14", 80)).isEqualTo(answered("a", ip("b")));
  }

  @Test
  void policyLocalKeepsTheSourceAndIsForThoseOutside() throws Exception { // S6
    bed.have(
        service(
            "web",
            15,
            "type: NodePort, externalTrafficPolicy: Local, externalIPs: [198.51.100.15], ports:"
                + " [{name: web, port: 80, nodePort: 30085}]"),
        slices(bed, "web", WEB_SLICE, ready("a"), ready("c")));
    assertThat(bed.ask("outside", TCP, "198.51.100.15", 80))
        .isEqualTo(answered("a", ip("outside")));
    assertThat(bed.ask("outside", TCP, ip("n2"), 30085)).isEqualTo(answered("c", ip("outside")));
    // Pods of the cluster and the node itself: any endpoint; the node's own packets translated.
    assertThat(bed.askAll("b", TCP, "198.51.100.15", 80))
        .containsExactly(answered("a", ip("b")), answered("c", ip("b")));
    assertThat(ServiceBed.names(bed.askAll("n1", TCP, "198.51.100.15", 80)))
        .containsExactly("a", "c");
    assertThat(bed.askAll("n1", TCP, ip("n1"), 30085))
        .allMatch(heard -> heard.source().equals(ip("n1")));
  }

  @Test
  void whoComesFromOutsideIsTranslatedAndPodsAreNot() throws Exception { // S7, S8, S10
    bed.have(
        service("web", 16, "type: NodePort, ports: [{name: web, port: 80, nodePort: 30086}]"),
        slices(bed, "web", WEB_SLICE, ready("c")));
    assertThat(bed.ask("outside", TCP, ip("n1"), 30086)).isEqualTo(answered("c", ip("n1")));
    assertThat(bed.ask("outside", TCP, ip6("n1"), 30086)).isEqualTo(answered("c", ip6("n1")));
    // There and back again: from n2 by n1 to n2.
    assertThat(bed.ask("d", TCP, ip("n1"), 30086)).isEqualTo(answered("c", ip("n1")));
    assertThat(bed.ask("d", TCP, ip6("n1"), 30086)).isEqualTo(answered("c", ip6("n1")));
    assertThat(bed.ask("a", TCP, "10.96.0.16", 80)).isEqualTo(answered("c", ip("a")));
    assertThat(bed.ask("a", TCP, "fd00:96::10", 80)).isEqualTo(answered("c", ip6("a")));
    assertThat(bed.ask("d", UDP, ip("c"), 8080)).isEqualTo(answered("c", ip("d")));
    assertThat(bed.ask("a", TCP, ip6("c"), 8080)).isEqualTo(answered("c", ip6("a")));
    // S8: off-cluster sources at a ClusterIP, which the router sends to n1.
    assertThat(bed.ask("outside", TCP, "10.96.0.16", 80)).isEqualTo(answered("c", ip("n1")));
    assertThat(bed.ask("n1", TCP, "10.96.0.16", 80)).isEqualTo(answered("c", ip("n1")));
  }

  @Test
  void aPodReachesItselfByItsService() throws Exception { // S9
    bed.have(
        service("web", 17, "ports: [{name: web, port: 80}, {name: dns, port: 53, protocol: UDP}]"),
        slices(bed, "web", List.of(WEB_SLICE, "dns:udp:8080"), ready("a")));
    assertThat(bed.ask("a", TCP, "10.96.0.17", 80)).isEqualTo(answered("a", ip("n1")));
    assertThat(bed.ask("a", TCP, "fd00:96::11", 80)).isEqualTo(answered("a", ip6("n1")));
    assertThat(bed.ask("a", UDP, "10.96.0.17", 53)).isEqualTo(answered("a", ip("n1")));
    assertThat(bed.ask("b", TCP, "10.96.0.17", 80)).isEqualTo(answered("a", ip("b")));
  }

  @Test
  void sourceRangesAreForLoadBalancersAlone() throws Exception { // S13
    String status = "loadBalancer: {ingress: [{ip: 198.51.100.20}, {ip: \"fd00:100::20\"}]}";
    String ports = "ports: [{name: web, port: 80, nodePort: 30090}]";
    String slices = slices(bed, "web", WEB_SLICE, ready("a"));
    bed.have(
        serviceWith(
            "web",
            20,
            "",
            "type: LoadBalancer, loadBalancerSourceRanges: [203.0.113.0/24], " + ports,
            status),
        slices);
    assertThat(bed.ask("outside", TCP, "198.51.100.20", 80).by()).isEqualTo("a");
    // Ranges of one family say nothing about the other.
    assertThat(bed.ask("outside", TCP, "fd00:100::20", 80).by()).isEqualTo("a");
    bed.have(
        serviceWith(
            "web",
            20,
            "",
            "type: LoadBalancer, loadBalancerSourceRanges: [203.0.114.0/24], " + ports,
            status),
        slices);
    assertThat(bed.ask("outside", TCP, "198.51.100.20", 80)).isEqualTo(SILENCE);
    assertThat(bed.ask("outside", TCP, ip("n1"), 30090).by()).isEqualTo("a");
    assertThat(bed.ask("b", TCP, "10.96.0.20", 80)).isEqualTo(answered("a", ip("b")));
  }

  @Test
  void nodePortsAreAtAllAddressesButTheLoopback() throws Exception { // S14
    bed.have(
        service("web", 21, "type: NodePort, ports: [{name: web, port: 80, nodePort: 30091}]"),
        slices(bed, "web", WEB_SLICE, ready("a")));
    assertThat(bed.ask("n1", TCP, "127.0.0.1", 30091)).isEqualTo(REFUSED);
    assertThat(bed.ask("n1", TCP, "::1", 30091)).isEqualTo(REFUSED);
    assertThat(bed.ask("n1", TCP, ip("n1"), 30091).by()).isEqualTo("a");
    assertThat(bed.ask("d", TCP, ip("n1"), 30091).by()).isEqualTo("a");
    assertThat(bed.ask("d", TCP, ip6("n2"), 30091).by()).isEqualTo("a");
  }

  @Test
  void anExternalAddressOfNobodyIsReached() throws Exception { // S17
    bed.have(
        service("web", 22, "externalIPs: [198.51.102.1, \"fd00:102::1\"], " + WEB),
        slices(bed, "web", WEB_SLICE, ready("c")));
    for (String from : List.of("a", "d", "n1", "n2")) {
      assertThat(bed.ask(from, TCP, "198.51.102.1", 80).by()).isEqualTo("c");
      assertThat(bed.ask(from, TCP, "fd00:102::1", 80).by()).isEqualTo("c");
    }
  }

  @Test
  void onePortMayBeForTcpAndForUdp() throws Exception { // S18
    String both =
        "type: NodePort, ports: [{name: tcp, port: 53, nodePort: 30053}, {name: udp, port: 53,"
            + " protocol: UDP, nodePort: 30053}]";
    String slices = slices(bed, "web", List.of("tcp:tcp:8080", "udp:udp:9090"), ready("a"));
    bed.have(service("web", 23, both), slices);
    for (Protocol protocol : List.of(TCP, UDP)) {
      assertThat(bed.ask("outside", protocol, ip("n1"), 30053).by()).isEqualTo("a");
      assertThat(bed.ask("c", protocol, "10.96.0.23", 53)).isEqualTo(answered("a", ip("c")));
    }
    // Types change, ports come and go, the Service is deleted and made again.
    bed.have(service("web", 23, "ports: [{name: tcp, port: 53}, {name: more, port: 54}]"), slices);
    bed.assertNobodyAnswers("c", UDP, "10.96.0.23", 53);
    assertThat(bed.ask("outside", TCP, ip("n1"), 30053)).isEqualTo(REFUSED);
    assertThat(bed.ask("c", TCP, "10.96.0.23", 54)).isEqualTo(REFUSED);
    bed.have(service("web", 23, "type: ExternalName, externalName: example.org"), slices);
    bed.assertNobodyAnswers("c", TCP, "10.96.0.23", 53);
    bed.have();
    bed.assertNobodyAnswers("c", TCP, "10.96.0.23", 53);
    bed.have(service("web", 23, both), slices);
    assertThat(bed.ask("c", TCP, "10.96.0.23", 53).by()).isEqualTo("a");
  }

  @Test
  void othersServicesAndHeadlessOnesAreLeftAlone() throws Exception { // S19
    String slices = slices(bed, "web", WEB_SLICE, ready("a"));
    bed.have(
        serviceWith("web", 24, "service.kubernetes.io/service-proxy-name: other", WEB, ""), slices);
    assertThat(bed.node("n1").wanted().frontends()).isEmpty();
    bed.have(serviceWith("web", 24, "service.kubernetes.io/headless: \"\"", WEB, ""), slices);
    assertThat(bed.node("n1").wanted().frontends()).isEmpty();
    bed.assertNobodyAnswers("c", TCP, "10.96.0.24", 80);
  }

  @Test
  void largeRequestsPass() throws Exception { // S22
    bed.have(
        service("web", 26, "ports: [{name: web, port: 80}, {name: dns, port: 53, protocol: UDP}]"),
        slices(bed, "web", List.of(WEB_SLICE, "dns:udp:8080"), ready("c")));
    for (String address : List.of("10.96.0.26", "fd00:96::1a")) {
      assertThat(bed.askWith(2_000_000, "a", TCP, address, 80).by()).isEqualTo("c");
      assertThat(bed.askWith(9_000, "a", UDP, address, 53).by()).isEqualTo("c");
    }
  }

  @Test
  void whatIsForAProxyInFrontIsNotShortened() throws Exception { // S27
    String ingress = "loadBalancer: {ingress: [{ip: 198.51.100.27, ipMode: %s}]}";
    String spec = "type: LoadBalancer, " + WEB;
    String slices = slices(bed, "web", WEB_SLICE, ready("a"));
    bed.have(serviceWith("web", 27, "", spec, ingress.formatted("VIP")), slices);
    assertThat(bed.ask("b", TCP, "198.51.100.27", 80).by()).isEqualTo("a");
    bed.have(serviceWith("web", 27, "", spec, ingress.formatted("Proxy")), slices);
    bed.assertNobodyAnswers("b", TCP, "198.51.100.27", 80);
  }

  @Test
  void endpointsOfBothNodesAnswerAlikeFromEverywhere() throws Exception {
    bed.have(
        service("web", 28, "type: NodePort, ports: [{name: web, port: 80, nodePort: 30098}]"),
        slices(bed, "web", WEB_SLICE, ready("a"), ready("b"), ready("c")));
    for (String from : List.of("a", "d", "n1", "n2")) {
      assertThat(ServiceBed.names(bed.askAll(from, TCP, "10.96.0.28", 80)))
          .containsExactly("a", "b", "c");
    }
    assertThat(ServiceBed.names(bed.askAll("outside", UDP, "10.96.0.28", 80))).containsExactly("");
    assertThat(ServiceBed.names(bed.askAll("outside", TCP, ip("n2"), 30098)))
        .containsExactly("a", "b", "c");
  }

  @Test
  void rulesThatSomebodyDeletesComeBack() throws Exception { // S23
    bed.have(
        service("web", 48, "type: NodePort, ports: [{name: web, port: 80, nodePort: 30102}]"),
        slices(bed, "web", WEB_SLICE, ready("c")));
    String table = "inet sund";
    for (String what : List.of("flush map " + table + " frontends-v4", "delete table " + table)) {
      ServiceBed.run(bed.place("n1"), "nft", what);
      bed.node("n1").repair();
      assertThat(bed.ask("a", TCP, "10.96.0.48", 80)).isEqualTo(answered("c", ip("a")));
      assertThat(bed.ask("outside", TCP, ip("n1"), 30102)).isEqualTo(answered("c", ip("n1")));
    }
  }

  @Test
  void whatSomebodyChangedOfAServiceIsNamedAndPutRight() throws Exception { // S23
    bed.have(
        service("web", 49, WEB),
        slices(bed, "web", WEB_SLICE, ready("c")),
        service("api", 50, WEB),
        slices(bed, "api", WEB_SLICE, ready("a")));
    BedNode node = bed.node("n1");
    for (String map : List.of("frontends-v4", "endpoints-v4")) {
      String[] element = bed.element("n1", map, "10.96.0.49");
      String place = "element inet sund " + map + " { " + element[0];
      assertThat(node.verify()).as("before").isEmpty();

      ServiceBed.run(bed.place("n1"), "nft", "delete " + place + " }");
      assertThat(node.verify()).as("without %s", place).hasSize(1);
      assertThat(node.verify().getFirst().reason()).isEqualTo(Reason.DRIFT_MISSING);
      assertThat(node.verify().getFirst().object().toString()).contains(map);

      ServiceBed.run(
          bed.place("n1"), "nft", "add " + place + " comment \"mine\" : " + element[1] + " }");
      assertThat(node.verify()).as("another comment at %s", place).hasSize(1);
      assertThat(node.verify().getFirst().reason()).isEqualTo(Reason.DRIFT_CHANGED);
      assertThat(node.verify().getFirst().field()).isEqualTo("comment");

      node.repair();
      assertThat(node.verify()).as("mended").isEmpty();
      bed.assertInForce();
      assertThat(bed.ask("a", TCP, "10.96.0.49", 80)).isEqualTo(answered("c", ip("a")));
      assertThat(bed.ask("d", TCP, "10.96.0.50", 80)).isEqualTo(answered("a", ip("d")));
    }
  }

  private static Backend[] all() {
    return new Backend[] {ready("a"), ready("b"), ready("c"), ready("d")};
  }

  @Test
  void everyEndpointIsAsLikely() throws Exception {
    bed.have(service("web", 29, WEB), slices(bed, "web", WEB_SLICE, all()));
    int times = Boolean.getBoolean("sund.long") ? 10_000 : 1_000;
    Map<String, Integer> counts = new TreeMap<>();
    bed.askOften("d", TCP, "10.96.0.29", 80, times)
        .forEach(heard -> counts.merge(heard.by(), 1, Integer::sum));
    assertThat(counts).containsOnlyKeys("a", "b", "c", "d");
    double expected = times / 4.0;
    double chiSquare =
        counts.values().stream().mapToDouble(n -> (n - expected) * (n - expected) / expected).sum();
    assertThat(chiSquare).as("p > 0.001 with 3 degrees of freedom: %s", counts).isLessThan(16.27);
  }

  @Test
  void whileEndpointsComeAndGoNoConnectionIsLost() throws Exception { // S21
    String service = service("web", 34, WEB);
    String one = slices(bed, "web", WEB_SLICE, ready("a"));
    String two = slices(bed, "web", WEB_SLICE, ready("a"), ready("c"));
    bed.have(service, two);
    Map<Heard, Integer> heard = new ConcurrentSkipListMap<>();
    AtomicBoolean over = new AtomicBoolean();
    Thread asker =
        Thread.ofPlatform()
            .start(() -> {
              while (!over.get()) {
                try {
                  Asker.askPatiently(bed.place("b"), Ip.parse("10.96.0.34"), 80, 20)
                      .forEach(each -> heard.merge(each, 1, Integer::sum));
                } catch (IOException e) {
                  heard.merge(answered(e.toString(), "nobody"), 1, Integer::sum);
                }
              }
            });
    int changes = 0;
    long end =
        System.nanoTime() + (Boolean.getBoolean("sund.long") ? 20_000_000_000L : 800_000_000L);
    for (; System.nanoTime() < end; changes += 2) { // the chain for two comes and goes too
      bed.have(service, one);
      bed.have(service, two);
    }
    over.set(true);
    asker.join();
    assertThat(heard.keySet())
        .as("%d changes, %s", changes, heard)
        .containsExactlyElementsOf(bed.askAll("b", TCP, "10.96.0.34", 80));
  }

  @Test
  void aClientKeepsItsEndpointForItsTime() throws Exception { // S12
    String slices = slices(bed, "web", WEB_SLICE, all());
    String affine =
        "sessionAffinity: ClientIP, sessionAffinityConfig: {clientIP: {timeoutSeconds: %d}}, "
            + WEB;
    bed.have(service("web", 30, affine.formatted(1)), slices);
    List<String> first = keptFor(Duration.ofMillis(900));
    Thread.sleep(2_100); // the time, and the kernel's look for what is over
    assertThat(keptFor(Duration.ofMillis(900)))
        .as("all ten the same by chance: one in a million")
        .isNotEqualTo(first);
    // Off and on again while clients come: chosen for anew.
    bed.have(service("web", 30, WEB), slices);
    assertThat(ServiceBed.names(bed.askOften("d", TCP, "10.96.0.30", 80, 48))).hasSize(4);
    bed.have(service("web", 30, affine.formatted(600)), slices);
    List<String> long_ = kept();
    assertThat(kept()).isEqualTo(long_);
    // Whose endpoint goes gets another at once, all others keep theirs.
    String gone = long_.getFirst();
    Backend[] others =
        Arrays.stream(all()).filter(backend -> !backend.pod().equals(gone)).toArray(Backend[]::new);
    bed.have(service("web", 30, affine.formatted(600)), slices(bed, "web", WEB_SLICE, others));
    List<String> after = kept();
    for (int i = 0; i < after.size(); i++) {
      if (long_.get(i).equals(gone)) {
        assertThat(after.get(i)).isNotEqualTo(gone);
      } else {
        assertThat(after.get(i)).isEqualTo(long_.get(i));
      }
    }
  }

  private static List<String> kept() throws Exception {
    return keptFor(Duration.ofMinutes(5));
  }

  /**
   * Whom each of ten clients meets, always the same one.
   *
   * @param time of which it is sure that a client is remembered: who took longer to ask four times
   *     asks again
   */
  private static List<String> keptFor(Duration time) throws Exception {
    List<String> met = new ArrayList<>();
    for (String client : List.of("a", "b", "c", "d", "n1")) {
      for (String address : List.of("10.96.0.30", "fd00:96::1e")) {
        long begun = System.nanoTime();
        Set<String> names = ServiceBed.names(bed.askOften(client, TCP, address, 80, 4));
        while (System.nanoTime() - begun > time.toNanos()) {
          begun = System.nanoTime();
          names = ServiceBed.names(bed.askOften(client, TCP, address, 80, 4));
        }
        assertThat(names).as(client + " at " + address).hasSize(1).doesNotContain("");
        met.addAll(names);
      }
    }
    return met;
  }

  @Test
  void sctpGoesWhereTcpAndUdpWouldNot() throws Exception {
    bed.have(
        service(
            "web",
            31,
            "type: NodePort, ports: [{name: a, port: 80, protocol: SCTP, nodePort: 30100}, {name:"
                + " b, port: 80, nodePort: 30100}]"),
        slices(bed, "web", List.of("a:sctp:8080", "b:tcp:9090"), ready("c")));
    assertThat(bed.ask("a", SCTP, "10.96.0.31", 80)).isEqualTo(answered("c", ip("a")));
    assertThat(bed.ask("a", SCTP, "fd00:96::1f", 80)).isEqualTo(answered("c", ip6("a")));
    assertThat(bed.ask("outside", SCTP, ip("n1"), 30100)).isEqualTo(answered("c", ip("n1")));
    assertThat(bed.ask("outside", SCTP, ip6("n1"), 30100)).isEqualTo(answered("c", ip6("n1")));
    assertThat(bed.ask("a", TCP, "10.96.0.31", 80).by()).isEqualTo("c");
    // S1, for SCTP: by a pod, and by the node itself.
    bed.have(service("web", 31, "ports: [{name: a, port: 80, protocol: SCTP}]"));
    assertThat(bed.ask("a", SCTP, "10.96.0.31", 80)).isEqualTo(REFUSED);
    assertThat(bed.ask("n1", SCTP, "fd00:96::1f", 80)).isEqualTo(REFUSED);
    bed.have(
        service("web", 31, "ports: [{name: b, port: 80}]"),
        slices(bed, "web", List.of("b:tcp:9090"), ready("c")));
    bed.assertNobodyAnswers("a", SCTP, "10.96.0.31", 80);
  }

  @Test
  void nodePortsAreWhereTheSettingsSay() throws Exception { // S14
    bed.have(
        service("web", 32, "type: NodePort, ports: [{name: web, port: 80, nodePort: 30101}]"),
        slices(bed, "web", WEB_SLICE, ready("c")));
    try {
      bed.tell(
          new ServicesSet(settings(new NodePorts.Within(List.of(Prefix.parse("fd00:a::/64"))))));
      assertThat(bed.ask("outside", TCP, ip("n1"), 30101)).isEqualTo(REFUSED);
      assertThat(bed.ask("outside", TCP, ip6("n1"), 30101).by()).isEqualTo("c");
      bed.tell(new ServicesSet(settings(new NodePorts.Primary())));
      assertThat(bed.ask("outside", TCP, ip("n1"), 30101).by()).isEqualTo("c");
    } finally {
      bed.tell(new ServicesSet(ServiceSettings.DEFAULT));
    }
  }

  private static ServiceSettings settings(NodePorts nodePorts) {
    ServiceSettings usual = ServiceSettings.DEFAULT;
    return new ServiceSettings(
        true, nodePorts, usual.masqueradeAll(), usual.podRanges(), usual.choice());
  }

  @Test
  void aChoiceByClientIsTheSameOnEveryNode() throws Exception {
    bed.have(
        serviceWith("web", 33, "", "externalIPs: [198.51.100.33, 198.51.101.33], " + WEB, "")
            .replace(
                "labels: {}", "labels: {}, annotations: {sund.dev/endpoint-choice: by-client}"),
        slices(bed, "web", WEB_SLICE, all()));
    for (int port = 20_001; port <= 20_012; port++) {
      // One address by n1, the other by n2; the client's port is the same.
      Heard one = Asker.askFrom(bed.place("outside"), port, Ip.parse("198.51.100.33"), 80);
      Heard two = Asker.askFrom(bed.place("outside"), port, Ip.parse("198.51.101.33"), 80);
      assertThat(one.by()).isNotEmpty().isEqualTo(two.by());
    }
  }
}
