package dev.sund.dataplane.nft;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.dataplane.Driver;
import dev.sund.dataplane.Driver.Step;
import dev.sund.dataplane.nft.PolicyScene.Peerage;
import dev.sund.engine.cluster.Policy;
import dev.sund.engine.cluster.Policy.AllPorts;
import dev.sund.engine.cluster.Policy.Anyone;
import dev.sund.engine.cluster.Policy.Block;
import dev.sund.engine.cluster.Policy.Peer;
import dev.sund.engine.cluster.Policy.PeerPort;
import dev.sund.engine.cluster.Policy.PortRange;
import dev.sund.engine.cluster.Policy.Tier;
import dev.sund.engine.program.Change;
import dev.sund.engine.program.PolicyDelta;
import dev.sund.kernel.NetNs;
import dev.sund.kernel.nft.NftSocket;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.LabelSelector;
import dev.sund.model.Prefix;
import dev.sund.model.Protocol;
import dev.sund.model.RuleId.Direction;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Real packets through the table of policies: who reaches whom, on links and on a bridge. */
@Tag("netns")
class PolicyPacketsNetnsTest {
  private static final int PORT = PolicyScene.PORT;
  private static final LabelSelector ALL = LabelSelector.ALL;
  private static final List<PeerPort> ANY_PORT = List.of(new AllPorts());
  private static final List<Peer> ANYONE = List.of(new Anyone());
  private static final List<Peer> WEB = List.of(Policy.Pods.in("shop", PolicyScene.app("web")));
  private PolicyScene scene;

  @BeforeEach
  void open() throws Exception {
    scene = new PolicyScene();
  }

  @AfterEach
  void close() {
    scene.close();
  }

  private boolean reaches(Peerage from, Peerage to, Family family) throws Exception {
    return scene.reaches(from, to, family, Protocol.TCP, PORT);
  }

  private interface Asked {
    boolean reaches() throws Exception;
  }

  /** What is to arrive may take its time on a busy machine. */
  private static boolean soon(Asked asked) throws Exception {
    return soon(true, asked);
  }

  private static boolean soon(boolean expected, Asked asked) throws Exception {
    // A neighbour that did not answer in time is asked again only after a second.
    long end = System.nanoTime() + Duration.ofSeconds(30).toNanos();
    boolean reached = asked.reaches();
    while (expected && !reached && System.nanoTime() < end) {
      reached = asked.reaches();
    }
    return reached;
  }

  private static PortRange port(Protocol protocol, int first, int last) {
    return new PortRange(protocol, first, last);
  }

  /** N1, N3, N4, N9, N10, N12, N13, N14, N21, N22: peers and ports of a pod's ingress. */
  @Test
  void onlyWhatARuleAllowsReachesAnIsolatedPod() throws Exception {
    for (Family family : Family.values()) {
      assertThat(soon(() -> reaches(scene.web, scene.database, family))).isTrue();
    }
    scene.isolating("deny", PolicyScene.app("database"), Direction.INGRESS);
    scene
        .allow(
            Direction.INGRESS,
            WEB,
            List.of(port(Protocol.TCP, PORT, PORT), port(Protocol.UDP, 53, 60)))
        .allow(Direction.INGRESS, WEB, List.of(port(Protocol.SCTP, 7000, 7000)))
        .isolating("web", PolicyScene.app("database"), Direction.INGRESS);
    scene.apply();

    for (Family family : Family.values()) {
      for (Peerage from : List.of(scene.web, scene.outside, scene.left)) {
        boolean may = from == scene.web;
        assertThat(soon(may, () -> scene.reaches(from, scene.database, family, Protocol.TCP, PORT)))
            .isEqualTo(may);
        assertThat(soon(may, () -> scene.reaches(from, scene.database, family, Protocol.UDP, 60)))
            .isEqualTo(may);
        assertThat(
                soon(may, () -> scene.reaches(from, scene.database, family, Protocol.SCTP, 7000)))
            .isEqualTo(may);
      }
      assertThat(scene.reaches(scene.web, scene.database, family, Protocol.TCP, 53)).isFalse();
      assertThat(scene.reaches(scene.web, scene.database, family, Protocol.TCP, 7000)).isFalse();
      assertThat(scene.reaches(scene.web, scene.database, family, Protocol.UDP, 61)).isFalse();
      assertThat(scene.reaches(scene.web, scene.database, family, Protocol.SCTP, PORT)).isFalse();
      assertThat(scene.reaches(scene.web, scene.database, family, Protocol.ICMP, 0)).isFalse();
      // N15: the pod's own node, whatever it asks.
      assertThat(soon(() -> scene.reaches(scene.node, scene.database, family, Protocol.TCP, 53)))
          .isTrue();
      assertThat(soon(() -> scene.reaches(scene.node, scene.database, family, Protocol.ICMP, 0)))
          .isTrue();
      // N2: nothing was said of the other direction, nor of others; N18: answers come back.
      assertThat(soon(() -> reaches(scene.database, scene.web, family))).isTrue();
      assertThat(soon(() -> reaches(scene.database, scene.outside, family))).isTrue();
      assertThat(soon(() -> reaches(scene.outside, scene.web, family))).isTrue();
    }
    assertThat(scene.nft("list", "ruleset")).contains("table inet sund-policy");
  }

  /** N6, N7: blocks with exceptions, inside and outside of the cluster, by longest range. */
  @Test
  void blocksAreRangesWithHoles() throws Exception {
    scene
        .allow(
            Direction.INGRESS,
            List.of(
                new Block(Prefix.parse("192.0.2.0/24"), List.of(Prefix.parse("192.0.2.192/26"))),
                new Block(Prefix.parse("::/0"), List.of(Prefix.parse("2001:db8::200/120"))),
                new Block(Prefix.parse("10.244.1.0/24"), List.of())),
            ANY_PORT)
        .isolating("blocks", ALL, Direction.INGRESS);
    scene.apply();

    NetNs outside = scene.outside.ns();
    for (Family family : Family.values()) {
      Ip near = scene.outside.ip(family);
      Ip cut = Ip.parse(family == Family.V4 ? "192.0.2.200" : "2001:db8::200");
      for (Peerage pod : List.of(scene.database, scene.left)) {
        Ip ip = pod.ip(family);
        assertThat(soon(() -> scene.reaches(outside, near, pod.ns(), ip, Protocol.TCP, PORT)))
            .isTrue();
        assertThat(scene.reaches(outside, cut, pod.ns(), ip, Protocol.TCP, PORT)).isFalse();
      }
      assertThat(soon(() -> reaches(scene.web, scene.database, family))).isTrue();
      assertThat(soon(family == Family.V6, () -> reaches(scene.left, scene.database, family)))
          .isEqualTo(family == Family.V6);
    }
  }

  /** N15, N23, N25: egress is asked of the source's pod, also towards its own node. */
  @Test
  void egressIsAskedOfTheSourceAndIngressOfTheDestination() throws Exception {
    scene
        .allow(
            Direction.EGRESS,
            List.of(Policy.Pods.in("shop", PolicyScene.app("database"))),
            List.of(port(Protocol.TCP, PORT, PORT)))
        .isolating("out", PolicyScene.app("web"), Direction.EGRESS);
    scene.apply();
    Peerage ownNode = new Peerage(scene.node, Ip.parse("192.0.2.1"), Ip.parse("2001:db8::1"));
    for (Family family : Family.values()) {
      assertThat(soon(() -> reaches(scene.web, scene.database, family))).isTrue();
      assertThat(scene.reaches(scene.web, scene.database, family, Protocol.UDP, 53)).isFalse();
      assertThat(reaches(scene.web, scene.outside, family)).isFalse();
      assertThat(reaches(scene.web, ownNode, family)).isFalse();
      assertThat(soon(() -> reaches(scene.database, ownNode, family))).isTrue();
      assertThat(soon(() -> reaches(scene.outside, scene.web, family))).isTrue();
    }
    scene.isolating("in", PolicyScene.app("database"), Direction.INGRESS);
    scene.apply();
    for (Family family : Family.values()) {
      assertThat(reaches(scene.web, scene.database, family)).isFalse();
    }
    scene.remove("out");
    scene.remove("in");
    scene.apply();
    for (Family family : Family.values()) {
      assertThat(soon(() -> reaches(scene.web, scene.database, family))).isTrue();
      assertThat(soon(() -> reaches(scene.web, ownNode, family))).isTrue();
    }
    assertThat(scene.nft("list", "table", "inet", "sund-policy"))
        .doesNotContain("chain egress-")
        .doesNotContain("chain peers-")
        .doesNotContain("map ports-");
  }

  /** N23 and more, where the kernel hands packets from one port of a bridge to another. */
  @Test
  void policiesHoldBetweenPodsOnOneBridge() throws Exception {
    for (Family family : Family.values()) {
      assertThat(soon(() -> reaches(scene.left, scene.right, family))).isTrue();
    }
    scene
        .allow(
            Direction.INGRESS,
            List.of(Policy.Pods.in("shop", PolicyScene.app("left"))),
            List.of(port(Protocol.TCP, 80, 80), port(Protocol.SCTP, 80, 80)))
        .isolating("right", PolicyScene.app("right"), Direction.INGRESS, Direction.EGRESS);
    scene.apply();
    for (Family family : Family.values()) {
      assertThat(reaches(scene.left, scene.right, family)).isFalse();
      assertThat(soon(() -> scene.reaches(scene.left, scene.right, family, Protocol.TCP, 80)))
          .isTrue();
      assertThat(soon(() -> scene.reaches(scene.left, scene.right, family, Protocol.SCTP, 80)))
          .isTrue();
      assertThat(scene.reaches(scene.left, scene.right, family, Protocol.UDP, 80)).isFalse();
      assertThat(reaches(scene.right, scene.left, family)).isFalse();
      assertThat(soon(() -> scene.reaches(scene.node, scene.right, family, Protocol.TCP, PORT)))
          .isTrue();
      assertThat(reaches(scene.web, scene.right, family)).isFalse();
    }
  }

  /** N16, N17, S9: a pod reaches itself, also by its own Service; known by device, not address. */
  @Test
  void aPodReachesItselfWhateverPoliciesSay() throws Exception {
    scene.isolating("all", ALL, Direction.INGRESS, Direction.EGRESS);
    scene.apply();
    PolicyScene.run(scene.node, "ip link set port-left type bridge_slave hairpin on");
    scene.nft(
        "add table inet service; add chain inet service pre { type nat hook prerouting priority"
            + " dstnat; }; add chain inet service post { type nat hook postrouting priority"
            + " srcnat; }; add rule inet service pre ip daddr 10.96.0.1 tcp dport 80 dnat ip to"
            + " 10.244.1.5:5432; add rule inet service pre ip6 daddr fd00:96::1 tcp dport 80 dnat"
            + " ip6 to [fd00:10::105]:5432; add rule inet service pre ip daddr 10.96.0.2 tcp dport"
            + " 80 dnat ip to 10.88.0.2:5432; add rule inet service pre ip6 daddr fd00:96::2 tcp"
            + " dport 80 dnat ip6 to [fd00:88::2]:5432; add rule inet service post ct status dnat"
            + " masquerade");
    for (Family family : Family.values()) {
      boolean v4 = family == Family.V4;
      Ip any = Ip.any(family);
      Ip ofWeb = Ip.parse(v4 ? "10.96.0.1" : "fd00:96::1");
      Ip ofLeft = Ip.parse(v4 ? "10.96.0.2" : "fd00:96::2");
      assertThat(soon(() -> scene.tcp(scene.web.ns(), any, scene.web.ns(), ofWeb, 80, PORT)))
          .isTrue();
      assertThat(scene.tcp(scene.database.ns(), any, scene.web.ns(), ofWeb, 80, PORT)).isFalse();
      assertThat(scene.tcp(scene.outside.ns(), any, scene.web.ns(), ofWeb, 80, PORT))
          .as("N15: a client's address counts, before a node's hides it")
          .isFalse();
      assertThat(soon(() -> scene.tcp(scene.left.ns(), any, scene.left.ns(), ofLeft, 80, PORT)))
          .isTrue();
      assertThat(scene.tcp(scene.right.ns(), any, scene.left.ns(), ofLeft, 80, PORT)).isFalse();
      assertThat(soon(() -> scene.reaches(scene.web, scene.web, family, Protocol.TCP, PORT)))
          .isTrue();
    }
  }

  /** A pod sends from its own addresses alone, whether or not there are policies. */
  @Test
  void aPodSendsFromItsOwnAddressesAlone() throws Exception {
    for (Family family : Family.values()) {
      Ip taken = Ip.parse(family == Family.V4 ? "10.244.1.77" : "fd00:10::177");
      PolicyScene.run(
          scene.web.ns(),
          "ip addr add "
              + taken
              + (family == Family.V4 ? "" : "/128")
              + " dev eth0"
              + (family == Family.V4 ? "" : " nodad"));
      NetNs from = scene.web.ns();
      NetNs at = scene.database.ns();
      Ip to = scene.database.ip(family);
      assertThat(soon(() -> scene.reaches(from, scene.web.ip(family), at, to, Protocol.UDP, 53)))
          .isTrue();
      assertThat(scene.reaches(from, taken, at, to, Protocol.UDP, 53)).isFalse();
    }
    // A pod asks for its gateway anew, from an address of the link.
    PolicyScene.run(scene.web.ns(), "ip -6 neigh flush dev eth0");
    PolicyScene.run(scene.node, "ip -6 neigh flush dev pod-web");
    assertThat(soon(() -> reaches(scene.web, scene.database, Family.V6))).isTrue();
    assertThat(scene.nft("list", "set", "inet", "sund-policy", "drops-source"))
        .contains("\"pod-web\" counter packets");
    assertThat(PolicyDrops.read(scene.node))
        .singleElement()
        .satisfies(count -> {
          assertThat(count.key()).isEqualTo("pod-web out source-not-own");
          assertThat(count.packets()).isGreaterThanOrEqualTo(2);
        });

    // What was counted of a pod goes with it.
    scene.driver.want(
        PolicyScene.delta(
            List.of(
                new Change.Remove<>(
                    "pod-web", PolicyScene.local("pod-web", "shop/web", scene.web))),
            PolicyDelta.NONE));
    scene.driver.apply(Step.REMOVE, 512);
    assertThat(PolicyDrops.read(scene.node)).isEmpty();
  }

  /** N27, N28: the cluster's tiers go before and behind those of namespaces. */
  @Test
  void tiersAreAskedInTheirOrder() throws Exception {
    scene.cluster(
        "no-left",
        Tier.ADMIN,
        new Policy.Rule(
            Direction.INGRESS,
            0,
            "",
            Policy.Action.DENY,
            List.of(Policy.Pods.in("shop", PolicyScene.app("left"))),
            ANY_PORT));
    scene.cluster(
        "base",
        Tier.BASELINE,
        new Policy.Rule(Direction.INGRESS, 0, "", Policy.Action.DENY, ANYONE, ANY_PORT));
    scene
        .allow(Direction.INGRESS, ANYONE, ANY_PORT)
        .isolating("open", PolicyScene.app("database"), Direction.INGRESS);
    scene.apply();
    for (Family family : Family.values()) {
      assertThat(soon(() -> reaches(scene.web, scene.database, family))).isTrue();
      assertThat(reaches(scene.left, scene.database, family)).isFalse();
      assertThat(reaches(scene.database, scene.web, family)).isFalse();
      assertThat(soon(() -> scene.reaches(scene.node, scene.web, family, Protocol.TCP, PORT)))
          .isTrue();
    }
    assertThat(scene.nft("list", "set", "inet", "sund-policy", "drops-ingress-v4"))
        .contains("10.244.1.6 . 5375:2 counter packets")
        .contains("10.244.1.5 . 5375:2 counter packets");
    assertThat(PolicyDrops.read(scene.node))
        .extracting(PolicyDrops.Count::key)
        .containsExactlyInAnyOrder(
            "10.244.1.6 in cluster-policy-ingress",
            "10.244.1.5 in cluster-policy-ingress",
            "fd00:10::106 in cluster-policy-ingress",
            "fd00:10::105 in cluster-policy-ingress");
  }

  /** N24: a changed label is the elements that it is about, in one transaction. */
  @Test
  void aChangedLabelTouchesItsElementsAlone() throws Exception {
    scene
        .allow(Direction.INGRESS, WEB, ANY_PORT)
        .isolating("web", PolicyScene.app("database"), Direction.INGRESS);
    scene.apply();
    assertThat(reaches(scene.left, scene.database, Family.V4)).isFalse();
    scene.relabel("shop/left", scene.left, Map.of("app", "web"));
    long before = scene.driver.counts().transactions();
    List<String> done = new ArrayList<>(scene.apply());
    assertThat(scene.driver.counts().transactions() - before).isEqualTo(1);
    assertThat(done)
        .hasSize(2)
        .allMatch(line -> line.startsWith("add 1 elements to set inet sund-policy peers-v"));
    assertThat(soon(() -> reaches(scene.left, scene.database, Family.V4))).isTrue();
    assertThat(soon(() -> reaches(scene.left, scene.database, Family.V6))).isTrue();
  }

  /**
   * A restart finds all as it should be, foreign changes are found, and rules of others respected.
   */
  @Test
  void aRestartWritesNothingAndDriftIsRepaired() throws Exception {
    scene
        .allow(
            Direction.INGRESS,
            List.of(new Block(Prefix.parse("10.0.0.0/8"), List.of(Prefix.parse("10.88.0.0/16")))),
            List.of(port(Protocol.TCP, 80, PORT)))
        .isolating("web", ALL, Direction.INGRESS);
    scene.apply();
    assertThat(scene.driver.verify()).isEmpty();
    try (NftPort port = NftPort.ofPolicies(NftSocket.open(scene.node));
        PolicyDriver next = scene.newDriver()) {
      assertThat(PolicyLift.read(port.contents(), scene.compiler.tables()))
          .isEqualTo(scene.compiler.tables());
      next.resync();
      next.want(scene.everything());
      next.allowSweep();
      assertThat(next.pending()).isZero();
    }
    String listed = scene.nft("list", "ruleset");

    scene.nft("flush", "ruleset");
    scene.driver.resync();
    scene.apply();
    assertThat(scene.driver.verify()).isEmpty();
    assertThat(reaches(scene.left, scene.database, Family.V4)).isFalse();

    scene.nft("add", "rule", "inet", "sund-policy", "egress", "accept");
    scene.driver.resync();
    scene.apply();
    assertThat(scene.driver.verify()).isEmpty();
    assertThat(scene.nft("list", "ruleset").lines().filter(line -> !line.contains("counter")))
        .containsExactlyInAnyOrderElementsOf(
            listed.lines().filter(line -> !line.contains("counter")).toList());

    assertThat(soon(() -> reaches(scene.web, scene.database, Family.V4))).isTrue();
    scene.nft(
        "add table inet late; add chain inet late forward { type filter hook forward priority 0;"
            + " }; add rule inet late forward tcp dport 5432 drop");
    assertThat(reaches(scene.web, scene.database, Family.V4)).isFalse();
    assertThat(scene.driver.removeAll()).isTrue();
    assertThat(scene.nft("list", "tables")).isEqualToIgnoringWhitespace("table inet late");
  }

  /**
   * N19's other side: what all policies said still holds after {@code nft flush ruleset}, as long
   * as an agent runs, and the next one takes the table over. From kernel 6.9 on.
   */
  @Test
  void flushingAllRulesOpensNothing() throws Exception {
    scene.isolating("all", ALL, Direction.INGRESS);
    scene.apply();
    try (PolicyDriver keeping = scene.keepingDriver()) {
      assertThat(keeping.pending()).as("a table that others may flush is made anew").isPositive();
      assertThat(keeping.apply(Driver.Step.PUT, 512).failed()).isEmpty();
      assertThat(keeping.pending()).isZero();
      scene.nft("flush", "ruleset");
      for (Family family : Family.values()) {
        assertThat(reaches(scene.web, scene.database, family)).isFalse();
      }
      keeping.resync();
      assertThat(keeping.pending()).isZero();
    }
    assertThat(reaches(scene.web, scene.database, Family.V4)).as("without an agent").isFalse();
    try (PolicyDriver next = scene.keepingDriver()) {
      assertThat(next.pending()).isEqualTo(1);
      assertThat(next.apply(Driver.Step.PUT, 512).done())
          .hasToString("[ensure table inet sund-policy]");
      scene.nft("flush", "ruleset");
      assertThat(reaches(scene.web, scene.database, Family.V6)).isFalse();
      assertThat(next.verify()).isEmpty();
      assertThat(next.removeAll()).isTrue();
    }
  }
}
