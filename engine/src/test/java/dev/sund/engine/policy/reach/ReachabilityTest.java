package dev.sund.engine.policy.reach;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.engine.cluster.Namespace;
import dev.sund.engine.cluster.Node;
import dev.sund.engine.cluster.Policy;
import dev.sund.engine.policy.PolicyPod;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.LabelSelector;
import dev.sund.model.NodeName;
import dev.sund.model.ObjectRef;
import dev.sund.model.PodKey;
import dev.sund.model.Port;
import dev.sund.model.Prefix;
import dev.sund.model.Protocol;
import dev.sund.model.RuleId.Direction;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

class ReachabilityTest {
  private final List<Policy> policies = new ArrayList<>();
  private final List<Namespace> namespaces = new ArrayList<>();
  private final List<Node> nodes = new ArrayList<>();
  private final List<PolicyPod> pods = new ArrayList<>();

  ReachabilityTest() {
    for (String name : List.of("shop", "other")) {
      namespaces.add(
          new Namespace(name, "uid-" + name, 1, Map.of("kubernetes.io/metadata.name", name)));
    }
  }

  private PodKey pod(String namespace, String name, String app, String... addresses) {
    PodKey key = new PodKey(namespace, name);
    pods.add(
        new PolicyPod(
            key,
            "uid-" + key,
            1,
            Map.of("app", app),
            false,
            false,
            List.of(addresses).stream().map(Ip::parse).toList(),
            List.of(new Port(8080, Protocol.TCP, "web"))));
    return key;
  }

  private void policy(
      String name, LabelSelector subject, Direction direction, Policy.Rule... rules) {
    policies.add(
        new Policy(
            new ObjectRef(Policy.NETWORK_POLICY, "shop/" + name),
            "uid-" + name,
            1,
            1,
            Policy.Tier.NAMESPACE,
            0,
            Policy.Pods.in("shop", subject),
            Set.of(direction),
            List.of(rules)));
  }

  private static Policy.Rule rule(Direction direction, Policy.Peer peer, Policy.PeerPort... ports) {
    return new Policy.Rule(direction, 0, "", Policy.Action.ACCEPT, List.of(peer), List.of(ports));
  }

  private static LabelSelector app(String name) {
    return LabelSelector.of(Map.of("app", name));
  }

  private Reachability reach() {
    return Reachability.of(policies, namespaces, nodes, pods);
  }

  @Test
  void podsOfWhichPoliciesSayTheSameAreOneGroup() {
    PodKey web = pod("shop", "web-1", "web", "10.0.0.1", "fd00::1");
    pod("shop", "web-2", "web", "10.0.0.2", "fd00::2");
    PodKey db = pod("shop", "db", "db", "10.0.0.3", "fd00::3");
    PodKey far = pod("other", "far", "web", "10.0.0.4", "fd00::4");
    policy(
        "db",
        app("db"),
        Direction.INGRESS,
        rule(
            Direction.INGRESS,
            Policy.Pods.in("shop", app("web")),
            new Policy.PortRange(Protocol.TCP, 5432, 5432)));
    Reachability reach = reach();

    assertThat(reach.groups())
        .extracting(PodGroup::pods)
        .hasSize(3)
        .contains(List.of(web, new PodKey("shop", "web-2")));
    PodGroup webs = reach.group(web).orElseThrow();
    PodGroup database = reach.group(db).orElseThrow();
    for (Family family : Family.values()) {
      assertThat(reach.open(webs, database, family)).hasToString("tcp 5432");
      assertThat(reach.open(reach.group(far).orElseThrow(), database, family).isEmpty()).isTrue();
      assertThat(reach.open(database, webs, family).isAll()).isTrue();
    }
    assertThat(reach.decisions(webs, database, Family.V4))
        .extracting(decision -> decision.ports() + ": " + decision.ingress().orElseThrow().rule())
        .containsExactlyInAnyOrder(
            "tcp 5432: NetworkPolicy:shop/db:uid-db:in:0",
            "tcp 1-5431, 5433-65535, udp all, sctp all, icmp and others: NetworkPolicy:shop/db:uid-db:in:0");
    assertThat(reach.decisions(webs, database, Family.V4))
        .filteredOn(Decision::open)
        .singleElement()
        .satisfies(decision -> assertThat(decision.ports()).hasToString("tcp 5432"));
  }

  @Test
  void bothEndsMustAllowAPort() { // N23
    PodKey web = pod("shop", "web", "web", "10.0.0.1");
    PodKey db = pod("shop", "db", "db", "10.0.0.2");
    policy(
        "out",
        app("web"),
        Direction.EGRESS,
        rule(Direction.EGRESS, new Policy.Anyone(), new Policy.PortRange(Protocol.TCP, 80, 5432)));
    policy(
        "in",
        app("db"),
        Direction.INGRESS,
        rule(
            Direction.INGRESS,
            new Policy.Anyone(),
            new Policy.PortRange(Protocol.TCP, 5432, 9000)));
    Reachability reach = reach();
    assertThat(reach.open(reach.group(web).orElseThrow(), reach.group(db).orElseThrow()))
        .hasToString("tcp 5432");
  }

  @Test
  void whatIsOutsideIsOneClassForEachSetOfBlocks() { // N6, N7
    PodKey web = pod("shop", "web", "web", "10.0.0.1");
    policy(
        "blocks",
        app("web"),
        Direction.EGRESS,
        rule(
            Direction.EGRESS,
            new Policy.Block(Prefix.parse("10.0.0.0/8"), List.of(Prefix.parse("10.9.0.0/16"))),
            new Policy.AllPorts()));
    nodes.add(new Node(new NodeName("n1"), "uid-n1", 1, List.of(Ip.parse("10.9.0.1")), List.of()));
    Reachability reach = reach();
    assertThat(reach.outside())
        .extracting(one -> one + " " + one.internet() + " " + one.nodes())
        .containsExactlyInAnyOrder(
            "10.0.0.0/8 but 10.9.0.0/16 false []",
            "0.0.0.0/0 but 10.0.0.0/8; 10.9.0.0/16 true [n1]",
            "::/0 true []");
    PodGroup group = reach.group(web).orElseThrow();
    assertThat(reach.open(group, reach.at(Ip.parse("10.1.2.3")), Family.V4).isAll()).isTrue();
    assertThat(reach.open(group, reach.at(Ip.parse("10.9.2.3")), Family.V4).isEmpty()).isTrue();
    assertThat(reach.open(group, reach.at(Ip.parse("192.0.2.1")), Family.V4).isEmpty()).isTrue();
    assertThat(reach.open(reach.at(Ip.parse("192.0.2.1")), group, Family.V4).isAll()).isTrue();
    assertThat(reach.at(Ip.parse("10.0.0.1"))).isEqualTo(group);
  }

  @Test
  void aRangeThatPodsAndOtherRangesFillIsNobodys() {
    pod("shop", "web", "web", "10.0.0.0");
    pod("shop", "web-2", "web", "10.0.0.1");
    for (String range : List.of("10.0.0.0/31", "11.0.0.0/8", "11.0.0.0/9", "11.128.0.0/9")) {
      policy(
          "p" + policies.size(),
          app("web"),
          Direction.INGRESS,
          rule(
              Direction.INGRESS,
              new Policy.Block(Prefix.parse(range), List.of()),
              new Policy.PortRange(Protocol.TCP, 80 + policies.size(), 90)));
    }
    assertThat(reach().outside())
        .extracting(Outside::toString)
        .containsExactlyInAnyOrder(
            "0.0.0.0/0 but 10.0.0.0/31, 11.0.0.0/8", "11.0.0.0/9", "11.128.0.0/9", "::/0");
  }

  @Test
  void podsWithoutAnAddressOfTheirOwnHaveNoPart() {
    pod("shop", "web", "web", "10.0.0.1");
    PodKey none = pod("shop", "none", "web");
    PodKey late = pod("shop", "a-second", "web", "10.0.0.1");
    Reachability reach = reach();
    assertThat(reach.unplaced()).hasSize(2).contains(none);
    assertThat(reach.unplaced()).doesNotContain(reach.pod(Ip.parse("10.0.0.1")).orElseThrow());
    assertThat(reach.group(none)).isEmpty();
    assertThat(List.of(late, new PodKey("shop", "web")))
        .contains(reach.groups().getFirst().pods().getFirst());
    assertThat(Optional.of(reach.groups())).hasValueSatisfying(all -> assertThat(all).hasSize(1));
  }
}
