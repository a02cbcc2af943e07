package dev.sund.engine.trace;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.engine.Scene;
import dev.sund.engine.cluster.PortMapping;
import dev.sund.engine.program.Endpoint;
import dev.sund.engine.program.Frontend;
import dev.sund.engine.program.Frontend.Action;
import dev.sund.engine.program.Frontend.MasqueradeClass;
import dev.sund.engine.program.Frontend.Place;
import dev.sund.engine.program.PacketProgram;
import dev.sund.engine.trace.Packet.FromNode;
import dev.sund.engine.trace.Packet.FromOutside;
import dev.sund.engine.trace.Packet.FromPod;
import dev.sund.engine.trace.Packet.Origin;
import dev.sund.engine.trace.Trace.AtNode;
import dev.sund.engine.trace.Trace.AtPod;
import dev.sund.model.Ip;
import dev.sund.model.NodeName;
import dev.sund.model.PodKey;
import dev.sund.model.Protocol;
import dev.sund.model.Reason;
import dev.sund.model.RuleId;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** Packets to addresses at which something else answers. */
class FrontendTraceTest {
  private static final NodeName N1 = new NodeName("n1");
  private static final AtPod WEB = new AtPod(N1, new PodKey("shop", "web"));

  private final Scene scene =
      Scene.ofThreeNodes()
          .pod("shop/web", "n1", "10.244.1.5", "fd00:1::5")
          .hostPort("shop/web", PortMapping.of(8080, 80, Protocol.TCP))
          .pod("shop/cache", "n1", "10.244.1.6", "fd00:1::6")
          .pod("shop/far", "n3", "10.244.3.5", "fd00:3::5");

  @Test
  void aHostPortAnswersWhoeverIsOutsideAndSeesWhoAsks() {
    Trace trace = trace(new FromOutside("outside"), "192.168.1.11", 8080);
    assertThat(trace.arrival()).contains(WEB);
    assertThat(trace.sourceSeen()).contains(ip("192.168.3.99"));
    assertThat(trace.portSeen()).isEqualTo(80);
    assertThat(trace.answered()).isTrue();
    assertThat(trace.there())
        .extracting(hop -> hop.machine() + " " + hop.stage() + " " + hop.text())
        .contains("n1 TRANSLATE local-v4 8080/tcp becomes 10.244.1.5 port 80");
    assertThat(trace.back())
        .extracting(hop -> hop.machine() + " " + hop.stage() + " " + hop.text())
        .contains("n1 TRANSLATE source 10.244.1.5 is translated back to 192.168.1.11");
  }

  @Test
  void aHostPortAnswersInIpv6() {
    Trace trace = trace(new FromOutside("outside"), "2001:db8:1::11", 8080);
    assertThat(trace.arrival()).contains(WEB);
    assertThat(trace.sourceSeen()).contains(ip("2001:db8:3::99"));
    assertThat(trace.answered()).isTrue();
  }

  @Test
  void aPodReachesItsOwnHostPortAndSeesItsNode_S9() {
    Trace trace = trace(pod("web"), "192.168.1.11", 8080);
    assertThat(trace.arrival()).contains(WEB);
    assertThat(trace.sourceSeen()).contains(ip("192.168.1.11"));
    assertThat(trace.answered()).isTrue();
  }

  @Test
  void aNeighbourOnTheNodeIsSeenAsItself_S10() {
    Trace trace = trace(pod("cache"), "192.168.1.11", 8080);
    assertThat(trace.arrival()).contains(WEB);
    assertThat(trace.sourceSeen()).contains(ip("10.244.1.6"));
    assertThat(trace.answered()).isTrue();
  }

  @Test
  void aPodElsewhereComesWithItsNodesAddress() {
    Trace trace = trace(pod("far"), "192.168.1.11", 8080);
    assertThat(trace.arrival()).contains(WEB);
    assertThat(trace.sourceSeen()).contains(ip("192.168.2.13"));
    assertThat(trace.answered()).isTrue();
  }

  @Test
  void theNodeItselfReachesItAtItsAddressAndAtLocalhost() {
    Trace byAddress = trace(new FromNode(N1), "192.168.1.11", 8080);
    assertThat(byAddress.arrival()).contains(WEB);
    assertThat(byAddress.sourceSeen()).contains(ip("192.168.1.11"));
    assertThat(byAddress.answered()).isTrue();
    Trace byLoopback = trace(new FromNode(N1), "127.0.0.1", 8080);
    assertThat(byLoopback.arrival()).contains(WEB);
    assertThat(byLoopback.sourceSeen()).contains(ip("192.168.1.11"));
    assertThat(byLoopback.answered()).isTrue();
  }

  @Test
  void ipv6sLoopbackStaysOnTheNode() {
    assertThat(trace(new FromNode(N1), "::1", 8080).arrival()).contains(new AtNode(N1));
  }

  @Test
  void anotherPortProtocolOrNodeIsNotTouched() {
    assertThat(trace(new FromOutside("outside"), "192.168.1.11", 8081).arrival())
        .contains(new AtNode(N1));
    assertThat(trace(new FromOutside("outside"), "192.168.1.12", 8080).arrival())
        .contains(new AtNode(new NodeName("n2")));
    assertThat(
            tracer(scene.programs())
                .trace(
                    Packet.small(
                        new FromOutside("outside"), ip("192.168.1.11"), Protocol.UDP, 8080))
                .arrival())
        .contains(new AtNode(N1));
  }

  @Test
  void anAddressOfItsOwnIsTranslatedWhereThePacketIsBorn() {
    Map<NodeName, PacketProgram> programs = programs(new Action.Balance(1), "10.244.3.5");
    Trace fromPod = tracer(programs).trace(tcp(pod("web"), "10.96.0.10", 80));
    assertThat(fromPod.arrival())
        .contains(new AtPod(new NodeName("n3"), new PodKey("shop", "far")));
    assertThat(fromPod.sourceSeen()).contains(ip("10.244.1.5"));
    assertThat(fromPod.answered()).isTrue();
    Trace fromNode = tracer(programs).trace(tcp(new FromNode(N1), "10.96.0.10", 80));
    assertThat(fromNode.sourceSeen()).contains(ip("192.168.1.11"));
    assertThat(fromNode.answered()).isTrue();
  }

  @Test
  void withoutEndpointsTheSenderIsToldAndADropIsSilent_S1_S2() {
    Trace refused =
        tracer(programs(new Action.Reject(), "10.244.3.5"))
            .trace(tcp(pod("web"), "10.96.0.10", 80));
    assertThat(refused.outcome()).isEqualTo(Reason.NO_ENDPOINTS);
    assertThat(refused.told()).isTrue();
    Trace dropped =
        tracer(programs(new Action.Drop(), "10.244.3.5")).trace(tcp(pod("web"), "10.96.0.10", 80));
    assertThat(dropped.outcome()).isEqualTo(Reason.NO_LOCAL_ENDPOINTS);
    assertThat(dropped.told()).isFalse();
  }

  @Test
  void whereEverySourceIsTranslatedTheAnswerComesBackByTheNode_S7() {
    PacketProgram n1 = scene.program("n1");
    Frontend.Key key =
        new Frontend.Key(new Place.AnyLocal(ip("10.0.0.1").family()), Protocol.TCP, 30080);
    Map<NodeName, PacketProgram> programs =
        with(
            n1,
            new Frontend(key, new Action.Balance(1), MasqueradeClass.ALWAYS, RULE),
            "10.244.3.5");
    Trace trace = tracer(programs).trace(tcp(new FromOutside("outside"), "192.168.1.11", 30080));
    assertThat(trace.arrival()).contains(new AtPod(new NodeName("n3"), new PodKey("shop", "far")));
    assertThat(trace.sourceSeen()).contains(ip("10.244.1.0"));
    assertThat(trace.answered()).isTrue();
  }

  private static final RuleId RULE = RuleId.of("Service", "shop/web", "uid-service");

  private Map<NodeName, PacketProgram> programs(Action action, String endpoint) {
    Frontend.Key key = new Frontend.Key(new Place.At(ip("10.96.0.10")), Protocol.TCP, 80);
    return with(
        scene.program("n1"),
        new Frontend(key, action, MasqueradeClass.KEEP_SOURCE, RULE),
        endpoint);
  }

  private Map<NodeName, PacketProgram> with(
      PacketProgram program, Frontend frontend, String endpoint) {
    SortedMap<Frontend.Key, Frontend> frontends = new TreeMap<>(program.frontends());
    SortedMap<Endpoint.Key, Endpoint> endpoints = new TreeMap<>(program.endpoints());
    frontends.put(frontend.key(), frontend);
    Endpoint.Key key = new Endpoint.Key(frontend.key(), 0);
    endpoints.put(key, new Endpoint(key, ip(endpoint), 80, Optional.empty(), RULE));
    Map<NodeName, PacketProgram> programs = new TreeMap<>(scene.programs());
    programs.put(
        program.node(),
        new PacketProgram(
            program.node(),
            program.nodeAddresses(),
            program.facts(),
            program.localPods(),
            program.routes(),
            program.tunnels(),
            program.tunnelPeers(),
            program.masquerade(),
            frontends,
            endpoints));
    return programs;
  }

  private Trace trace(Origin from, String to, int port) {
    return tracer(scene.programs()).trace(tcp(from, to, port));
  }

  private PathTracer tracer(Map<NodeName, PacketProgram> programs) {
    return new PathTracer(programs, scene.underlay());
  }

  private static Packet tcp(Origin from, String to, int port) {
    return Packet.small(from, ip(to), Protocol.TCP, port);
  }

  private static Origin pod(String name) {
    return new FromPod(new PodKey("shop", name));
  }

  private static Ip ip(String text) {
    return Ip.parse(text);
  }
}
