package dev.sund.engine.trace;

import static dev.sund.engine.ServiceSketch.service;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.engine.Scene;
import dev.sund.engine.ServiceSketch;
import dev.sund.engine.trace.Packet.FromNode;
import dev.sund.engine.trace.Packet.FromOutside;
import dev.sund.engine.trace.Packet.FromPod;
import dev.sund.engine.trace.Packet.Origin;
import dev.sund.engine.trace.Trace.AtNode;
import dev.sund.engine.trace.Trace.AtPod;
import dev.sund.model.Ip;
import dev.sund.model.NodeName;
import dev.sund.model.ObjectRef;
import dev.sund.model.PodKey;
import dev.sund.model.Protocol;
import dev.sund.model.Reason;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Packets to Services: who answers, seen as whom, and whether the answer comes back. */
class ServiceTraceTest {
  private static final Origin OUTSIDE = new FromOutside("outside");
  private static final Origin NODE = new FromNode(new NodeName("n1"));
  private static final String[] BOTH = {"10.244.1.5@n1", "10.244.3.5@n3"};
  private static final String[] FAR = {"10.244.3.5@n3"};

  private final Scene scene =
      Scene.ofThreeNodes()
          .pod("shop/web", "n1", "10.244.1.5", "fd00:1::5")
          .pod("shop/client", "n1", "10.244.1.9", "fd00:1::9")
          .pod("shop/far", "n3", "10.244.3.5", "fd00:3::5");

  @Test
  void aPodAsksAClusterAddressAndIsSeenAsItself_S7() {
    scene.service(web().endpoints(FAR));
    Trace trace = trace(pod("client"), "10.96.0.10", 80);
    assertThat(trace.arrival()).contains(at("n3", "far"));
    assertThat(trace.portSeen()).isEqualTo(8080);
    assertThat(trace.sourceSeen()).contains(ip("10.244.1.9"));
    assertThat(trace.answered()).isTrue();
  }

  @Test
  void everyEndpointIsAnOutcome() {
    scene.service(web().endpoints(BOTH));
    List<Trace> traces = tracer().traces(packet(pod("client"), "10.96.0.10", 80));
    assertThat(traces)
        .extracting(trace -> trace.arrival().orElseThrow())
        .containsExactly(at("n1", "web"), at("n3", "far"));
    assertThat(traces).allMatch(Trace::answered);
    assertThat(traces.getFirst().choices().getFirst().of()).isEqualTo(2);
    assertThat(traces.getFirst().there())
        .filteredOn(hop -> hop.stage() == Trace.Stage.TRANSLATE)
        .singleElement()
        .satisfies(hop -> {
          assertThat(hop.text())
              .isEqualTo("10.96.0.10 80/tcp becomes 10.244.1.5 port 8080, one of 2");
          assertThat(hop.rule().orElseThrow().object())
              .isEqualTo(new ObjectRef("Service", "shop/web"));
        });
    assertThat(tracer().trace(packet(pod("client"), "10.96.0.10", 80), List.of(1)).arrival())
        .contains(at("n3", "far"));
  }

  @Test
  void aPodThatAsksItselfByItsServiceIsSeenAsItsNode_S9() {
    scene.service(web().endpoints("10.244.1.5@n1"));
    Trace trace = trace(pod("web"), "10.96.0.10", 80);
    assertThat(trace.arrival()).contains(at("n1", "web"));
    assertThat(trace.sourceSeen()).contains(ip("192.168.1.11"));
    assertThat(trace.answered()).isTrue();
  }

  @Test
  void whoeverAsksAClusterAddressFromOutsideIsMasqueraded_S8() {
    scene.service(web().endpoints(FAR));
    Trace trace =
        new PathTracer(scene.programs(), scene.underlay()).trace(packet(NODE, "10.96.0.10", 80));
    assertThat(trace.arrival()).contains(at("n3", "far"));
    assertThat(trace.answered()).isTrue();
  }

  @Test
  void aNodePortLeadsToAPodElsewhereAndTheAnswerComesBackByTheNode_S7() {
    scene.service(nodePort().endpoints(FAR));
    Trace trace = trace(OUTSIDE, "192.168.1.11", 30080);
    assertThat(trace.arrival()).contains(at("n3", "far"));
    assertThat(trace.sourceSeen()).isNotEqualTo(Optional.of(ip("192.168.3.99")));
    assertThat(trace.answered()).isTrue();
    assertThat(trace(OUTSIDE, "2001:db8:1::11", 30080).outcome()).isEqualTo(Reason.NO_ENDPOINTS);
  }

  @Test
  void underPolicyLocalTheSourceIsKept_S6() {
    scene.service(nodePort().externalLocal().endpoints(BOTH));
    Trace trace = trace(OUTSIDE, "192.168.1.11", 30080);
    assertThat(trace.arrival()).contains(at("n1", "web"));
    assertThat(trace.sourceSeen()).contains(ip("192.168.3.99"));
    assertThat(trace.answered()).isTrue();
    assertThat(tracer().traces(packet(OUTSIDE, "192.168.1.11", 30080))).hasSize(1);
  }

  @Test
  void underPolicyLocalANodeWithoutEndpointsDropsWhatComesFromOutside_S2() {
    scene.service(nodePort().externalLocal().endpoints(FAR));
    Trace trace = trace(OUTSIDE, "192.168.1.11", 30080);
    assertThat(trace.outcome()).isEqualTo(Reason.NO_LOCAL_ENDPOINTS);
    assertThat(trace.told()).isFalse();
  }

  @Test
  void underPolicyLocalPodsAndTheNodeItselfGetEveryEndpoint_S6() {
    scene.service(nodePort().externalLocal().endpoints(FAR));
    Trace ofPod = trace(pod("client"), "192.168.1.11", 30080);
    assertThat(ofPod.arrival()).contains(at("n3", "far"));
    assertThat(ofPod.sourceSeen()).contains(ip("10.244.1.9"));
    assertThat(ofPod.answered()).isTrue();
    Trace ofNode = trace(NODE, "192.168.1.11", 30080);
    assertThat(ofNode.arrival()).contains(at("n3", "far"));
    assertThat(ofNode.there()).anyMatch(hop -> hop.stage() == Trace.Stage.MASQUERADE);
    assertThat(ofNode.answered()).isTrue();
  }

  @Test
  void withoutEndpointsTheSenderIsTold_S1() {
    scene.service(nodePort());
    for (Trace trace :
        List.of(
            trace(pod("client"), "10.96.0.10", 80),
            trace(OUTSIDE, "192.168.1.11", 30080),
            trace(NODE, "10.96.0.10", 80))) {
      assertThat(trace.outcome()).isEqualTo(Reason.NO_ENDPOINTS);
      assertThat(trace.told()).isTrue();
    }
  }

  @Test
  void onlySourcesInTheRangesMayAskABalancersAddress_S13() {
    scene.service(
        service("shop/web", "10.96.0.10")
            .balancer("203.0.113.7")
            .port(80)
            .sources("10.244.1.9/32")
            .endpoints(FAR));
    assertThat(trace(pod("client"), "203.0.113.7", 80).answered()).isTrue();
    Trace other = trace(pod("web"), "203.0.113.7", 80);
    assertThat(other.outcome()).isEqualTo(Reason.SOURCE_NOT_ALLOWED);
    assertThat(other.told()).isFalse();
    assertThat(trace(pod("web"), "10.96.0.10", 80).answered()).isTrue();
  }

  @Test
  void aNodePortIsRefusedAtLoopback_S14() {
    scene.service(nodePort().endpoints(BOTH));
    Trace trace = trace(NODE, "127.0.0.1", 30080);
    assertThat(trace.outcome()).isEqualTo(Reason.LOOPBACK_REFUSED);
    assertThat(trace.told()).isTrue();
  }

  @Test
  void anExternalAddressOfNoNodeIsReachedFromPods_S17() {
    scene.service(web().externalIp("203.0.113.7").endpoints(FAR));
    assertThat(trace(pod("client"), "203.0.113.7", 80).answered()).isTrue();
  }

  @Test
  void aBalancerInModeProxyIsAskedItself_S27() {
    scene.service(
        service("shop/web", "10.96.0.10")
            .balancer("203.0.113.7", true)
            .port(80)
            .endpoints("10.244.1.5@n1"));
    assertThat(trace(pod("client"), "203.0.113.7", 80).there())
        .noneMatch(hop -> hop.stage() == Trace.Stage.TRANSLATE);
  }

  @Test
  void anEndpointOnTheNodeItselfAnswers() {
    scene.service(web().endpoints("192.168.1.11@n1"));
    Trace trace = trace(pod("client"), "10.96.0.10", 80);
    assertThat(trace.arrival()).contains(new AtNode(new NodeName("n1")));
    assertThat(trace.answered()).isTrue();
  }

  private static ServiceSketch web() {
    return service("shop/web", "10.96.0.10").port(80);
  }

  private static ServiceSketch nodePort() {
    return service("shop/web", "10.96.0.10", "fd96::10").nodePort(80, 30080);
  }

  private Trace trace(Origin origin, String to, int port) {
    return tracer().trace(packet(origin, to, port));
  }

  private PathTracer tracer() {
    return new PathTracer(scene.programs(), scene.underlay());
  }

  private static Packet packet(Origin origin, String to, int port) {
    return Packet.small(origin, ip(to), Protocol.TCP, port);
  }

  private static Origin pod(String name) {
    return new FromPod(new PodKey("shop", name));
  }

  private static AtPod at(String node, String pod) {
    return new AtPod(new NodeName(node), new PodKey("shop", pod));
  }

  private static Ip ip(String text) {
    return Ip.parse(text);
  }
}
