package dev.sund.engine;

import static dev.sund.engine.ServiceSketch.service;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.engine.cluster.ClusterEvent;
import dev.sund.engine.cluster.EndpointChoice;
import dev.sund.engine.cluster.NodeFacts;
import dev.sund.engine.cluster.PortMapping;
import dev.sund.engine.cluster.Service.NotServed;
import dev.sund.engine.cluster.ServiceSettings;
import dev.sund.engine.cluster.ServiceSettings.NodePorts;
import dev.sund.engine.program.Endpoint;
import dev.sund.engine.program.Frontend;
import dev.sund.engine.program.Frontend.Action;
import dev.sund.engine.program.Frontend.Answer;
import dev.sund.engine.program.Frontend.MasqueradeClass;
import dev.sund.engine.program.Frontend.View;
import dev.sund.engine.program.Masquerade;
import dev.sund.engine.program.PacketProgram;
import dev.sund.model.Ip;
import dev.sund.model.Prefix;
import dev.sund.model.Protocol;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What Services become in the program of node n1. */
class ServiceRowsTest {
  private static final Answer REFUSED =
      new Answer(new Action.Reject(), MasqueradeClass.KEEP_SOURCE);
  private static final Answer DROPPED = new Answer(new Action.Drop(), MasqueradeClass.KEEP_SOURCE);
  private static final String ZONE = "topology.kubernetes.io/zone";

  private final Scene scene = Scene.ofThreeNodes();

  // Who answers.

  @Test
  void readyEndpointsAnswerInTheOrderOfTheirAddresses_S3() {
    PacketProgram program =
        of(web().endpoints("10.244.3.5@n3", "10.244.1.5@n1", "10.244.1.4@n1 unready"));
    assertThat(frontend(program, "10.96.0.10 80/tcp").inside())
        .isEqualTo(balance(2, MasqueradeClass.FROM_OUTSIDE));
    assertThat(endpoints(program, "10.96.0.10 80/tcp"))
        .containsExactly("10.244.1.5 8080", "10.244.3.5 8080");
  }

  @Test
  void withoutAnyEndpointItRefuses_S1() {
    assertThat(frontend(of(web()), "10.96.0.10 80/tcp").inside()).isEqualTo(REFUSED);
    PacketProgram dead = of(web().endpoints("10.244.1.5@n1 unready", "10.244.1.6@n1 dead"));
    assertThat(frontend(dead, "10.96.0.10 80/tcp").inside()).isEqualTo(REFUSED);
    assertThat(dead.endpoints()).isEmpty();
  }

  @Test
  void whereNobodyIsReadyThoseThatEndAndServeAnswer_S3() {
    assertThat(
            endpoints(
                of(web().endpoints("10.244.1.5@n1 ending", "10.244.3.5@n3 dead")),
                "10.96.0.10 80/tcp"))
        .containsExactly("10.244.1.5 8080");
    assertThat(
            endpoints(
                of(web().endpoints("10.244.1.5@n1 ending", "10.244.3.5@n3")), "10.96.0.10 80/tcp"))
        .containsExactly("10.244.3.5 8080");
  }

  @Test
  void thisNodesEndpointsAreChosenApart_S3() {
    PacketProgram program =
        of(web().internalLocal().endpoints("10.244.1.5@n1 ending", "10.244.3.5@n3"));
    assertThat(endpoints(program, "10.96.0.10 80/tcp")).containsExactly("10.244.1.5 8080");
  }

  @Test
  void unreadyEndpointsAnswerWhereTheServiceSaysSo_S5() {
    assertThat(
            endpoints(
                of(web().publishNotReady().endpoints("10.244.1.5@n1 unready")),
                "10.96.0.10 80/tcp"))
        .containsExactly("10.244.1.5 8080");
  }

  @Test
  void zoneHintsCountWhenEachReadyEndpointHasOneAndOneIsForUs_S4() {
    scene.label("n1", ZONE, "east");
    assertThat(
            endpoints(
                of(web().endpoints("10.244.1.5@n1 for:east", "10.244.3.5@n3 for:west")),
                "10.96.0.10 80/tcp"))
        .containsExactly("10.244.1.5 8080");
  }

  @Test
  void hintsAreIgnoredWhenOneIsMissingOrNoneIsForUs_S4() {
    scene.label("n1", ZONE, "east");
    assertThat(
            endpoints(
                of(web().endpoints("10.244.1.5@n1 for:east", "10.244.3.5@n3")),
                "10.96.0.10 80/tcp"))
        .hasSize(2);
    assertThat(
            endpoints(
                of(web().endpoints("10.244.1.5@n1 for:west", "10.244.3.5@n3 for:west")),
                "10.96.0.10 80/tcp"))
        .hasSize(2);
  }

  @Test
  void theHintOfAnUnreadyEndpointIsNotMissed_S4() {
    scene.label("n1", ZONE, "east");
    assertThat(
            endpoints(
                of(
                    web()
                        .endpoints(
                            "10.244.1.5@n1 for:east",
                            "10.244.3.5@n3 for:west",
                            "10.244.3.6@n3 unready")),
                "10.96.0.10 80/tcp"))
        .containsExactly("10.244.1.5 8080");
  }

  @Test
  void nodeHintsGoBeforeZoneHints_S4() {
    scene.label("n1", ZONE, "east");
    assertThat(
            endpoints(
                of(web().endpoints("10.244.1.5@n1 for:east on:n1", "10.244.2.5@n2 for:east on:n2")),
                "10.96.0.10 80/tcp"))
        .containsExactly("10.244.1.5 8080");
  }

  @Test
  void bothFamiliesAreServedByTheirOwnEndpoints() {
    PacketProgram program =
        of(
            service("shop/web", "10.96.0.10", "fd96::10")
                .port(80)
                .endpoints("10.244.1.5@n1", "fd00:1::5@n1", "fd00:3::5@n3"));
    assertThat(endpoints(program, "10.96.0.10 80/tcp")).containsExactly("10.244.1.5 8080");
    assertThat(endpoints(program, "fd96::10 80/tcp"))
        .containsExactly("fd00:1::5 8080", "fd00:3::5 8080");
  }

  @Test
  void slicesAreMergedAndTheBetterWordOnAnEndpointCounts() {
    ServiceSketch web = web();
    scene.service(web);
    ProgramCompiler compiler = scene.compiler("n1");
    compiler.apply(scene.events("n1"));
    compiler.apply(
        List.of(
            seen(web, "a", "10.244.1.5@n1 unready", "10.244.1.6@n1"),
            seen(web, "b", "10.244.1.5@n1", "10.244.3.5@n3")));
    assertThat(endpoints(compiler.program(), "10.96.0.10 80/tcp"))
        .containsExactly("10.244.1.5 8080", "10.244.1.6 8080", "10.244.3.5 8080");
  }

  // Where it answers, and for whom.

  @Test
  void anExternalAddressAndANodePortAreMasqueraded_S7() {
    PacketProgram program =
        of(
            service("shop/web", "10.96.0.10")
                .nodePort(80, 30080)
                .externalIp("203.0.113.7")
                .endpoints("10.244.3.5@n3"));
    for (String place : List.of("local-v4 30080/tcp", "203.0.113.7 80/tcp")) {
      Frontend frontend = frontend(program, place);
      assertThat(frontend.inside()).as(place).isEqualTo(balance(1, MasqueradeClass.ALWAYS));
      assertThat(frontend.isSplit()).isFalse();
    }
    assertThat(frontend(program, "local-v4 30080/tcp").loopback()).isFalse();
    assertThat(program.frontends()).hasSize(3);
  }

  @Test
  void underPolicyLocalThoseOutsideGetThisNodesEndpointsAndAreSeen_S6() {
    PacketProgram program =
        of(
            service("shop/web", "10.96.0.10")
                .nodePort(80, 30080)
                .externalLocal()
                .endpoints("10.244.1.5@n1", "10.244.3.5@n3"));
    Frontend frontend = frontend(program, "local-v4 30080/tcp");
    assertThat(frontend.inside()).isEqualTo(balance(2, MasqueradeClass.FROM_NODE));
    assertThat(frontend.outside()).isEqualTo(balance(1, MasqueradeClass.KEEP_SOURCE));
    assertThat(endpoints(program, "local-v4 30080/tcp"))
        .containsExactly("10.244.1.5 8080", "10.244.3.5 8080", "outside 10.244.1.5 8080");
    assertThat(frontend(program, "10.96.0.10 80/tcp").inside())
        .isEqualTo(balance(2, MasqueradeClass.FROM_OUTSIDE));
  }

  @Test
  void underPolicyLocalPacketsFromOutsideVanishWhereNoEndpointIs_S2() {
    Frontend frontend =
        frontend(
            of(
                service("shop/web", "10.96.0.10")
                    .nodePort(80, 30080)
                    .externalLocal()
                    .endpoints("10.244.3.5@n3")),
            "local-v4 30080/tcp");
    assertThat(frontend.inside()).isEqualTo(balance(1, MasqueradeClass.FROM_NODE));
    assertThat(frontend.outside()).isEqualTo(DROPPED);
  }

  @Test
  void internalPolicyLocalDropsWhereNoEndpointIsAndRefusesWithoutAny_S2() {
    assertThat(
            frontend(of(web().internalLocal().endpoints("10.244.3.5@n3")), "10.96.0.10 80/tcp")
                .inside())
        .isEqualTo(DROPPED);
    assertThat(
            frontend(
                    of(service("shop/none", "10.96.0.11").port(80).internalLocal()),
                    "10.96.0.11 80/tcp")
                .inside())
        .isEqualTo(REFUSED);
  }

  @Test
  void masqueradeAllTranslatesPodsToo() {
    scene.services(settings(new NodePorts.AllLocal(), true));
    assertThat(frontend(of(web().endpoints("10.244.1.5@n1")), "10.96.0.10 80/tcp").inside())
        .isEqualTo(balance(1, MasqueradeClass.ALWAYS));
  }

  @Test
  void sourceRangesBoundBalancersAddressesOnly_S13() {
    PacketProgram program =
        of(
            service("shop/web", "10.96.0.10")
                .balancer("203.0.113.7")
                .nodePort(80, 30080)
                .externalIp("203.0.113.8")
                .sources("198.51.100.0/24")
                .endpoints("10.244.1.5@n1"));
    assertThat(program.frontends().values())
        .filteredOn(Frontend::limited)
        .extracting(frontend -> frontend.key().toString())
        .containsExactly("203.0.113.7 80/tcp");
    assertThat(sources(program)).containsExactly("203.0.113.7 80/tcp from 198.51.100.0/24");
  }

  @Test
  void whereTheNodeMayAskTheBalancersAddressMay_S13() {
    PacketProgram program =
        of(
            service("shop/web", "10.96.0.10")
                .balancer("203.0.113.7")
                .port(80)
                .sources("192.168.0.0/16")
                .endpoints("10.244.1.5@n1"));
    assertThat(sources(program))
        .containsExactly(
            "203.0.113.7 80/tcp from 192.168.0.0/16", "203.0.113.7 80/tcp from 203.0.113.7/32");
  }

  @Test
  void aBalancerInModeProxyIsLeftToItself_S27() {
    PacketProgram program =
        of(
            service("shop/web", "10.96.0.10")
                .balancer("203.0.113.7", true)
                .port(80)
                .endpoints("10.244.1.5@n1"));
    assertThat(program.frontends().keySet())
        .extracting(Frontend.Key::toString)
        .containsExactly("10.96.0.10 80/tcp");
  }

  @Test
  void nodePortsAreWhereTheSettingsSay_S14() {
    scene.services(settings(new NodePorts.Primary(), false));
    ServiceSketch web =
        service("shop/web", "10.96.0.10", "fd96::10")
            .nodePort(80, 30080)
            .endpoints("10.244.1.5@n1");
    assertThat(keys(of(web)))
        .contains("192.168.1.11 30080/tcp", "2001:db8:1::11 30080/tcp")
        .noneMatch(key -> key.startsWith("local"));
    scene.services(settings(new NodePorts.Within(List.of(Prefix.parse("192.168.0.0/16"))), false));
    assertThat(keys(scene.program("n1")))
        .contains("192.168.1.11 30080/tcp")
        .doesNotContain("2001:db8:1::11 30080/tcp");
  }

  @Test
  void oneNodePortIsTcpsAndUdpsApart_S18() {
    PacketProgram program =
        of(
            service("shop/dns", "10.96.0.10")
                .nodePort(53, 30053)
                .port("udp", Protocol.UDP, 53, 30053));
    assertThat(keys(program)).contains("local-v4 30053/tcp", "local-v4 30053/udp");
  }

  @Test
  void whatIsNotServedHasNoPlace_S19() {
    assertThat(of(web().notServed(NotServed.OTHER_PROXY)).frontends()).isEmpty();
  }

  @Test
  void withoutServicesHostPortsStay() {
    scene
        .pod("shop/web", "n1", "10.244.1.5")
        .hostPort("shop/web", PortMapping.of(8080, 80, Protocol.TCP))
        .services(
            new ServiceSettings(
                false, new NodePorts.AllLocal(), false, List.of(), EndpointChoice.RANDOM));
    assertThat(keys(of(web().endpoints("10.244.1.5@n1")))).containsExactly("local-v4 8080/tcp");
  }

  @Test
  void endpointsOnThisNodeAreLentItsAddress_S9() {
    PacketProgram program = of(web().endpoints("10.244.1.5@n1", "10.244.3.5@n3", "198.51.100.7"));
    assertThat(program.endpoints().values())
        .extracting(Endpoint::lent)
        .containsExactly(
            Optional.of(Ip.parse("192.168.1.11")),
            Optional.empty(),
            Optional.of(Ip.parse("192.168.1.11"))); // nobody says where it is
  }

  @Test
  void affinityAndChoiceAreTheServices_S12() {
    Frontend frontend =
        frontend(of(web().affinity(10800).choice(EndpointChoice.BY_CLIENT)), "10.96.0.10 80/tcp");
    assertThat(frontend.affinity()).contains(Duration.ofHours(3));
    assertThat(frontend.choice()).isEqualTo(EndpointChoice.BY_CLIENT);
    assertThat(frontend(of(web()), "10.96.0.10 80/tcp").choice()).isEqualTo(EndpointChoice.RANDOM);
  }

  @Test
  void oneOfMoreEndpointsThanCanBeSpreadOverIsLeftOut() {
    String[] many = new String[Frontend.MOST_ENDPOINTS + 2];
    for (int i = 0; i < many.length; i++) {
      many[i] = Ip.parse("10.244.0.0").plus(i) + "@n2";
    }
    assertThat(frontend(of(web().endpoints(many)), "10.96.0.10 80/tcp").inside())
        .isEqualTo(balance(Frontend.MOST_ENDPOINTS, MasqueradeClass.FROM_OUTSIDE));
  }

  // Who has what several want.

  @Test
  void ofTwoServicesTheOlderHasThePlace() {
    scene.service(service("shop/new", "10.96.0.11").port(80).externalIp("203.0.113.7").created(2));
    scene.service(service("shop/old", "10.96.0.12").port(80).externalIp("203.0.113.7").created(1));
    assertThat(frontend(scene.program("n1"), "203.0.113.7 80/tcp").rule().object().name())
        .isEqualTo("shop/old");
  }

  @Test
  void aPodsHostPortGoesBeforeANodePort() {
    scene
        .pod("shop/web", "n1", "10.244.1.5")
        .hostPort("shop/web", PortMapping.of(30080, 80, Protocol.TCP));
    PacketProgram program =
        of(service("shop/api", "10.96.0.10").nodePort(80, 30080).endpoints("10.244.3.5@n3"));
    assertThat(frontend(program, "local-v4 30080/tcp").rule().object().kind()).isEqualTo("Pod");
  }

  // Who is inside.

  @Test
  void toldPodRangesAreInsideAndTakeUpNarrowerOnes_S8() {
    scene.services(
        new ServiceSettings(
            true,
            new NodePorts.AllLocal(),
            false,
            List.of(Prefix.parse("10.244.0.0/16")),
            EndpointChoice.RANDOM));
    assertThat(scene.program("n1").masquerade().keySet())
        .filteredOn(key -> key.part() == Masquerade.Part.CLUSTER)
        .extracting(key -> key.range().toString())
        .containsExactly("10.244.0.0/16", "fd00:1::/64", "fd00:2::/64", "fd00:3::/64");
  }

  // What a change costs.

  @Test
  void aServicesChangeCostsTheSameAt100AndAt50000Services() {
    assertThat(costOfAnEndpoint(Boolean.getBoolean("sund.long") ? 50_000 : 5_000))
        .isEqualTo(costOfAnEndpoint(100));
  }

  private record Cost(int entries, long rowsMade) {}

  private static List<Cost> costOfAnEndpoint(int services) {
    Scene scene = Scene.ofThreeNodes();
    ProgramCompiler compiler = scene.compiler("n1");
    List<ClusterEvent> all = new ArrayList<>(scene.events("n1"));
    for (int i = 0; i < services; i++) {
      all.addAll(numbered(i).endpoints("10.244.1.5@n1", "10.244.3.5@n3").events());
    }
    compiler.apply(all);
    return List.of(
        cost(compiler, numbered(50).endpoints("10.244.1.5@n1", "10.244.3.6@n3").events()),
        cost(
            compiler,
            numbered(50).endpoints("10.244.1.5@n1", "10.244.3.5@n3", "10.244.3.6@n3").events()),
        cost(compiler, numbered(50).endpoints("10.244.3.5@n3").events()),
        cost(compiler, numbered(70_000).endpoints("10.244.3.5@n3").events()),
        cost(compiler, List.of(new ClusterEvent.Synced())),
        cost(compiler, List.of(new ClusterEvent.FactsSeen(withAnotherDevice(scene.facts("n1"))))),
        cost(
            compiler,
            List.of(new ClusterEvent.NodeSeen(scene.label("n2", "rack", "r1").node("n2")))));
  }

  /** What the node gets that has nothing to do with Services. */
  private static NodeFacts withAnotherDevice(NodeFacts facts) {
    List<NodeFacts.Device> devices = new ArrayList<>(facts.devices());
    devices.add(new NodeFacts.Device("eth9", 1500, true, List.of()));
    return new NodeFacts(devices, facts.routes());
  }

  private static Cost cost(ProgramCompiler compiler, List<ClusterEvent> events) {
    long before = compiler.rowsMade();
    int entries = compiler.apply(events).delta().size();
    return new Cost(entries, compiler.rowsMade() - before);
  }

  private static ServiceSketch numbered(int i) {
    return service("shop/s" + i, Ip.parse("10.96.0.0").plus(i).toString()).port(80);
  }

  // In few words.

  private static ServiceSketch web() {
    return service("shop/web", "10.96.0.10").port(80);
  }

  private PacketProgram of(ServiceSketch service) {
    return scene.service(service).program("n1");
  }

  private static ClusterEvent seen(ServiceSketch service, String ending, String... backends) {
    return new ClusterEvent.SliceSeen(
        service.slice(ending, Stream.of(backends).map(ServiceSketch::backend).toList()));
  }

  private static ServiceSettings settings(NodePorts nodePorts, boolean masqueradeAll) {
    return new ServiceSettings(true, nodePorts, masqueradeAll, List.of(), EndpointChoice.RANDOM);
  }

  private static Answer balance(int endpoints, MasqueradeClass masquerade) {
    return new Answer(new Action.Balance(endpoints), masquerade);
  }

  private static Frontend frontend(PacketProgram program, String key) {
    return program.frontends().values().stream()
        .filter(frontend -> frontend.key().toString().equals(key))
        .findFirst()
        .orElseThrow(() -> new AssertionError(key + " is not among " + keys(program)));
  }

  private static List<String> keys(PacketProgram program) {
    return program.frontends().keySet().stream().map(Frontend.Key::toString).toList();
  }

  private static List<String> endpoints(PacketProgram program, String key) {
    return program.endpoints().values().stream()
        .filter(endpoint -> endpoint.key().frontend().toString().equals(key))
        .map(endpoint ->
            (endpoint.key().view() == View.OUTSIDE ? "outside " : "")
                + endpoint.address()
                + " "
                + endpoint.port())
        .toList();
  }

  private static List<String> sources(PacketProgram program) {
    return program.sourceRanges().keySet().stream().map(Object::toString).toList();
  }
}
