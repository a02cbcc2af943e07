package dev.sund.engine.policy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.engine.cluster.AddressNotice;
import dev.sund.engine.cluster.Namespace;
import dev.sund.engine.cluster.Node;
import dev.sund.engine.cluster.Policy;
import dev.sund.engine.cluster.Policy.Action;
import dev.sund.engine.cluster.Policy.AllPorts;
import dev.sund.engine.cluster.Policy.Anyone;
import dev.sund.engine.cluster.Policy.Block;
import dev.sund.engine.cluster.Policy.NamedPort;
import dev.sund.engine.cluster.Policy.Peer;
import dev.sund.engine.cluster.Policy.PeerPort;
import dev.sund.engine.cluster.Policy.Pods;
import dev.sund.engine.cluster.Policy.PortRange;
import dev.sund.engine.cluster.Policy.Tier;
import dev.sund.engine.program.PolicyDelta;
import dev.sund.engine.program.PolicyTables;
import dev.sund.engine.program.PolicyTables.Judgement;
import dev.sund.model.Ip;
import dev.sund.model.LabelSelector;
import dev.sund.model.NodeName;
import dev.sund.model.ObjectRef;
import dev.sund.model.PodKey;
import dev.sund.model.Port;
import dev.sund.model.Prefix;
import dev.sund.model.Protocol;
import dev.sund.model.RuleId;
import dev.sund.model.RuleId.Direction;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What the tables of one node say, rule by rule of the behaviour they have to show. */
class PolicyCompilerTest {
  private static final Ip DATABASE = Ip.parse("10.1.0.5");
  private static final Ip DATABASE_V6 = Ip.parse("fd00:1::5");
  private static final Ip WEB = Ip.parse("10.1.0.6");
  private static final Ip BACKEND = Ip.parse("10.1.1.7");
  private static final Ip BACKEND_V6 = Ip.parse("fd00:1::1:7");
  private static final Ip STRANGER = Ip.parse("10.1.1.8");
  private static final Ip OFFICE = Ip.parse("192.0.2.9");
  private static final LabelSelector ALL = LabelSelector.ALL;
  private static final List<PeerPort> ANY_PORT = List.of(new AllPorts());
  private static final List<Peer> ANY_PEER = List.of(new Anyone());

  private final PolicyCompiler compiler = new PolicyCompiler();
  private final List<Policy.Rule> rules = new ArrayList<>();

  @BeforeEach
  void aShopWithADatabaseHere() {
    compiler.put(new Namespace("shop", "u", 1, Map.of("team", "shop")));
    compiler.put(new Namespace("other", "u", 1, Map.of("team", "other")));
    pod("shop/database", Map.of("app", "database"), DATABASE, DATABASE_V6);
    pod("shop/web", Map.of("app", "web"), WEB);
    pod("shop/backend", Map.of("app", "backend"), BACKEND, BACKEND_V6);
    pod("other/stranger", Map.of("app", "backend"), STRANGER);
    compiler.attach(PodKey.parse("shop/database"), List.of(DATABASE, DATABASE_V6));
    compiler.attach(PodKey.parse("shop/web"), List.of(WEB));
  }

  @Test
  void withoutPoliciesThereAreNoRows() {
    assertThat(compiler.compile()).isEqualTo(PolicyDelta.NONE);
    assertThat(in(BACKEND, 5432).verdict()).isEmpty();
  }

  /** N1, N3: a policy for all pods without rules closes the namespace, and nothing else. */
  @Test
  void aPolicyWithoutRulesClosesItsPods() {
    isolating("shop/default-deny", ALL, Direction.INGRESS);
    Judgement judged = in(BACKEND, 5432);
    assertThat(judged.allowed()).isFalse();
    assertThat(judged.isolating()).containsExactly(rule("shop/default-deny", Direction.INGRESS, 0));
    assertThat(judged.verdict().orElseThrow().rule())
        .isEqualTo(rule("shop/default-deny", Direction.INGRESS, 0));
    assertThat(out(BACKEND, 80).verdict()).isEmpty();
  }

  /** N3: a rule without peers and ports opens all, ICMP too. */
  @Test
  void aRuleForEveryoneOpensAll() {
    allow(Direction.INGRESS, ANY_PEER, ANY_PORT);
    isolating("shop/open", ALL, Direction.INGRESS);
    assertThat(in(OFFICE, 1).allowed()).isTrue();
    assertThat(judge(DATABASE, Direction.INGRESS, OFFICE, Protocol.ICMP, 0).allowed()).isTrue();
  }

  /** N4, N5, N9: pods of the policy's own namespace at one TCP port, in both families. */
  @Test
  void backendsReachTheDatabaseAtItsPortAlone() {
    database();
    assertThat(in(BACKEND, 5432).allowed()).isTrue();
    assertThat(judge(DATABASE_V6, Direction.INGRESS, BACKEND_V6, Protocol.TCP, 5432).allowed())
        .isTrue();
    assertThat(in(BACKEND, 5433).allowed()).isFalse();
    assertThat(in(WEB, 5432).allowed()).isFalse();
    assertThat(in(STRANGER, 5432).allowed()).isFalse();
    assertThat(in(OFFICE, 5432).allowed()).isFalse();
    assertThat(judge(DATABASE, Direction.INGRESS, BACKEND, Protocol.UDP, 5432).allowed()).isFalse();
    assertThat(judge(DATABASE, Direction.INGRESS, BACKEND, Protocol.ICMP, 0).allowed()).isFalse();
  }

  /** N5: an entry with both selectors asks both of a pod; all namespaces are all that there are. */
  @Test
  void namespacesAreSelectedByTheirLabels() {
    allow(
        Direction.INGRESS,
        List.of(Pods.of(labels("team", "other"), labels("app", "backend"))),
        ANY_PORT);
    isolating("shop/database", labels("app", "database"), Direction.INGRESS);
    assertThat(in(STRANGER, 1).allowed()).isTrue();
    assertThat(in(BACKEND, 1).allowed()).isFalse();
    compiler.put(new Namespace("other", "u", 1, Map.of("team", "shop")));
    assertThat(in(STRANGER, 1).allowed()).isFalse();
  }

  /** N6, N7, N29: blocks contain pods' addresses too; what one rule excepts another may allow. */
  @Test
  void blocksContainPodsButWhatIsExcepted() {
    allow(
        Direction.INGRESS,
        List.of(new Block(Prefix.parse("10.1.0.0/16"), List.of(Prefix.parse("10.1.1.0/24")))),
        ANY_PORT);
    isolating("shop/near", labels("app", "database"), Direction.INGRESS);
    assertThat(in(WEB, 1).allowed()).isTrue();
    assertThat(in(BACKEND, 1).allowed()).isFalse();
    assertThat(in(OFFICE, 1).allowed()).isFalse();
    rules.clear();
    allow(
        Direction.INGRESS,
        List.of(new Block(Prefix.parse("10.1.1.7/32"), List.of())),
        List.of(PortRange.all(Protocol.TCP)));
    isolating("shop/more", labels("app", "database"), Direction.INGRESS);
    assertThat(in(BACKEND, 1).allowed()).isTrue();
    assertThat(in(STRANGER, 1).allowed()).isFalse();
    assertThat(in(Ip.parse("10.1.0.200"), 1).allowed()).isTrue();
  }

  /** N10, N12, N13, N14: protocols are told apart, ranges have both ends, ICMP has no ports. */
  @Test
  void portsAreRangesOfOneProtocol() {
    allow(
        Direction.INGRESS,
        ANY_PEER,
        List.of(
            new PortRange(Protocol.TCP, 8000, 8100),
            PortRange.all(Protocol.UDP),
            new PortRange(Protocol.SCTP, 80, 80)));
    isolating("shop/ports", labels("app", "database"), Direction.INGRESS);
    assertThat(in(OFFICE, 7999).allowed()).isFalse();
    assertThat(in(OFFICE, 8000).allowed()).isTrue();
    assertThat(in(OFFICE, 8100).allowed()).isTrue();
    assertThat(in(OFFICE, 8101).allowed()).isFalse();
    assertThat(in(OFFICE, 80).allowed()).isFalse();
    assertThat(judge(DATABASE, Direction.INGRESS, OFFICE, Protocol.UDP, 65535).allowed()).isTrue();
    assertThat(judge(DATABASE, Direction.INGRESS, OFFICE, Protocol.SCTP, 80).allowed()).isTrue();
    assertThat(judge(DATABASE, Direction.INGRESS, OFFICE, Protocol.ICMP, 0).allowed()).isFalse();
  }

  /** N11: a port's name means what the pod that is asked means by it, in both directions. */
  @Test
  void namesOfPortsAreTheDestinations() {
    allow(Direction.INGRESS, ANY_PEER, List.of(named("sql")));
    allow(Direction.EGRESS, List.of(Pods.of(ALL, ALL)), List.of(named("http")));
    isolating("shop/names", ALL, Direction.INGRESS, Direction.EGRESS);
    podWithPorts("shop/database", DATABASE, new Port(5432, Protocol.TCP, "sql"));
    podWithPorts("shop/backend", BACKEND, new Port(8080, Protocol.TCP, "http"));
    podWithPorts("other/stranger", STRANGER, new Port(8081, Protocol.TCP, "http"));
    assertThat(in(OFFICE, 5432).allowed()).isTrue();
    assertThat(in(OFFICE, 80).allowed()).isFalse();
    assertThat(judge(WEB, Direction.INGRESS, OFFICE, Protocol.TCP, 5432).allowed()).isFalse();
    assertThat(out(BACKEND, 8080).allowed()).isTrue();
    assertThat(out(BACKEND, 8081).allowed()).isFalse();
    assertThat(out(STRANGER, 8081).allowed()).isTrue();
    assertThat(out(OFFICE, 8080).allowed()).isFalse();
  }

  /** N22: policies add up, and the first rule that allows is named. */
  @Test
  void anyRuleOfAnyPolicyOpens() {
    isolating("shop/default-deny", ALL, Direction.INGRESS);
    database();
    rules.clear();
    allow(Direction.INGRESS, List.of(Pods.in("shop", ALL)), ANY_PORT);
    isolating("shop/all-of-shop", ALL, Direction.INGRESS);
    Judgement judged = in(BACKEND, 5432);
    assertThat(judged.verdict().orElseThrow().rule())
        .isEqualTo(rule("shop/all-of-shop", Direction.INGRESS, 0));
    assertThat(judged.isolating())
        .containsExactly(
            rule("shop/all-of-shop", Direction.INGRESS, 0),
            rule("shop/database", Direction.INGRESS, 0),
            rule("shop/default-deny", Direction.INGRESS, 0));
    compiler.remove(ref("shop/all-of-shop"));
    assertThat(in(BACKEND, 5432).verdict().orElseThrow().rule())
        .isEqualTo(rule("shop/database", Direction.INGRESS, 0));
    assertThat(in(WEB, 5432).allowed()).isFalse();
  }

  /** N24: labels, namespaces and policies count as they are now. */
  @Test
  void aChangedLabelIsOneRowOfTheTables() {
    database();
    compiler.compile();
    pod("shop/backend", Map.of("app", "none"), BACKEND, BACKEND_V6);
    PolicyDelta delta = compiler.compile();
    assertThat(delta.peers()).hasSize(2); // one for each address
    assertThat(delta.pods()).isEmpty();
    assertThat(delta.ports()).isEmpty();
    assertThat(in(BACKEND, 5432).allowed()).isFalse();
    compiler.remove(ref("shop/database"));
    compiler.compile();
    assertThat(compiler.tables()).isEqualTo(PolicyTables.EMPTY);
  }

  /** N26: pods on their node's network are no pods here; their address is one like any other. */
  @Test
  void podsOnTheNodesNetworkAreNotSelected() {
    database();
    PodKey key = PodKey.parse("shop/agent");
    compiler.put(
        new PolicyPod(
            key, "u", 1, Map.of("app", "backend"), true, false, List.of(OFFICE), List.of()));
    assertThat(in(OFFICE, 5432).allowed()).isFalse();
  }

  @Test
  void aFinishedPodIsNoPodAnyMore() {
    database();
    compiler.put(
        new PolicyPod(
            PodKey.parse("shop/backend"),
            "u",
            1,
            Map.of("app", "backend"),
            false,
            true,
            List.of(BACKEND),
            List.of()));
    assertThat(in(BACKEND, 5432).allowed()).isFalse();
  }

  /** N27: tiers in their order, priorities within, and namespaces' policies are final. */
  @Test
  void tiersAreAskedOneAfterTheOther() {
    cluster("deny-office", Tier.ADMIN, 5, Action.DENY, office());
    assertThat(in(OFFICE, 1).allowed()).isFalse();
    assertThat(in(OFFICE, 1).isolating()).isEmpty();
    cluster("allow-office", Tier.ADMIN, 4, Action.ACCEPT, office());
    assertThat(in(OFFICE, 1).allowed()).isTrue();
    cluster("pass-office", Tier.ADMIN, 3, Action.PASS, office());
    assertThat(in(OFFICE, 1).verdict().orElseThrow().rule())
        .isEqualTo(RuleId.builtin("no-policy-decides"));
    cluster("baseline", Tier.BASELINE, 0, Action.DENY, ANY_PEER);
    assertThat(in(OFFICE, 1).allowed()).isFalse();
    allow(Direction.INGRESS, office(), ANY_PORT);
    isolating("shop/office", ALL, Direction.INGRESS);
    assertThat(in(OFFICE, 1).allowed()).isTrue();
    assertThat(in(BACKEND, 1).verdict().orElseThrow().rule())
        .isEqualTo(rule("shop/office", Direction.INGRESS, 0));
  }

  @Test
  void nodesAreSelectedByTheirLabels() {
    compiler.put(
        new Node(
            new NodeName("n9"), "u9", 1, List.of(OFFICE), List.of(), Map.of("zone", "office")));
    cluster("all", Tier.ADMIN, 9, Direction.EGRESS, Action.DENY, ANY_PEER);
    cluster(
        "nodes",
        Tier.ADMIN,
        1,
        Direction.EGRESS,
        Action.ACCEPT,
        List.of(new Policy.Nodes(labels("zone", "office"))));
    assertThat(out(OFFICE, 1).allowed()).isTrue();
    assertThat(out(BACKEND, 1).allowed()).isFalse();
    compiler.remove(new NodeName("n9"));
    assertThat(out(OFFICE, 1).allowed()).isFalse();
  }

  /** The API: by the addresses of the node's status, whatever their type; and its tunnels' own. */
  @Test
  void nodesAreKnownByAllTheirAddresses() {
    Ip external = Ip.parse("203.0.113.9");
    Ip ofTunnel = Ip.parse("10.9.0.0");
    Ip ofPod = Ip.parse("fd00:9::");
    Ip ofPool = Ip.parse("10.64.0.3");
    compiler.put(
        new Node(
                new NodeName("n9"),
                "u9",
                1,
                List.of(OFFICE),
                List.of(Prefix.parse("10.9.0.0/24"), Prefix.parse("fd00:9::/64")),
                Map.of("zone", "office"),
                List.of(OFFICE),
                new AddressNotice(new TreeMap<>(), List.of(ofPool)),
                List.of())
            .withAll(List.of(OFFICE, external)));
    cluster(
        "nodes",
        Tier.ADMIN,
        1,
        Direction.EGRESS,
        Action.DENY,
        List.of(new Policy.Nodes(labels("zone", "office"))));
    assertThat(List.of(OFFICE, external, ofTunnel, ofPod, ofPool))
        .allMatch(address -> !out(address, 1).allowed());
    assertThat(out(Ip.parse("10.9.0.1"), 1).allowed()).isTrue();

    compiler.put(
        new PolicyPod(
            new PodKey("shop", "first"),
            "u-first",
            1,
            Map.of(),
            false,
            false,
            List.of(ofPod),
            List.of()));
    compiler.compile();
    assertThat(out(ofPod, 1).allowed()).as("a pod that has the first address is no node").isTrue();
  }

  /** Two objects at odds: what both say counts, and no longer than a rule asks for it. */
  @Test
  void aPodThatClaimsANodesAddressIsAskedForItsNamesOfPorts() {
    compiler.put(
        new Node(
            new NodeName("n9"), "u9", 1, List.of(OFFICE), List.of(), Map.of("zone", "office")));
    podWithPorts("other/claims", OFFICE, new Port(8080, Protocol.TCP, "http"));
    List<Peer> nodes = List.of(new Policy.Nodes(labels("zone", "office")));
    allow(Direction.EGRESS, nodes, List.of(new PortRange(Protocol.TCP, 22, 22)));
    isolating("shop/by-number", ALL, Direction.EGRESS);
    assertThat(out(OFFICE, 8080).allowed()).isFalse();
    PolicyTables before = compiler.tables();

    rules.clear();
    allow(Direction.EGRESS, nodes, List.of(named("http")));
    isolating("shop/by-name", ALL, Direction.EGRESS);
    assertThat(out(OFFICE, 8080).allowed()).isTrue();

    compiler.remove(ref("shop/by-name"));
    assertThat(out(OFFICE, 8080).allowed()).isFalse();
    assertThat(compiler.tables()).isEqualTo(before);
  }

  /** N20: a pod is closed until it is known which policies are about it. */
  @Test
  void aPodThatNobodyKnowsIsClosed() {
    Ip fresh = Ip.parse("10.1.0.99");
    PodKey key = PodKey.parse("shop/fresh");
    compiler.attach(key, List.of(fresh));
    compiler.compile();
    assertThat(compiler.unknown()).containsExactly(key);
    for (Direction direction : List.of(Direction.INGRESS, Direction.EGRESS)) {
      Judgement judged = judge(fresh, direction, OFFICE, Protocol.TCP, 80);
      assertThat(judged.allowed()).isFalse();
      assertThat(judged.verdict().orElseThrow().rule()).isEqualTo(RuleId.builtin("pod-unknown"));
    }
    pod("shop/fresh", Map.of());
    assertThat(judge(fresh, Direction.INGRESS, OFFICE, Protocol.TCP, 80).verdict()).isEmpty();
    assertThat(compiler.unknown()).isEmpty();
    compiler.detach(key);
    compiler.compile();
    assertThat(compiler.tables().pods()).isEmpty();
  }

  /** What other nodes enforce costs nothing here. */
  @Test
  void peersOfPoliciesAboutOtherNodesPodsAreNotLookedFor() {
    allow(Direction.INGRESS, List.of(Pods.of(ALL, ALL)), ANY_PORT);
    isolating("other/open", ALL, Direction.INGRESS);
    assertThat(compiler.compile()).isEqualTo(PolicyDelta.NONE);
  }

  @Test
  void podsOfWhichTheSameIsSaidHaveOneProfile() {
    isolating("shop/default-deny", ALL, Direction.INGRESS);
    compiler.compile();
    assertThat(compiler.tables().pods()).hasSize(3);
    assertThat(compiler.tables().ports()).hasSize(1);
    assertThat(compiler.tables().verdicts()).hasSize(1);
    assertThat(compiler.tables().peers()).isEmpty();
  }

  private void database() {
    allow(
        Direction.INGRESS,
        List.of(Pods.in("shop", labels("app", "backend"))),
        List.of(new PortRange(Protocol.TCP, 5432, 5432)));
    isolating("shop/database", labels("app", "database"), Direction.INGRESS);
  }

  private static List<Peer> office() {
    return List.of(new Block(Prefix.parse("192.0.2.0/24"), List.of()));
  }

  private static NamedPort named(String name) {
    return new NamedPort(Optional.of(Protocol.TCP), name);
  }

  private static LabelSelector labels(String key, String value) {
    return LabelSelector.of(Map.of(key, value));
  }

  private void allow(Direction direction, List<Peer> peers, List<PeerPort> ports) {
    int index = (int) rules.stream().filter(rule -> rule.direction() == direction).count();
    rules.add(new Policy.Rule(direction, index, "", Action.ACCEPT, peers, ports));
  }

  /** A policy of a namespace with the rules that were said before. */
  private void isolating(String name, LabelSelector pods, Direction... directions) {
    compiler.put(
        new Policy(
            ref(name),
            "uid",
            1,
            1,
            Tier.NAMESPACE,
            0,
            Pods.in(PodKey.parse(name).namespace(), pods),
            Set.of(directions),
            rules));
  }

  private void cluster(String name, Tier tier, int priority, Action action, List<Peer> peers) {
    cluster(name, tier, priority, Direction.INGRESS, action, peers);
  }

  private void cluster(
      String name, Tier tier, int priority, Direction direction, Action action, List<Peer> peers) {
    compiler.put(
        new Policy(
            new ObjectRef(Policy.CLUSTER_NETWORK_POLICY, name),
            "uid",
            1,
            1,
            tier,
            priority,
            Pods.of(ALL, ALL),
            Set.of(),
            List.of(new Policy.Rule(direction, 0, "", action, peers, ANY_PORT))));
  }

  private static ObjectRef ref(String name) {
    return new ObjectRef(Policy.NETWORK_POLICY, name);
  }

  private static RuleId rule(String name, Direction direction, int index) {
    return new RuleId(ref(name), "uid", direction, index);
  }

  private void pod(String key, Map<String, String> labels, Ip... addresses) {
    compiler.put(
        new PolicyPod(
            PodKey.parse(key), "u", 1, labels, false, false, List.of(addresses), List.of()));
  }

  private void podWithPorts(String key, Ip address, Port... ports) {
    compiler.put(
        new PolicyPod(
            PodKey.parse(key), "u", 1, Map.of(), false, false, List.of(address), List.of(ports)));
  }

  private Judgement in(Ip peer, int port) {
    return judge(DATABASE, Direction.INGRESS, peer, Protocol.TCP, port);
  }

  private Judgement out(Ip peer, int port) {
    return judge(DATABASE, Direction.EGRESS, peer, Protocol.TCP, port);
  }

  private Judgement judge(Ip pod, Direction direction, Ip peer, Protocol protocol, int port) {
    compiler.compile();
    return compiler.tables().judge(pod, direction, peer, protocol, port);
  }
}
