package dev.sund.engine;

import static dev.sund.engine.ServiceSketch.service;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.engine.ServiceSummary.Use;
import dev.sund.engine.cluster.ClusterEvent;
import dev.sund.engine.cluster.EndpointSlice;
import dev.sund.engine.cluster.PortMapping;
import dev.sund.model.Condition;
import dev.sund.model.NodeName;
import dev.sund.model.Protocol;
import dev.sund.model.Reason;
import dev.sund.model.ServiceKey;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What is wrong with Services, and what is told of them, as node n1 sees it. */
class ServiceConditionsTest {
  private final Scene scene = Scene.ofThreeNodes();

  @Test
  void ofTwoServicesAtOneAddressTheYoungerIsToldWhoHasIt() {
    scene.service(service("shop/new", "10.96.0.11").port(80).externalIp("203.0.113.7").created(2));
    scene.service(service("shop/old", "10.96.0.12").port(80).externalIp("203.0.113.7").created(1));
    assertThat(lines())
        .containsExactly(
            "Service shop/new spec.externalIPs: 80/tcp at 203.0.113.7 belongs to Service shop/old,"
                + " which keeps it. Give one of the two another port or address."
                + " [service-port-taken]");
  }

  @Test
  void ofTwoServicesAtOneNodePortTheYoungerIsToldWhoHasIt() {
    scene.service(service("shop/b", "10.96.0.11").nodePort(80, 30080));
    scene.service(service("shop/a", "10.96.0.12").nodePort(80, 30080));
    assertThat(lines())
        .singleElement()
        .asString()
        .startsWith(
            "Service shop/b spec.ports.nodePort: 30080/tcp at all IPv4 addresses of the node"
                + " belongs to Service shop/a, which keeps it.");
  }

  @Test
  void aNodePortThatIsAPodsHostPortIsTold() {
    scene
        .pod("shop/web", "n1", "10.244.1.5")
        .hostPort("shop/web", PortMapping.of(30080, 80, Protocol.TCP))
        .service(service("shop/api", "10.96.0.10").nodePort(80, 30080));
    assertThat(lines())
        .singleElement()
        .asString()
        .contains("belongs to pod shop/web, which keeps it.");
  }

  @Test
  void anAddressOfPodsOrOfANodeIsTold() {
    scene.service(service("shop/web", "192.168.1.12").port(80).externalIp("10.244.1.5"));
    assertThat(lines())
        .containsExactly(
            "Service shop/web spec.clusterIPs: 192.168.1.12 is the address of a node. Take the"
                + " address out, or give Services, pods and nodes ranges apart."
                + " [service-address-taken]",
            "Service shop/web spec.externalIPs: 10.244.1.5 is an address of pods (10.244.1.0/24)."
                + " Take the address out, or give Services, pods and nodes ranges apart."
                + " [service-address-taken]");
  }

  @Test
  void aServiceWithoutSelectorAndEndpointsIsTold() {
    scene.service(service("shop/db", "10.96.0.10").port(80).withoutSelector());
    assertThat(reasons()).containsExactly(Reason.SERVICE_UNBACKED);
    scene.service(
        service("shop/db", "10.96.0.10").port(80).withoutSelector().endpoints("10.244.1.5@n1"));
    assertThat(reasons()).isEmpty();
  }

  @Test
  void slicesThatContradictEachOtherAreTold() {
    ServiceSketch web = service("shop/web", "10.96.0.10").port(80);
    assertThat(
            of(
                web,
                new ClusterEvent.SliceSeen(slice(web, "a", "10.244.1.5@n1")),
                new ClusterEvent.SliceSeen(slice(web, "b", "10.244.1.5@n1 unready"))))
        .containsExactly(
            "Service shop/web endpointslices: shop/web-a and shop/web-b contradict each other on"
                + " 10.244.1.5: ready or not. Delete the one that does not belong there."
                + " [contradicting-slices]");
  }

  @Test
  void aHintForNobodyIsToldUntilThereIsSuchAZone() {
    scene.service(
        service("shop/web", "10.96.0.10").port(80).endpoints("10.244.1.5@n1 for:moon on:n9"));
    assertThat(lines())
        .containsExactly(
            "Service shop/web endpointslices.hints: Zone moon of 10.244.1.5 is no node's"
                + " topology.kubernetes.io/zone. Label the nodes, or mend the hint."
                + " [unknown-hint]");
    scene.label("n2", ServiceScope.ZONE, "moon");
    assertThat(lines()).singleElement().asString().contains("Node n9 of 10.244.1.5 is no node's");
  }

  @Test
  void endpointsThatAreNoPodsAreTold() {
    scene.service(
        service("shop/exporter", "10.96.0.17")
            .port(443)
            .endpoints("192.168.1.11@n1", "10.244.1.5@n1"));
    scene.service(
        service("default/kubernetes", "10.96.0.1").port(443).endpoints("192.168.1.11@n1"));
    assertThat(lines())
        .containsExactly(
            "Service shop/exporter endpointslices: 1 of 2 endpoints is no pods', such as"
                + " 192.168.1.11, a node's. If it is not meant so, see whether a pool leaves out a"
                + " range that pods have. [endpoint-outside-pods]");
  }

  @Test
  void anAffinityOutOfRangeIsTold() {
    scene.service(service("shop/web", "10.96.0.10").port(80).affinity(90_000));
    assertThat(lines())
        .singleElement()
        .asString()
        .contains("90000 is not 1 to 86400 seconds; 86400 is used.");
  }

  // What is told when somebody asks.

  @Test
  void aSummaryTellsWhyAnEndpointIsNotUsed() {
    scene.label("n1", ServiceScope.ZONE, "east");
    scene.service(
        service("shop/web", "10.96.0.10")
            .nodePort(80, 30080)
            .externalLocal()
            .endpoints(
                "10.244.1.4@n1 unready",
                "10.244.1.5@n1 for:east",
                "10.244.1.6@n1 ending",
                "10.244.3.5@n3 for:west"));
    ServiceSummary summary = summary("shop/web");
    assertThat(summary.endpoints())
        .extracting(one -> one.address() + " " + one.cluster() + " " + one.local())
        .containsExactly(
            "10.244.1.4 NOT_READY NOT_READY",
            "10.244.1.5 USED USED",
            "10.244.1.6 TERMINATING TERMINATING",
            "10.244.3.5 OTHER_ZONE NOT_LOCAL");
    assertThat(summary.places())
        .extracting(place -> place.origin() + " " + place.key() + " " + place.row().isPresent())
        .containsExactly("CLUSTER_IP 10.96.0.10 80/tcp true", "NODE_PORT local-v4 30080/tcp true");
  }

  @Test
  void aHealthCheckCountsReadyEndpointsHereAndNoOthers_S11() {
    scene.service(
        service("shop/web", "10.96.0.10")
            .port("a", Protocol.TCP, 80, 0)
            .port("b", Protocol.TCP, 81, 0)
            .endpoints("10.244.1.5@n1", "10.244.1.6@n1 ending", "10.244.3.5@n3"));
    assertThat(summary("shop/web").localReady()).isEqualTo(1);
    scene.service(
        service("shop/web", "10.96.0.10")
            .port(80)
            .endpoints("10.244.1.6@n1 ending", "10.244.1.7@n1 unready"));
    assertThat(summary("shop/web").endpoints()).extracting(one -> one.cluster()).contains(Use.USED);
    assertThat(summary("shop/web").localReady()).isZero();
  }

  @Test
  void aPlaceThatSomebodyElseHasSaysWho() {
    scene.service(service("shop/b", "10.96.0.11").port(80).externalIp("203.0.113.7"));
    scene.service(service("shop/a", "10.96.0.12").port(80).externalIp("203.0.113.7"));
    assertThat(summary("shop/b").places().get(1).instead()).contains("Service shop/a");
    assertThat(summary("shop/b").places().get(1).row()).isEmpty();
    assertThat(summary("shop/b").conditions()).hasSize(1);
  }

  private static EndpointSlice slice(ServiceSketch service, String ending, String... backends) {
    return service.slice(ending, Stream.of(backends).map(ServiceSketch::backend).toList());
  }

  private ServiceSummary summary(String name) {
    ProgramCompiler compiler = scene.compiler("n1");
    compiler.apply(scene.events("n1"));
    return compiler.service(ServiceKey.parse(name)).orElseThrow();
  }

  private List<String> of(ServiceSketch service, ClusterEvent... more) {
    ProgramCompiler compiler = new ProgramCompiler(new NodeName("n1"), FabricSettings.DEFAULT);
    List<ClusterEvent> events = new ArrayList<>(scene.service(service).events("n1"));
    events.addAll(List.of(more));
    return compiler.apply(events).conditions().stream().map(Condition::toString).toList();
  }

  private List<String> lines() {
    return scene.conditions("n1").stream().map(Condition::toString).toList();
  }

  private List<Reason> reasons() {
    return scene.conditions("n1").stream().map(Condition::reason).toList();
  }
}
