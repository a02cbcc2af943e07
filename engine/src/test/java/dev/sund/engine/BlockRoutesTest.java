package dev.sund.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.engine.cluster.AddressBlock;
import dev.sund.engine.cluster.ClusterEvent.BlockGone;
import dev.sund.engine.cluster.ClusterEvent.BlockSeen;
import dev.sund.engine.cluster.IpPool.VxlanMode;
import dev.sund.engine.cluster.Node;
import dev.sund.engine.ipam.AddressSettings;
import dev.sund.engine.ipam.AddressSettings.Mode;
import dev.sund.engine.program.Change;
import dev.sund.engine.program.Route;
import dev.sund.engine.program.Route.ByTunnel;
import dev.sund.engine.program.Route.Direct;
import dev.sund.engine.program.Route.ToPod;
import dev.sund.engine.program.Route.Unreachable;
import dev.sund.engine.program.Tunnel;
import dev.sund.engine.trace.Packet;
import dev.sund.engine.trace.PathTracer;
import dev.sund.engine.trace.Trace;
import dev.sund.model.Condition;
import dev.sund.model.Ip;
import dev.sund.model.NodeName;
import dev.sund.model.PodKey;
import dev.sund.model.Prefix;
import dev.sund.model.Protocol;
import dev.sund.model.Reason;
import dev.sund.model.RuleId;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** Where packets go when nodes hold blocks of pools instead of ranges of their own. */
class BlockRoutesTest {
  private static final Ip N2 = Ip.parse("192.168.1.12");
  private static final Ip N3 = Ip.parse("192.168.2.13");

  private final Scene scene =
      Scene.ofThreeNodes()
          .withoutRanges("n1")
          .withoutRanges("n2")
          .withoutRanges("n3")
          .settings(FabricSettings.DEFAULT.with(new AddressSettings(Mode.POOLS, List.of())))
          .pool("pool", "10.1.0.0/16", VxlanMode.CROSS_SUBNET, true)
          .pool("six", "fd01::/64", VxlanMode.CROSS_SUBNET, true);

  @Test
  void aBlockOfAnotherNodeIsOneRouteHoweverManyPodsItHas() { // Calico: a route per block
    scene.block("10.1.0.64/26", "n2").block("10.1.0.128/26", "n3").block("fd01::40/122", "n3");
    for (int i = 0; i < 20; i++) {
      scene.pod("shop/p" + i, "n2", "10.1.0." + (64 + i));
    }
    assertThat(scene.program("n1").routes())
        .containsOnlyKeys(
            Prefix.parse("10.1.0.64/26"),
            Prefix.parse("10.1.0.128/26"),
            Prefix.parse("fd01::40/122"));
    assertThat(route("n1", "10.1.0.64/26"))
        .contains(
            new Route(
                Prefix.parse("10.1.0.64/26"),
                new Direct(N2, "eth0"),
                Optional.of(Ip.parse("192.168.1.11")),
                0,
                RuleId.of("AddressBlock", "10.1.0.64/26", "uid-10.1.0.64/26")));
    assertThat(way("n1", "10.1.0.128/26")).contains(new ByTunnel(N3, "sund-vxlan4"));
  }

  @Test
  void theNodesOwnBlockIsUnreachableWhereNoPodIs() {
    scene.block("10.1.0.0/26", "n1").pod("shop/web", "n1", "10.1.0.5");
    assertThat(way("n1", "10.1.0.0/26")).contains(new Unreachable());
    assertThat(way("n1", "10.1.0.5/32")).containsInstanceOf(ToPod.class);
  }

  @Test
  void whatIsBorrowedHasRoutesOfItsOwnEverywhere() { // behaviour 5: borrowed => /32 routes
    scene.block("10.1.0.0/26", "n2", "n3:10.1.0.60", "n3:10.1.0.61");
    scene.pod("shop/web", "n3", "10.1.0.60");
    assertThat(way("n1", "10.1.0.60/32")).contains(new ByTunnel(N3, "sund-vxlan4"));
    assertThat(way("n1", "10.1.0.61/32")).contains(new ByTunnel(N3, "sund-vxlan4"));
    assertThat(way("n2", "10.1.0.0/26")).contains(new Unreachable());
    assertThat(way("n2", "10.1.0.60/32")).contains(new ByTunnel(N3, "sund-vxlan4"));
    assertThat(way("n3", "10.1.0.60/32")).containsInstanceOf(ToPod.class);
    // Not to go round: n2 sends this to n3, whose route for the block leads to n2.
    assertThat(way("n3", "10.1.0.61/32")).contains(new Unreachable());
    Trace trace =
        new PathTracer(scene.programs(), scene.underlay())
            .trace(
                Packet.small(
                    new Packet.FromNode(new NodeName("n1")),
                    Ip.parse("10.1.0.61"),
                    Protocol.UDP,
                    53));
    assertThat(trace.outcome()).isEqualTo(Reason.ADDRESS_UNUSED);
  }

  @Test
  void aBlockWithBorrowersOnlyLeadsToThem() {
    scene.block("10.1.0.0/26", "", "n2:10.1.0.1", "n3:10.1.0.2");
    assertThat(scene.program("n1").routes())
        .containsOnlyKeys(Prefix.parse("10.1.0.1/32"), Prefix.parse("10.1.0.2/32"));
    assertThat(way("n1", "10.1.0.1/32")).contains(new Direct(N2, "eth0"));
  }

  @Test
  void aPodWhoseAddressLeadsElsewhereHasItsOwnRoute() { // handed over by somebody else
    scene.block("10.1.0.0/26", "n2").pod("shop/given", "n3", "10.1.0.9");
    assertThat(way("n1", "10.1.0.9/32")).contains(new ByTunnel(N3, "sund-vxlan4"));
  }

  @Test
  void blocksGoBeforeTheRangesThatTheControllerGaveToNodes() {
    scene.node(
        new Node(
            new NodeName("n2"),
            "uid-n2",
            2,
            List.of(N2, Ip.parse("2001:db8:1::12")),
            List.of(Prefix.parse("10.1.0.0/24"))));
    scene
        .block("10.1.0.0/26", "n3")
        .pod("shop/a", "n3", "10.1.0.7")
        .pod("shop/b", "n2", "10.1.0.70");
    assertThat(scene.program("n1").routes())
        .containsOnlyKeys(Prefix.parse("10.1.0.0/24"), Prefix.parse("10.1.0.0/26"));
    assertThat(way("n1", "10.1.0.0/24")).contains(new Direct(N2, "eth0"));
    assertThat(way("n1", "10.1.0.0/26")).contains(new ByTunnel(N3, "sund-vxlan4"));
  }

  @Test
  void aTunnelHasTheAddressThatTheNodeTookFromThePools() {
    scene.block("10.1.0.0/26", "n1").tunnels("n1", "10.1.0.3", "fd01::3");
    assertThat(scene.program("n1").tunnels().get("sund-vxlan4").address())
        .contains(Ip.parse("10.1.0.3"));
    assertThat(scene.program("n2").tunnels().get("sund-vxlan4").address()).isEmpty();
    scene.block("10.1.0.128/26", "n3").pod("shop/web", "n3", "10.1.0.130");
    Trace trace =
        new PathTracer(scene.programs(), scene.underlay())
            .trace(
                Packet.small(
                    new Packet.FromNode(new NodeName("n1")),
                    Ip.parse("10.1.0.130"),
                    Protocol.UDP,
                    53));
    assertThat(trace.sourceSeen()).contains(Ip.parse("10.1.0.3"));
    assertThat(trace.answered()).isTrue();
    // A pod that has it keeps it (ADR 0003).
    scene.pod("shop/rival", "n1", "10.1.0.3");
    assertThat(scene.program("n1").tunnels().values())
        .extracting(Tunnel::address)
        .containsExactlyInAnyOrder(Optional.empty(), Optional.of(Ip.parse("fd01::3")));
  }

  @Test
  void inModePoolsARangeGivesNoTunnelAddress() {
    scene.node(
        new Node(
            new NodeName("n1"),
            "uid-n1",
            1,
            List.of(Ip.parse("192.168.1.11")),
            List.of(Prefix.parse("10.1.7.0/24"))));
    assertThat(scene.program("n1").tunnels().get("sund-vxlan4").address()).isEmpty();
  }

  @Test
  void aNodeWithoutRangesIsNoFaultButABlockAroundANodesAddressIs() {
    assertThat(scene.conditions("n1")).isEmpty();
    scene.block("192.168.1.0/28", "n2");
    assertThat(scene.program("n3").routes()).isEmpty();
    assertThat(scene.conditions("n1"))
        .extracting(Condition::toString)
        .containsExactly(
            "IPPool pool spec.cidr: Its block 192.168.1.0/28 contains"
                + " 192.168.1.11, the address of a node, and would take packets to it: it is not"
                + " routed. Disable the pool and make one apart from the nodes' subnets;"
                + " pods move when they are made anew. [overlapping-pool]");
  }

  @Test
  void whatAClaimGrowsByChangesNoRoute() {
    scene.block("10.1.0.0/26", "n2", "n3:10.1.0.60").pod("shop/web", "n2", "10.1.0.5");
    ProgramCompiler compiler = scene.compiler("n1");
    compiler.apply(scene.events("n1"));
    long made = compiler.rowsMade();
    AddressBlock same = block("n2", "10.1.0.60");
    assertThat(compiler.apply(List.of(new BlockSeen(same))).delta().isEmpty()).isTrue();
    assertThat(compiler.rowsMade()).isEqualTo(made);
    AddressBlock more = block("n2", "10.1.0.60", "10.1.0.61");
    assertThat(compiler.apply(List.of(new BlockSeen(more))).delta().routes())
        .extracting(Change::key)
        .containsExactly(Prefix.parse("10.1.0.61/32"));
    assertThat(compiler.rowsMade()).isLessThan(made + 8);
    assertThat(compiler.apply(List.of(new BlockGone("10.1.0.0/26"))).delta().routes())
        .extracting(Change::key)
        .containsExactly(
            Prefix.parse("10.1.0.0/26"),
            Prefix.parse("10.1.0.5/32"), // which is now known by its pod alone
            Prefix.parse("10.1.0.60/32"),
            Prefix.parse("10.1.0.61/32"));
  }

  @Test
  void packetsFindEveryPodFromEveryPod() {
    scene
        .block("10.1.0.0/26", "n1", "n3:10.1.0.60")
        .block("10.1.0.64/26", "n2", "n1:10.1.0.80")
        .block("fd01::/122", "n3", "n2:fd01::30")
        .pod("shop/a", "n1", "10.1.0.5")
        .pod("shop/b", "n1", "10.1.0.80")
        .pod("shop/c", "n2", "10.1.0.65", "fd01::30")
        .pod("shop/d", "n3", "10.1.0.60", "fd01::7");
    PathTracer tracer = new PathTracer(scene.programs(), scene.underlay());
    for (String from : List.of("a", "b", "c", "d")) {
      for (String to : List.of("10.1.0.5", "10.1.0.80", "10.1.0.65", "10.1.0.60")) {
        Trace trace = tracer.trace(packet(from, to));
        assertThat(trace.answered()).as(trace.toString()).isTrue();
      }
    }
    assertThat(tracer.trace(packet("c", "fd01::7")).answered()).isTrue();
    assertThat(tracer.trace(packet("d", "fd01::30")).answered()).isTrue();
  }

  private static Packet packet(String from, String to) {
    return Packet.small(
        new Packet.FromPod(new PodKey("shop", from)), Ip.parse(to), Protocol.UDP, 53);
  }

  private static AddressBlock block(String node, String... borrowedByN3) {
    var borrowed = new TreeMap<NodeName, List<Ip>>();
    borrowed.put(
        new NodeName("n3"), java.util.stream.Stream.of(borrowedByN3).map(Ip::parse).toList());
    return new AddressBlock(
        "10.1.0.0/26",
        "uid-10.1.0.0/26",
        "pool",
        Prefix.parse("10.1.0.0/26"),
        Optional.of(new NodeName(node)),
        borrowed);
  }

  private Optional<Route> route(String node, String range) {
    return Optional.ofNullable(scene.program(node).routes().get(Prefix.parse(range)));
  }

  private Optional<Route.Way> way(String node, String range) {
    return route(node, range).map(Route::way);
  }
}
