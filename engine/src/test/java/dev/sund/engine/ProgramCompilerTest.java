package dev.sund.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.engine.cluster.ClusterEvent;
import dev.sund.engine.cluster.IpPool.IpipMode;
import dev.sund.engine.cluster.IpPool.VxlanMode;
import dev.sund.engine.cluster.Node;
import dev.sund.engine.cluster.Pod;
import dev.sund.engine.program.Change;
import dev.sund.engine.program.LocalPod;
import dev.sund.engine.program.Masquerade;
import dev.sund.engine.program.Masquerade.Part;
import dev.sund.engine.program.PacketProgram;
import dev.sund.engine.program.ProgramDelta;
import dev.sund.engine.program.Route;
import dev.sund.engine.program.Route.ByTunnel;
import dev.sund.engine.program.Route.Direct;
import dev.sund.engine.program.Route.ToPod;
import dev.sund.engine.program.Route.Unreachable;
import dev.sund.engine.program.Tunnel;
import dev.sund.engine.program.TunnelPeer;
import dev.sund.model.Condition;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.Mac;
import dev.sund.model.NodeName;
import dev.sund.model.ObjectRef;
import dev.sund.model.PodKey;
import dev.sund.model.Prefix;
import dev.sund.model.Reason;
import dev.sund.model.RuleId;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

class ProgramCompilerTest {
  private static final RuleId N3 = RuleId.of("Node", "n3", "uid-n3");
  private final Scene scene = Scene.ofThreeNodes();

  // Routes.

  @Test
  void aNodeOnTheSameSubnetIsTheNextHop() {
    assertThat(route("10.244.2.0/24"))
        .contains(
            new Route(
                Prefix.parse("10.244.2.0/24"),
                new Direct(Ip.parse("192.168.1.12"), "eth0"),
                Optional.of(Ip.parse("192.168.1.11")),
                0,
                RuleId.of("Node", "n2", "uid-n2")));
  }

  @Test
  void aNodeOnAnotherSubnetIsReachedByTheTunnelOfItsFamily() {
    assertThat(route("10.244.3.0/24"))
        .contains(
            new Route(
                Prefix.parse("10.244.3.0/24"),
                new ByTunnel(Ip.parse("192.168.2.13"), "sund-vxlan4"),
                Optional.of(Ip.parse("10.244.1.0")),
                1450,
                N3));
    Mac mac = Mac.derivedFrom("vxlan/uid-n3/2001:db8:2::13");
    assertThat(route("fd00:3::/64"))
        .contains(
            new Route(
                Prefix.parse("fd00:3::/64"),
                new ByTunnel(mac.linkLocal(), "sund-vxlan6"),
                Optional.of(Ip.parse("fd00:1::")),
                1430,
                N3));
  }

  @Test
  void theNodesOwnRangeIsUnreachableWhereNoPodIs() {
    scene.pod("shop/web", "n1", "10.244.1.5");
    assertThat(route("10.244.1.0/24").map(Route::way)).contains(new Unreachable());
    assertThat(route("10.244.1.5/32"))
        .contains(
            new Route(
                Prefix.parse("10.244.1.5/32"),
                new ToPod(PodDevices.device("uid-web", "eth0")),
                Optional.of(Ip.parse("192.168.1.11")),
                0,
                RuleId.of("Pod", "shop/web", "uid-web")));
  }

  @Test
  void aPodOutsideOfItsNodesRangeHasItsOwnRoute() {
    scene.pod("shop/borrowed", "n3", "10.244.2.77").pod("shop/usual", "n3", "10.244.3.7");
    assertThat(route("10.244.2.77/32").map(Route::way))
        .contains(new ByTunnel(Ip.parse("192.168.2.13"), "sund-vxlan4"));
    assertThat(route("10.244.3.7/32")).isEmpty();
  }

  @Test
  void poolsSayHowPacketsTravel() {
    scene.pool("all", "10.244.0.0/16", VxlanMode.ALWAYS, true);
    scene.pool("six", "fd00::/16", VxlanMode.NEVER, false);
    assertThat(route("10.244.2.0/24").map(Route::way))
        .contains(new ByTunnel(Ip.parse("192.168.1.12"), "sund-vxlan4"));
    assertThat(route("fd00:2::/64").map(Route::way))
        .contains(new Direct(Ip.parse("2001:db8:1::12"), "eth0"));
    assertThat(route("fd00:3::/64")).isEmpty();
    assertThat(program().tunnels()).containsOnlyKeys("sund-vxlan4");
  }

  // Tunnels.

  @Test
  void ipipIsATunnelWithoutPeersWhoseNextHopsAreTheNodes() {
    scene.ipip("all", "10.244.0.0/16", IpipMode.ALWAYS);
    assertThat(program().tunnels().get("sund-ipip4"))
        .isEqualTo(
            new Tunnel(
                "sund-ipip4",
                new Tunnel.Wire.Ipip(),
                Ip.parse("192.168.1.11"),
                "eth0",
                Optional.of(Ip.parse("10.244.1.0")),
                1480,
                RuleId.of("Node", "n1", "uid-n1")));
    assertThat(route("10.244.2.0/24"))
        .contains(
            new Route(
                Prefix.parse("10.244.2.0/24"),
                new ByTunnel(Ip.parse("192.168.1.12"), "sund-ipip4"),
                Optional.of(Ip.parse("10.244.1.0")),
                1480,
                RuleId.of("Node", "n2", "uid-n2")));
    assertThat(program().tunnelPeers().keySet())
        .as("the built-in pool of IPv6 has peers of its own")
        .allMatch(key -> key.device().equals("sund-vxlan6"));
  }

  @Test
  void ipipAcrossSubnetsLeavesTheOwnSubnetUnwrapped() {
    scene.ipip("all", "10.244.0.0/16", IpipMode.CROSS_SUBNET);
    assertThat(route("10.244.2.0/24").map(Route::way))
        .contains(new Direct(Ip.parse("192.168.1.12"), "eth0"));
    assertThat(route("10.244.3.0/24").map(Route::way))
        .contains(new ByTunnel(Ip.parse("192.168.2.13"), "sund-ipip4"));
  }

  @Test
  void poolsOfBothWaysHaveATunnelEachAndPodsTheSmallerMtu() {
    scene.pod("shop/web", "n1", "10.244.1.5");
    scene.ipip("first", "10.244.0.0/23", IpipMode.ALWAYS);
    assertThat(program().localPods().values()).extracting(LocalPod::mtuV4).containsOnly(1480);
    scene.pool("second", "10.244.2.0/23", VxlanMode.ALWAYS, true);
    assertThat(program().tunnels()).containsKeys("sund-ipip4", "sund-vxlan4");
    assertThat(route("10.244.3.0/24").map(Route::way))
        .contains(new ByTunnel(Ip.parse("192.168.2.13"), "sund-vxlan4"));
    assertThat(program().localPods().values()).extracting(LocalPod::mtuV4).containsOnly(1450);
  }

  @Test
  void aTunnelIsDerivedFromWhatTheApiSays() {
    assertThat(program().tunnels().get("sund-vxlan4"))
        .isEqualTo(
            new Tunnel(
                "sund-vxlan4",
                new Tunnel.Wire.Vxlan(4096, 4789, Mac.derivedFrom("vxlan/uid-n1/192.168.1.11")),
                Ip.parse("192.168.1.11"),
                "eth0",
                Optional.of(Ip.parse("10.244.1.0")),
                1450,
                RuleId.of("Node", "n1", "uid-n1")));
    assertThat(program().tunnelPeers().values())
        .contains(
            new TunnelPeer(
                "sund-vxlan4",
                Ip.parse("192.168.2.13"),
                Mac.derivedFrom("vxlan/uid-n3/192.168.2.13"),
                Ip.parse("192.168.2.13"),
                N3));
  }

  @Test
  void aPodWithTheFirstAddressOfTheRangeKeepsItFromTheTunnel() {
    scene.pod("shop/first", "n1", "10.244.1.0");
    assertThat(program().tunnels().get("sund-vxlan4").address()).isEmpty();
    assertThat(program().tunnels().get("sund-vxlan6").address()).contains(Ip.parse("fd00:1::"));
    assertThat(route("10.244.3.0/24").flatMap(Route::source)).contains(Ip.parse("192.168.1.11"));
  }

  @Test
  void onlyNodesOnOtherSubnetsArePeersUnlessAllIsWrapped() {
    assertThat(program().tunnelPeers().values()).extracting(TunnelPeer::rule).containsOnly(N3);
    scene.pool("all", "10.244.0.0/16", VxlanMode.ALWAYS, true);
    assertThat(program().tunnelPeers().keySet())
        .filteredOn(key -> key.device().equals("sund-vxlan4"))
        .hasSize(2);
  }

  @Test
  void whatOneNodeCallsItselfIsWhatOthersCallIt() {
    for (String one : List.of("n1", "n2", "n3")) {
      for (TunnelPeer peer : scene.program(one).tunnelPeers().values()) {
        PacketProgram other = scene.program(peer.rule().object().name());
        Tunnel end = other.tunnels().get(peer.device());
        assertThat(end.mac()).contains(peer.mac());
        assertThat(end.local()).isEqualTo(peer.underlay());
      }
    }
  }

  @Test
  void aClusterOfOneFamilyHasNoTunnelOfTheOther() {
    for (String name : List.of("n1", "n2", "n3")) {
      Node node = scene.node(name);
      scene.node(
          new Node(
              node.name(),
              node.uid(),
              node.created(),
              node.addresses(),
              List.of(node.podCidrs().getFirst())));
    }
    assertThat(program().tunnels()).containsOnlyKeys("sund-vxlan4");
    assertThat(program().tunnelPeers().keySet())
        .allMatch(key -> key.device().equals("sund-vxlan4"));
  }

  // Pods.

  @Test
  void anAttachedPodHasItsRow() {
    scene.pod("shop/web", "n1", "10.244.1.5", "fd00:1::5");
    String device = PodDevices.device("uid-web", "eth0");
    assertThat(program().localPods().get(device))
        .isEqualTo(
            new LocalPod(
                device,
                new PodKey("shop", "web"),
                "uid-web",
                List.of(Ip.parse("10.244.1.5"), Ip.parse("fd00:1::5")),
                Mac.derivedFrom("uid-web/eth0"),
                1450,
                1430,
                RuleId.of("Pod", "shop/web", "uid-web")));
  }

  @Test
  void theMtuFollowsTheUnderlayAndTheSetting() {
    scene.pod("shop/web", "n1", "10.244.1.5", "fd00:1::5").mtu("n1/a", 9000);
    assertThat(pod("uid-web").mtuV4()).isEqualTo(8950);
    assertThat(pod("uid-web").mtuV6()).isEqualTo(8930);
    scene.settings(new FabricSettings(4096, 4789, OptionalInt.of(1400)));
    assertThat(pod("uid-web").mtu(Family.V4)).isEqualTo(1400);
    assertThat(program().tunnels().get("sund-vxlan4").mtu()).isEqualTo(1400);
    assertThat(route("10.244.3.0/24").map(Route::mtu)).contains(1400);
  }

  @Test
  void aChangeOfTheUnderlaysMtuTouchesOnlyWhatDependsOnIt() {
    scene.pod("shop/web", "n1", "10.244.1.5");
    ProgramCompiler compiler = scene.compiler("n1");
    compiler.apply(scene.events("n1"));
    scene.mtu("n1/a", 1400);
    ProgramDelta delta =
        compiler.apply(List.of(new ClusterEvent.FactsSeen(scene.facts("n1")))).delta();
    assertThat(delta.localPods()).hasSize(1);
    assertThat(delta.tunnels()).hasSize(2);
    assertThat(delta.routes())
        .extracting(change -> change.key().toString())
        .containsExactly("10.244.3.0/24", "fd00:3::/64");
    assertThat(delta.tunnelPeers()).isEmpty();
    assertThat(delta.masquerade()).isEmpty();
  }

  @Test
  void aFinishedPodsAddressMayBeTakenWhileItsNetworkIsStillThere() {
    Pod old = pod("old", 1, true);
    Pod young = pod("young", 2, false);
    ProgramCompiler compiler = scene.compiler("n1");
    compiler.apply(scene.events("n1"));
    compiler.apply(
        List.of(
            new ClusterEvent.PodSeen(old),
            new ClusterEvent.PodSeen(young),
            new ClusterEvent.Attached(Scene.attachment(old)),
            new ClusterEvent.Attached(Scene.attachment(young))));
    assertThat(compiler.program().localPods().values())
        .extracting(LocalPod::uid)
        .containsExactly("uid-young");
  }

  @Test
  void aPodThatTheApiStillShowsDoesNotKeepItsAddressFromTheNext() {
    ProgramCompiler compiler = scene.compiler("n1");
    compiler.apply(scene.events("n1"));
    Pod old = pod("old", 1, false);
    Pod young = pod("young", 2, false);
    compiler.apply(
        List.of(
            new ClusterEvent.PodSeen(old),
            new ClusterEvent.Attached(Scene.attachment(old)),
            new ClusterEvent.Detached(Scene.attachment(old).key()),
            new ClusterEvent.Attached(Scene.attachment(young)),
            new ClusterEvent.PodSeen(young)));
    assertThat(compiler.program().localPods().values())
        .extracting(LocalPod::uid)
        .containsExactly("uid-young");
  }

  @Test
  void aHostNetworkPodHasNoRows() {
    ProgramCompiler compiler = scene.compiler("n1");
    compiler.apply(scene.events("n1"));
    Pod pod =
        new Pod(
            PodKey.parse("kube-system/proxy"),
            "uid-proxy",
            1,
            Optional.of(new NodeName("n3")),
            true,
            false,
            List.of(Ip.parse("192.168.2.13")),
            List.of());
    Compilation after = compiler.apply(List.of(new ClusterEvent.PodSeen(pod)));
    assertThat(after.delta()).isEqualTo(ProgramDelta.NONE);
    assertThat(after.conditions()).isEmpty();
  }

  // Source translation.

  @Test
  void withoutPoolsEveryNodesRangeIsInTheClusterAndOnlyOurOwnIsTranslated() {
    assertThat(masquerade(Part.CLUSTER))
        .containsExactly(
            "10.244.1.0/24 Node:n1:uid-n1:none:0",
            "10.244.2.0/24 Node:n2:uid-n2:none:0",
            "10.244.3.0/24 Node:n3:uid-n3:none:0",
            "fd00:1::/64 Node:n1:uid-n1:none:0",
            "fd00:2::/64 Node:n2:uid-n2:none:0",
            "fd00:3::/64 Node:n3:uid-n3:none:0");
    assertThat(masquerade(Part.NAT_OUTGOING))
        .containsExactly(
            "10.244.1.0/24 Node:n1:uid-n1:none:0", "fd00:1::/64 Node:n1:uid-n1:none:0");
  }

  @Test
  void poolsAreTheirOwnRanges() {
    scene.pool("nat", "10.244.0.0/16", VxlanMode.CROSS_SUBNET, true);
    scene.pool("plain", "fd00::/16", VxlanMode.CROSS_SUBNET, false);
    assertThat(masquerade(Part.CLUSTER))
        .containsExactly(
            "10.244.0.0/16 IPPool:nat:uid-nat:none:0", "fd00::/16 IPPool:plain:uid-plain:none:0");
    assertThat(masquerade(Part.NAT_OUTGOING))
        .containsExactly("10.244.0.0/16 IPPool:nat:uid-nat:none:0");
  }

  @Test
  void rangesOfOnePartNeverOverlapSinceKernelSetsRefuseThat() {
    Property.forAll(
        3000,
        RandomCluster::history,
        RandomCluster.History::smaller,
        history -> {
          ProgramCompiler compiler =
              new ProgramCompiler(RandomCluster.SELF, FabricSettings.DEFAULT);
          compiler.apply(history.events());
          List<Masquerade> rows = List.copyOf(compiler.program().masquerade().values());
          for (Masquerade one : rows) {
            for (Masquerade other : rows) {
              assertThat(
                      one.equals(other)
                          || one.part() != other.part()
                          || !one.range().overlaps(other.range()))
                  .as("%s and %s", one, other)
                  .isTrue();
            }
          }
        });
  }

  // What a change costs.

  @Test
  void aNodesChangeCostsTheSameAt100AndAt5000Nodes() {
    assertThat(costOfANode(5000)).isEqualTo(costOfANode(100));
    assertThat(costOfAPod(5000)).isEqualTo(costOfAPod(100));
  }

  private record Cost(int entriesOfComing, int entriesOfGoing, long rowsMade) {}

  private static Cost costOfANode(int nodes) {
    ProgramCompiler compiler = large(nodes);
    long before = compiler.rowsMade();
    ClusterEvent coming = new ClusterEvent.NodeSeen(Scene.numbered(nodes + 1));
    int put = compiler.apply(List.of(coming)).delta().size();
    ClusterEvent going = new ClusterEvent.NodeGone(Scene.numbered(nodes + 1).name());
    int removed = compiler.apply(List.of(going)).delta().size();
    return new Cost(put, removed, compiler.rowsMade() - before);
  }

  private static Cost costOfAPod(int nodes) {
    ProgramCompiler compiler = large(nodes);
    long before = compiler.rowsMade();
    Pod pod =
        new Pod(
            PodKey.parse("shop/web"),
            "uid-web",
            1,
            Optional.of(Scene.numbered(1).name()),
            false,
            false,
            List.of(Ip.parse("10.0.1.5")),
            List.of());
    int put =
        compiler
            .apply(
                List.of(
                    new ClusterEvent.PodSeen(pod),
                    new ClusterEvent.Attached(Scene.attachment(pod))))
            .delta()
            .size();
    int removed =
        compiler
            .apply(List.of(new ClusterEvent.Detached(Scene.attachment(pod).key())))
            .delta()
            .size();
    return new Cost(put, removed, compiler.rowsMade() - before);
  }

  private static ProgramCompiler large(int nodes) {
    ProgramCompiler compiler = new ProgramCompiler(new NodeName("n1"), FabricSettings.DEFAULT);
    compiler.apply(Scene.large(nodes));
    return compiler;
  }

  // What is refused, and what is told.

  @Test
  void aRefusedObjectKeepsItsLastGoodStateAndSaysWhy() {
    ProgramCompiler compiler = scene.compiler("n1");
    compiler.apply(scene.events("n1"));
    PacketProgram before = compiler.program();
    ObjectRef n3 = new ObjectRef("Node", "n3");
    Condition why =
        new Condition(Reason.INVALID_FIELD, n3, "spec.podCIDR", "'x' is no CIDR.", "Mend it.");
    Compilation refused = compiler.apply(List.of(new ClusterEvent.Refused(n3, List.of(why))));
    assertThat(refused.delta()).isEqualTo(ProgramDelta.NONE);
    assertThat(refused.conditions()).containsExactly(why);
    assertThat(compiler.program()).isEqualTo(before);
    Compilation good = compiler.apply(List.of(new ClusterEvent.NodeSeen(scene.node("n3"))));
    assertThat(good.delta()).isEqualTo(ProgramDelta.NONE);
    assertThat(good.conditions()).isEmpty();
  }

  @Test
  void nothingIsSyncedBeforeItIsTold() {
    ProgramCompiler compiler = scene.compiler("n1");
    assertThat(compiler.apply(List.of()).synced()).isFalse();
    assertThat(compiler.apply(List.of(new ClusterEvent.Synced())).synced()).isTrue();
  }

  @Test
  void aSnapshotDoesNotChangeWithLaterEvents() {
    ProgramCompiler compiler = scene.compiler("n1");
    compiler.apply(scene.events("n1"));
    PacketProgram snapshot = compiler.program();
    compiler.apply(List.of(new ClusterEvent.NodeGone(new NodeName("n3"))));
    assertThat(snapshot.routes()).containsKey(Prefix.parse("10.244.3.0/24"));
    assertThat(compiler.program().routes()).doesNotContainKey(Prefix.parse("10.244.3.0/24"));
  }

  @Test
  void aDeltaSaysWhatWasThere() {
    ProgramCompiler compiler = scene.compiler("n1");
    compiler.apply(scene.events("n1"));
    Route was = compiler.program().routes().get(Prefix.parse("10.244.3.0/24"));
    ProgramDelta delta =
        compiler.apply(List.of(new ClusterEvent.NodeGone(new NodeName("n3")))).delta();
    assertThat(delta.routes()).contains(new Change.Remove<>(Prefix.parse("10.244.3.0/24"), was));
  }

  private Pod pod(String name, long created, boolean finished) {
    return new Pod(
        new PodKey("shop", name),
        "uid-" + name,
        created,
        Optional.of(new NodeName("n1")),
        false,
        finished,
        List.of(Ip.parse("10.244.1.9")),
        List.of());
  }

  private PacketProgram program() {
    return scene.program("n1");
  }

  private LocalPod pod(String uid) {
    return program().localPods().get(PodDevices.device(uid, "eth0"));
  }

  private Optional<Route> route(String to) {
    return Optional.ofNullable(program().routes().get(Prefix.parse(to)));
  }

  private List<String> masquerade(Part part) {
    return program().masquerade().values().stream()
        .filter(row -> row.part() == part)
        .map(row -> row.range() + " " + row.rule())
        .toList();
  }
}
