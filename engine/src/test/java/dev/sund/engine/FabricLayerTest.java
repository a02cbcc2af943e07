package dev.sund.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.engine.cluster.ClusterEvent;
import dev.sund.engine.cluster.FabricLayer;
import dev.sund.engine.cluster.FabricLayer.MtuLimit;
import dev.sund.engine.cluster.FabricLayer.Rank;
import dev.sund.engine.cluster.FabricLayer.Scope;
import dev.sund.engine.cluster.IpPool;
import dev.sund.engine.cluster.IpPool.VxlanMode;
import dev.sund.engine.program.Change;
import dev.sund.engine.program.LocalPod;
import dev.sund.model.Condition;
import dev.sund.model.Family;
import dev.sund.model.NodeName;
import dev.sund.model.ObjectRef;
import dev.sund.model.Prefix;
import dev.sund.model.Reason;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

/** What other networks' configurations set, and what counts where several do. */
class FabricLayerTest {
  private final Scene scene = Scene.ofThreeNodes().pod("shop/web", "n1", "10.244.1.5");
  private final ProgramCompiler compiler =
      new ProgramCompiler(new NodeName("n1"), FabricSettings.DEFAULT);

  private static FabricLayer layer(Rank rank, MtuLimit... mtus) {
    ObjectRef source = new ObjectRef("Layer", rank.name());
    return new FabricLayer(
        source,
        rank,
        OptionalInt.empty(),
        OptionalInt.empty(),
        List.of(mtus),
        List.of(),
        List.of());
  }

  private static FabricLayer withPool(Rank rank, String name, String cidr) {
    ObjectRef source = new ObjectRef("Layer", rank.name());
    IpPool pool = pool(name, cidr);
    return new FabricLayer(
        source,
        rank,
        OptionalInt.empty(),
        OptionalInt.empty(),
        List.of(),
        List.of(pool),
        List.of());
  }

  private static IpPool pool(String name, String cidr) {
    return new IpPool(name, "uid-" + name, 1, Prefix.parse(cidr), VxlanMode.ALWAYS, true, false);
  }

  private static MtuLimit limit(int bytes, Scope scope) {
    return new MtuLimit(new ObjectRef("ConfigMap", "c"), "data.veth_mtu", bytes, scope);
  }

  private Compilation say(FabricLayer layer) {
    return compiler.apply(List.of(new ClusterEvent.LayerSeen(layer)));
  }

  private int podMtu() {
    return compiler.program().localPods().firstEntry().getValue().mtu(Family.V4);
  }

  @Test
  void aLimitChangesPodsThatRunAndItsEndPutsThemBack() {
    compiler.apply(scene.events("n1"));
    assertThat(podMtu()).isEqualTo(1450);

    FabricLayer layer = layer(Rank.CALICO_CONFIG, limit(1440, Scope.PODS));
    List<Change<String, LocalPod>> changes = say(layer).delta().localPods();
    assertThat(changes).hasSize(1);
    assertThat(podMtu()).isEqualTo(1440);

    compiler.apply(List.of(new ClusterEvent.LayerGone(layer.source())));
    assertThat(podMtu()).isEqualTo(1450);
  }

  @Test
  void theConfigMapCountsBeforeTheInstallationAndTheSmallestScopeHolds() {
    compiler.apply(scene.events("n1"));
    say(layer(Rank.INSTALLATION, limit(1400, Scope.PODS)));
    assertThat(podMtu()).isEqualTo(1400);
    say(layer(Rank.CALICO_CONFIG, limit(1430, Scope.PODS)));
    assertThat(podMtu()).isEqualTo(1430);
    say(layer(Rank.CALICO_NODE, limit(1300, Scope.IPIP), limit(1420, Scope.VXLAN)));
    assertThat(podMtu()).isEqualTo(1420);
  }

  @Test
  void whatSundsOwnFabricSetsCountsBeforeAll() {
    FabricSettings own = new FabricSettings(7, 8000, OptionalInt.of(1410));
    FabricLayer layer =
        new FabricLayer(
            new ObjectRef("ConfigMap", "kube-flannel-cfg"),
            Rank.FLANNEL,
            OptionalInt.of(1),
            OptionalInt.of(8472),
            List.of(limit(1300, Scope.PODS)),
            List.of(),
            List.of());
    FabricSettings together = own.over(List.of(layer));
    assertThat(together.vni()).isEqualTo(7);
    assertThat(together.vxlanPort()).isEqualTo(8000);
    assertThat(together.limit(Mtu.Encapsulation.VXLAN).orElseThrow().bytes()).isEqualTo(1410);
    assertThat(FabricSettings.DEFAULT.over(List.of(layer)).vxlanPort()).isEqualTo(8472);
  }

  @Test
  void aLimitThatDoesNotFitIsSaidOfTheObjectThatSetsIt() {
    compiler.apply(scene.events("n1"));
    assertThat(say(layer(Rank.CALICO_CONFIG, limit(1480, Scope.PODS))).conditions())
        .extracting(Condition::toString)
        .first()
        .isEqualTo(
            "ConfigMap c data.veth_mtu: 1480 is more than the 1430 bytes that eth0 leaves for"
                + " pods' IPv6 packets; pods get 1430. Set 1430 or less, or leave it out to have"
                + " it computed. [mtu-too-large]");
    assertThat(podMtu()).isEqualTo(1450);
  }

  @Test
  void anIpPoolOfTheSameNameCountsBeforeTheLayersPool() {
    PoolsInForce pools = new PoolsInForce();
    pools.take(
        new ClusterEvent.LayerSeen(
            withPool(Rank.INSTALLATION, "default-ipv4-ippool", "10.1.0.0/16")));
    assertThat(pools.pools().get("default-ipv4-ippool").cidr()).hasToString("10.1.0.0/16");
    IpPool own = pool("default-ipv4-ippool", "10.2.0.0/16");
    pools.take(new ClusterEvent.PoolSeen(own));
    assertThat(pools.pools().values()).containsExactly(own);
    pools.take(new ClusterEvent.PoolGone("default-ipv4-ippool"));
    assertThat(pools.pools().get("default-ipv4-ippool").cidr()).hasToString("10.1.0.0/16");
  }

  @Test
  void thePoolOfCalicosEnvironmentExistsOnlyWhereTheFamilyHasNoOther() {
    PoolsInForce pools = new PoolsInForce();
    pools.take(
        new ClusterEvent.LayerSeen(
            withPool(Rank.CALICO_NODE, "default-ipv4-ippool", "10.1.0.0/16")));
    assertThat(pools.pools()).containsOnlyKeys("default-ipv4-ippool");
    pools.take(new ClusterEvent.PoolSeen(pool("six", "fd00::/48")));
    assertThat(pools.pools()).containsOnlyKeys("default-ipv4-ippool", "six");
    pools.take(new ClusterEvent.PoolSeen(pool("other", "10.9.0.0/16")));
    assertThat(pools.pools()).containsOnlyKeys("other", "six");
  }

  @Test
  void whatFlannelWouldTellFollowsPoolsAndMtu() {
    compiler.apply(scene.events("n1"));
    FlannelSubnet first = compiler.flannelSubnet().orElseThrow();
    assertThat(first.networks()).isEqualTo(first.subnets());
    assertThat(first.mtu()).isEqualTo(1430);
    compiler.apply(
        List.of(
            new ClusterEvent.PoolSeen(pool("all", "10.244.0.0/16")),
            new ClusterEvent.LayerSeen(layer(Rank.CALICO_CONFIG, limit(1400, Scope.PODS)))));
    FlannelSubnet then = compiler.flannelSubnet().orElseThrow();
    assertThat(then.networks().get(Family.V4)).hasToString("10.244.0.0/16");
    assertThat(then.subnets().get(Family.V4)).hasToString("10.244.1.0/24");
    assertThat(then.mtu()).isEqualTo(1400);
  }

  @Test
  void aPoolThatSharesAddressesWithServicesIsToldAndStaysInForce() {
    compiler.apply(scene.events("n1"));
    ObjectRef source = new ObjectRef("ServiceCIDR", "kubernetes");
    FabricLayer services =
        new FabricLayer(
            source,
            Rank.SERVICE_CIDR,
            OptionalInt.empty(),
            OptionalInt.empty(),
            List.of(),
            List.of(),
            List.of(Prefix.parse("10.96.0.0/12"), Prefix.parse("fd00:96::/112")),
            Map.of(),
            List.of());
    compiler.apply(List.of(new ClusterEvent.PoolSeen(pool("wide", "10.0.0.0/8"))));
    assertThat(say(services).conditions())
        .extracting(Condition::toString)
        .contains(
            "IPPool wide spec.cidr: 10.0.0.0/8 overlaps 10.96.0.0/12, the range of Services"
                + " (ServiceCIDR kubernetes): a pod may get the address of a Service. Disable the"
                + " pool and make one of another range; pods move when they are made anew."
                + " [overlapping-pool]");
    assertThat(compiler.flannelSubnet().orElseThrow().networks().get(Family.V4))
        .hasToString("10.0.0.0/8");
    assertThat(compiler.apply(List.of(new ClusterEvent.LayerGone(source))).conditions())
        .noneMatch(condition -> condition.reason() == Reason.OVERLAPPING_POOL);
  }
}
