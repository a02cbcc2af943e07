package dev.sund.engine.trace;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.engine.Scene;
import dev.sund.engine.cluster.IpPool.IpipMode;
import dev.sund.engine.cluster.IpPool.VxlanMode;
import dev.sund.engine.program.Masquerade;
import dev.sund.engine.program.PacketProgram;
import dev.sund.engine.program.Route;
import dev.sund.engine.program.Tunnel;
import dev.sund.engine.program.TunnelPeer;
import dev.sund.engine.trace.Packet.FromNode;
import dev.sund.engine.trace.Packet.FromOutside;
import dev.sund.engine.trace.Packet.FromPod;
import dev.sund.engine.trace.Packet.Origin;
import dev.sund.engine.trace.Trace.AtHost;
import dev.sund.engine.trace.Trace.AtNode;
import dev.sund.engine.trace.Trace.AtPod;
import dev.sund.engine.trace.Trace.Carriage;
import dev.sund.engine.trace.Trace.Notice;
import dev.sund.engine.trace.Trace.Outer;
import dev.sund.engine.trace.Trace.Step;
import dev.sund.model.Ip;
import dev.sund.model.Mac;
import dev.sund.model.NodeName;
import dev.sund.model.PodKey;
import dev.sund.model.Prefix;
import dev.sund.model.Protocol;
import dev.sund.model.Reason;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class PathTracerTest {
  private final Scene scene =
      Scene.ofThreeNodes()
          .pod("shop/web", "n1", "10.244.1.5", "fd00:1::5")
          .pod("shop/cache", "n1", "10.244.1.6", "fd00:1::6")
          .pod("shop/near", "n2", "10.244.2.5", "fd00:2::5")
          .pod("shop/far", "n3", "10.244.3.5", "fd00:3::5");

  // Who is reached, and how.

  @Test
  void aPodOfTheSameNodeIsReachedWithoutLeavingIt() {
    Trace trace = trace(pod("web"), "10.244.1.6");
    assertThat(trace.arrival()).contains(at("n1", "cache"));
    assertThat(trace.path()).containsExactly(local("n1"));
    assertThat(trace.sourceSeen()).contains(ip("10.244.1.5"));
    assertThat(trace.pathMtu()).isEqualTo(1450);
    assertThat(trace.hopCount()).isEqualTo(1);
    assertThat(trace.answered()).isTrue();
  }

  @Test
  void aPodOnTheSameSubnetIsReachedUnwrapped() {
    Trace trace = trace(pod("web"), "10.244.2.5");
    assertThat(trace.arrival()).contains(at("n2", "near"));
    assertThat(trace.path())
        .containsExactly(new Step("n1", Carriage.DIRECT, Optional.empty()), local("n2"));
    assertThat(trace.sourceSeen()).contains(ip("10.244.1.5"));
    assertThat(trace.answered()).isTrue();
  }

  @Test
  void aPodBehindTheRouterIsReachedWrapped() {
    Trace trace = trace(pod("web"), "10.244.3.5");
    assertThat(trace.arrival()).contains(at("n3", "far"));
    assertThat(trace.path())
        .containsExactly(
            new Step(
                "n1",
                Carriage.VXLAN,
                Optional.of(new Trace.Outer(ip("192.168.1.11"), ip("192.168.2.13"), 4096, 4789))),
            local("n3"));
    assertThat(trace.carriage()).isEqualTo(Carriage.VXLAN);
    assertThat(trace.pathMtu()).isEqualTo(1450);
    assertThat(trace.hopCount()).isEqualTo(2);
    assertThat(trace.answered()).isTrue();
    assertThat(trace.there())
        .extracting(hop -> hop.machine() + " " + hop.stage() + " " + hop.text())
        .containsExactly(
            "n1 CLASSIFY from pod shop/web as 10.244.1.5 by " + device("n1", "web"),
            "n1 ROUTE 10.244.3.0/24 by 192.168.2.13 on sund-vxlan4",
            "n1 ENCAPSULATE wrapped in VXLAN 4096 from 192.168.1.11 to 192.168.2.13",
            "router UNDERLAY the outer packet is forwarded to segment b by to-b",
            "n3 DECAPSULATE out of sund-vxlan4",
            "n3 ROUTE 10.244.3.5/32 by " + device("n3", "far"),
            "n3 DELIVER pod shop/far takes it at 10.244.3.5, from 10.244.1.5");
  }

  @Test
  void ipv6GoesByItsOwnUnderlay() {
    Trace trace = trace(pod("web"), "fd00:3::5");
    assertThat(trace.arrival()).contains(at("n3", "far"));
    assertThat(trace.path().getFirst().outer().map(Trace.Outer::destination))
        .contains(ip("2001:db8:2::13"));
    assertThat(trace.pathMtu()).isEqualTo(1430);
    assertThat(trace.answered()).isTrue();
  }

  @Test
  void aNodeReachesPodsBehindTheRouterByTheTunnelAndWithItsTunnelAddress() {
    Trace trace = trace(node("n1"), "10.244.3.5");
    assertThat(trace.sourceSeen()).contains(ip("10.244.1.0"));
    assertThat(trace.carriage()).isEqualTo(Carriage.VXLAN);
    assertThat(trace.hopCount()).isEqualTo(1);
    assertThat(trace.answered()).isTrue();
    assertThat(trace(node("n1"), "10.244.2.5").sourceSeen()).contains(ip("192.168.1.11"));
    assertThat(trace(node("n1"), "10.244.1.5").sourceSeen()).contains(ip("192.168.1.11"));
  }

  @Test
  void aPodReachesItsOwnNodeAsItself() {
    Trace trace = trace(pod("web"), "192.168.1.11");
    assertThat(trace.arrival()).contains(new AtNode(new NodeName("n1")));
    assertThat(trace.sourceSeen()).contains(ip("10.244.1.5"));
    assertThat(trace.answered()).isTrue();
  }

  @Test
  void aPodReachesAnotherNodeWithItsNodesAddress() {
    Trace trace = trace(pod("web"), "192.168.2.13");
    assertThat(trace.arrival()).contains(new AtNode(new NodeName("n3")));
    assertThat(trace.sourceSeen()).contains(ip("192.168.1.11"));
    assertThat(trace.path()).extracting(Step::machine).containsExactly("n1", "router", "n3");
    assertThat(trace.answered()).isTrue();
    assertThat(trace.back().getLast().text()).startsWith("pod shop/web takes it at 10.244.1.5");
  }

  @Test
  void aHostOutsideSeesTheNodesAddress() {
    Trace trace = trace(pod("far"), "192.168.3.99");
    assertThat(trace.arrival()).contains(new AtHost("outside"));
    assertThat(trace.sourceSeen()).contains(ip("192.168.2.13"));
    assertThat(trace.answered()).isTrue();
    assertThat(trace(pod("far"), "2001:db8:3::99").sourceSeen()).contains(ip("2001:db8:2::13"));
  }

  @Test
  void withoutNatOutgoingTheAnswerFromOutsideFindsNoWayBack() {
    scene.pool("plain", "10.244.0.0/16", VxlanMode.CROSS_SUBNET, false);
    Trace trace = trace(pod("web"), "192.168.3.99");
    assertThat(trace.delivered()).isTrue();
    assertThat(trace.sourceSeen()).contains(ip("10.244.1.5"));
    assertThat(trace.answered()).isFalse();
    assertThat(trace.backOutcome()).isEqualTo(Reason.NO_ROUTE);
  }

  @Test
  void fromOutsideNodesAreReachedAndPodsAreNot() {
    assertThat(trace(new FromOutside("outside"), "192.168.2.13").answered()).isTrue();
    Trace trace = trace(new FromOutside("outside"), "10.244.3.5");
    assertThat(trace.outcome()).isEqualTo(Reason.NO_ROUTE);
    assertThat(trace.notice()).contains(new Notice("router", Optional.of(ip("192.168.3.1")), true));
  }

  @Test
  void anUnusedAddressAnswersAtOnceFromItsNode() {
    Trace here = trace(pod("web"), "10.244.1.77");
    assertThat(here.outcome()).isEqualTo(Reason.ADDRESS_UNUSED);
    assertThat(here.notice()).contains(new Notice("n1", Optional.of(ip("192.168.1.11")), true));
    Trace far = trace(pod("web"), "10.244.3.77");
    assertThat(far.outcome()).isEqualTo(Reason.ADDRESS_UNUSED);
    assertThat(far.notice()).contains(new Notice("n3", Optional.of(ip("10.244.3.0")), true));
  }

  @Test
  void aPodWithoutAnAddressOfTheFamilyHasNoSource() {
    scene.pod("shop/only4", "n1", "10.244.1.9");
    Trace trace = trace(pod("only4"), "fd00:3::5");
    assertThat(trace.outcome()).isEqualTo(Reason.NO_SOURCE_ADDRESS);
    assertThat(trace.told()).isTrue();
  }

  @Test
  void alwaysWrapsOnTheSameSubnetToo() {
    scene.pool("all", "10.244.0.0/16", VxlanMode.ALWAYS, true);
    assertThat(trace(pod("web"), "10.244.2.5").carriage()).isEqualTo(Carriage.VXLAN);
    assertThat(trace(pod("web"), "10.244.2.5").answered()).isTrue();
  }

  @Test
  void ipipCostsTwentyBytes() {
    scene.ipip("all", "10.244.0.0/16", IpipMode.ALWAYS);
    Trace trace = trace(pod("web"), "10.244.3.5");
    assertThat(trace.answered()).isTrue();
    assertThat(trace.carriage()).isEqualTo(Carriage.IPIP);
    assertThat(trace.pathMtu()).isEqualTo(1480);
    assertThat(trace.path().getFirst().outer())
        .contains(Outer.ipip(ip("192.168.1.11"), ip("192.168.2.13")));
    assertThat(trace(node("n1"), "10.244.3.5").sourceSeen()).contains(ip("10.244.1.0"));
  }

  @Test
  void aSmallerLinkIsToldThroughIpipToWhoeverForbidsCutting() {
    scene.ipip("all", "10.244.0.0/16", IpipMode.ALWAYS).mtu("router/b", 1400);
    Trace told = trace(small(pod("web"), "10.244.3.5").probing(1400));
    assertThat(told.outcome()).isEqualTo(Reason.PACKET_TOO_BIG);
    assertThat(told.notice().map(Notice::machine)).contains("router");
    assertThat(trace(small(pod("web"), "10.244.3.5").probing(1380)).answered()).isTrue();
    assertThat(trace(pod("web"), "10.244.3.5").answered()).isTrue();
  }

  @Test
  void neverReachesTheSubnetOnlyAndKeepsTheFullMtu() {
    scene.pool("none", "10.244.0.0/16", VxlanMode.NEVER, true);
    assertThat(trace(pod("web"), "10.244.2.5").pathMtu()).isEqualTo(1500);
    Trace far = trace(pod("web"), "10.244.3.5");
    assertThat(far.outcome()).isEqualTo(Reason.NO_ROUTE);
    assertThat(far.path()).extracting(Step::machine).containsExactly("n1", "router");
    assertThat(far.told()).as("the router has no way back to a pod").isFalse();
  }

  // Time to live.

  @Test
  void aLimitedPacketEndsWhereItsTimeRunsOut() {
    Trace first = trace(limited(pod("web"), "10.244.3.5", 1));
    assertThat(first.outcome()).isEqualTo(Reason.TTL_EXPIRED);
    assertThat(first.notice()).contains(new Notice("n1", Optional.of(ip("192.168.1.11")), true));
    Trace second = trace(limited(pod("web"), "10.244.3.5", 2));
    assertThat(second.notice().map(Notice::machine)).contains("n3");
    assertThat(second.told()).isTrue();
    assertThat(trace(limited(pod("web"), "10.244.3.5", 3)).answered()).isTrue();
  }

  @Test
  void aLimitedPacketToOutsideIsAnsweredByTheRouterThroughTheTranslation() {
    Trace trace = trace(limited(pod("web"), "192.168.3.99", 2));
    assertThat(trace.outcome()).isEqualTo(Reason.TTL_EXPIRED);
    assertThat(trace.notice()).contains(new Notice("router", Optional.of(ip("192.168.1.1")), true));
  }

  @Test
  void aRouterThatKnowsNoPodsCannotAnswerProbesOfPods() {
    assertThat(tracer().probedPath(small(pod("web"), "192.168.3.99")))
        .extracting(Step::machine)
        .containsExactly("n1", "router", "outside");
    scene.pool("plain", "10.244.0.0/16", VxlanMode.CROSS_SUBNET, false);
    assertThat(tracer().probedPath(small(pod("web"), "192.168.3.99")))
        .extracting(Step::machine)
        .containsExactly("n1", "?", "outside");
    Packet wrapped = small(pod("web"), "10.244.3.5");
    assertThat(tracer().probedPath(wrapped)).isEqualTo(tracer().trace(wrapped).path());
    assertThat(tracer().probedPath(small(node("n1"), "10.244.1.5"))).containsExactly(local("n1"));
    assertThat(tracer().probedPath(small(pod("web"), "10.244.3.77"))).isEmpty();
  }

  // Sizes.

  @Test
  void oneByteMoreThanThePathTakesIsToldByThePodsOwnRoute() {
    Trace largest = trace(small(pod("web"), "10.244.3.5").probing(1450));
    assertThat(largest.answered()).isTrue();
    Trace larger = trace(small(pod("web"), "10.244.3.5").probing(1451));
    assertThat(larger.outcome()).isEqualTo(Reason.PACKET_TOO_BIG);
    assertThat(larger.notice()).contains(new Notice("n1", Optional.empty(), true));
  }

  @Test
  void aSmallerLinkBehindTheRouterCutsOuterPacketsOfIpv4() {
    scene.mtu("router/b", 1400);
    assertThat(trace(pod("web"), "10.244.3.5").pathMtu()).isEqualTo(1450);
    assertThat(trace(small(pod("web"), "10.244.3.5").probing(1450)).answered()).isTrue();
  }

  @Test
  void aSmallerLinkBehindTheRouterSwallowsOuterPacketsOfIpv6() {
    scene.mtu("router/b", 1400);
    assertThat(trace(pod("web"), "fd00:3::5").pathMtu()).isEqualTo(1330);
    Trace larger = trace(small(pod("web"), "fd00:3::5").probing(1331));
    assertThat(larger.outcome()).isEqualTo(Reason.MTU_BLACK_HOLE);
    assertThat(larger.told()).isFalse();
  }

  @Test
  void aSmallerReceivingLinkSwallowsWhatExceedsItByMoreThanAVlanTag() {
    scene.mtu("n2/a", 1400);
    assertThat(trace(node("n1"), "192.168.1.12").pathMtu()).isEqualTo(1404);
    Trace larger = trace(small(node("n1"), "192.168.1.12").probing(1405));
    assertThat(larger.outcome()).isEqualTo(Reason.MTU_BLACK_HOLE);
    assertThat(larger.told()).isFalse();
  }

  @Test
  void aNodeTellsWhatItsPodsDoNotTake() {
    scene.mtu("n2/a", 1400);
    Trace larger = trace(small(pod("web"), "10.244.2.5").probing(1351));
    assertThat(larger.outcome()).isEqualTo(Reason.PACKET_TOO_BIG);
    assertThat(larger.notice()).contains(new Notice("n2", Optional.of(ip("192.168.1.12")), true));
  }

  @Test
  void theRouterTellsWhoCanBeTold() {
    scene.mtu("router/c", 1300);
    Trace trace = trace(small(pod("web"), "192.168.3.99").probing(1400));
    assertThat(trace.outcome()).isEqualTo(Reason.PACKET_TOO_BIG);
    assertThat(trace.notice()).contains(new Notice("router", Optional.of(ip("192.168.1.1")), true));
    assertThat(trace(pod("web"), "192.168.3.99").pathMtu()).isEqualTo(1300);
  }

  @Test
  void aRouterThatCannotFindTheSenderIsABlackHole() {
    scene.pool("plain", "10.244.0.0/16", VxlanMode.CROSS_SUBNET, false).mtu("router/c", 1300);
    Trace trace = trace(small(pod("web"), "192.168.3.99").probing(1400));
    assertThat(trace.outcome()).isEqualTo(Reason.MTU_BLACK_HOLE);
    assertThat(trace.told()).isFalse();
  }

  @Test
  void aPacketThatMayBeCutArrivesAtAnySize() {
    Packet large =
        new Packet(
            pod("web"), Optional.empty(), ip("192.168.3.99"), Protocol.UDP, 53, 4000, false, 64);
    scene.mtu("router/c", 1300);
    assertThat(trace(large).answered()).isTrue();
  }

  // Faults.

  @Test
  void aCutLinkStopsPacketsWithoutAWord() {
    scene.cut("n3/b");
    Trace trace = trace(pod("web"), "10.244.3.5");
    assertThat(trace.outcome()).isEqualTo(Reason.LINK_DOWN);
    assertThat(trace.told()).isFalse();
    assertThat(trace(pod("web"), "10.244.2.5").answered()).isTrue();
  }

  @Test
  void aMissingPeerStopsPackets() {
    Map<NodeName, PacketProgram> programs = new TreeMap<>(scene.programs());
    PacketProgram n1 = programs.get(new NodeName("n1"));
    programs.put(n1.node(), with(n1, n1.tunnels(), new TreeMap<>(), n1.routes()));
    Trace trace = new PathTracer(programs, scene.underlay()).trace(small(pod("web"), "10.244.3.5"));
    assertThat(trace.outcome()).isEqualTo(Reason.TUNNEL_PEER_UNKNOWN);
  }

  @Test
  void aWrongMacStopsPacketsAtTheOtherEnd() {
    Map<NodeName, PacketProgram> programs = new TreeMap<>(scene.programs());
    PacketProgram n1 = programs.get(new NodeName("n1"));
    SortedMap<TunnelPeer.Key, TunnelPeer> wrong = new TreeMap<>();
    n1.tunnelPeers()
        .forEach((key, peer) ->
            wrong.put(
                key,
                new TunnelPeer(
                    peer.device(),
                    peer.nextHop(),
                    Mac.parse("02:00:00:00:00:01"),
                    peer.underlay(),
                    peer.rule())));
    programs.put(n1.node(), with(n1, n1.tunnels(), wrong, n1.routes()));
    Trace trace = new PathTracer(programs, scene.underlay()).trace(small(pod("web"), "10.244.3.5"));
    assertThat(trace.outcome()).isEqualTo(Reason.TUNNEL_MISMATCH);
    assertThat(trace.there().getLast().machine()).isEqualTo("n3");
    assertThat(trace.told()).isFalse();
  }

  @Test
  void aRouteThatIsGoneSendsPacketsToTheDefaultGateway() {
    Map<NodeName, PacketProgram> programs = new TreeMap<>(scene.programs());
    PacketProgram n1 = programs.get(new NodeName("n1"));
    NavigableMap<Prefix, Route> rest = new TreeMap<>(n1.routes());
    rest.remove(Prefix.parse("10.244.3.0/24"));
    programs.put(n1.node(), with(n1, n1.tunnels(), n1.tunnelPeers(), rest));
    Trace trace = new PathTracer(programs, scene.underlay()).trace(small(pod("web"), "10.244.3.5"));
    assertThat(trace.outcome()).isEqualTo(Reason.NO_ROUTE);
    assertThat(trace.there().getLast().machine()).isEqualTo("router");
  }

  @Test
  void aMissingClusterRangeShowsAsATranslatedSource() {
    Map<NodeName, PacketProgram> programs = new TreeMap<>(scene.programs());
    PacketProgram n1 = programs.get(new NodeName("n1"));
    SortedMap<Masquerade.Key, Masquerade> rest = new TreeMap<>(n1.masquerade());
    rest.remove(new Masquerade.Key(Prefix.parse("10.244.2.0/24"), Masquerade.Part.CLUSTER));
    programs.put(
        n1.node(),
        new PacketProgram(
            n1.node(),
            n1.nodeAddresses(),
            n1.facts(),
            n1.localPods(),
            n1.routes(),
            n1.tunnels(),
            n1.tunnelPeers(),
            rest,
            n1.frontends(),
            n1.endpoints()));
    Trace trace = new PathTracer(programs, scene.underlay()).trace(small(pod("web"), "10.244.2.5"));
    assertThat(trace.sourceSeen()).contains(ip("192.168.1.11"));
    assertThat(trace.answered()).isTrue();
  }

  @Test
  void routesThatPointAtEachOtherAreALoop() {
    Map<NodeName, PacketProgram> programs = new TreeMap<>(scene.programs());
    for (String name : new String[] {"n1", "n2"}) {
      PacketProgram program = programs.get(new NodeName(name));
      NavigableMap<Prefix, Route> routes = new TreeMap<>(program.routes());
      Prefix range = Prefix.parse("10.99.0.0/16");
      Route other = routes.get(Prefix.parse(name.equals("n1") ? "10.244.2.0/24" : "10.244.1.0/24"));
      routes.put(range, new Route(range, other.way(), other.source(), 0, other.rule()));
      programs.put(program.node(), with(program, program.tunnels(), program.tunnelPeers(), routes));
    }
    Trace trace = new PathTracer(programs, scene.underlay()).trace(small(pod("web"), "10.99.0.1"));
    assertThat(trace.outcome()).isEqualTo(Reason.ROUTING_LOOP);
    Trace limited =
        new PathTracer(programs, scene.underlay()).trace(limited(pod("web"), "10.99.0.1", 2));
    assertThat(limited.outcome()).isEqualTo(Reason.TTL_EXPIRED);
  }

  @Test
  void somebodyUnknownSendsNothing() {
    assertThat(trace(pod("nobody"), "10.244.3.5").outcome()).isEqualTo(Reason.SENDER_UNKNOWN);
    assertThat(trace(node("n9"), "10.244.3.5").outcome()).isEqualTo(Reason.SENDER_UNKNOWN);
    assertThat(trace(new FromOutside("moon"), "10.244.3.5").outcome())
        .isEqualTo(Reason.SENDER_UNKNOWN);
  }

  @Test
  void anAddressThatNobodyOnTheSegmentHasGetsNoNeighbour() {
    Trace trace = trace(pod("web"), "192.168.1.200");
    assertThat(trace.outcome()).isEqualTo(Reason.NO_NEIGHBOUR);
    assertThat(trace.notice().map(Notice::machine)).contains("n1");
  }

  private Trace trace(Origin from, String to) {
    return trace(small(from, to));
  }

  private Trace trace(Packet packet) {
    return tracer().trace(packet);
  }

  private PathTracer tracer() {
    return new PathTracer(scene.programs(), scene.underlay());
  }

  private static Packet small(Origin from, String to) {
    return Packet.small(from, ip(to), Protocol.UDP, 53);
  }

  private static Packet limited(Origin from, String to, int ttl) {
    return small(from, to).limited(ttl);
  }

  private static PacketProgram with(
      PacketProgram program,
      SortedMap<String, Tunnel> tunnels,
      SortedMap<TunnelPeer.Key, TunnelPeer> peers,
      NavigableMap<Prefix, Route> routes) {
    return new PacketProgram(
        program.node(),
        program.nodeAddresses(),
        program.facts(),
        program.localPods(),
        routes,
        tunnels,
        peers,
        program.masquerade(),
        program.frontends(),
        program.endpoints());
  }

  private String device(String node, String pod) {
    return scene.program(node).localPods().values().stream()
        .filter(one -> one.pod().name().equals(pod))
        .findFirst()
        .orElseThrow()
        .device();
  }

  private static Origin pod(String name) {
    return new FromPod(new PodKey("shop", name));
  }

  private static Origin node(String name) {
    return new FromNode(new NodeName(name));
  }

  private static AtPod at(String node, String pod) {
    return new AtPod(new NodeName(node), new PodKey("shop", pod));
  }

  private static Step local(String machine) {
    return new Step(machine, Carriage.LOCAL, Optional.empty());
  }

  private static Ip ip(String text) {
    return Ip.parse(text);
  }
}
