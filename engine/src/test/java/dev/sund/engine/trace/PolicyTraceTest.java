package dev.sund.engine.trace;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.engine.Scene;
import dev.sund.engine.cluster.PortMapping;
import dev.sund.engine.program.PacketProgram;
import dev.sund.engine.program.PodPolicy;
import dev.sund.engine.program.PolicyPeer;
import dev.sund.engine.program.PolicyPort;
import dev.sund.engine.program.PolicyTables;
import dev.sund.engine.program.PolicyVerdict;
import dev.sund.engine.trace.Packet.FromNode;
import dev.sund.engine.trace.Packet.FromPod;
import dev.sund.engine.trace.Packet.Origin;
import dev.sund.engine.trace.Trace.Stage;
import dev.sund.model.Ip;
import dev.sund.model.NodeName;
import dev.sund.model.PodKey;
import dev.sund.model.Prefix;
import dev.sund.model.Protocol;
import dev.sund.model.Reason;
import dev.sund.model.RuleId;
import dev.sund.model.RuleId.Direction;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** Where policies are asked about packets, and where they are not. */
class PolicyTraceTest {
  private static final String WEB = "10.244.1.5";
  private static final String CACHE = "10.244.1.6";
  private static final String FAR = "10.244.3.5";
  private static final RuleId DENY = RuleId.of("NetworkPolicy", "shop/default-deny", "u1");
  private static final RuleId ALLOW = RuleId.of("NetworkPolicy", "shop/allow", "u2");
  private static final RuleId CLUSTER = RuleId.of("ClusterNetworkPolicy", "no-ssh", "u3");

  private final Scene scene =
      Scene.ofThreeNodes()
          .pod("shop/web", "n1", WEB, "fd00:1::5")
          .hostPort("shop/web", PortMapping.of(8080, 80, Protocol.TCP))
          .pod("shop/cache", "n1", CACHE, "fd00:1::6")
          .pod("shop/far", "n3", FAR, "fd00:3::5");

  private final Map<NodeName, PacketProgram> programs = new TreeMap<>(scene.programs());

  @Test
  void aClosedPodIsAskedForOnItsOwnNode() {
    closed("n1", WEB, Direction.INGRESS, DENY);
    Trace trace = tcp("far", WEB);
    assertThat(trace.outcome()).isEqualTo(Reason.POLICY_INGRESS);
    assertThat(trace.told()).isFalse();
    assertThat(trace.there().getLast().machine()).isEqualTo("n1");
    assertThat(trace.there().getLast().stage()).isEqualTo(Stage.INGRESS);
    assertThat(trace.there().getLast().rule()).contains(DENY);
    assertThat(trace.there().getLast().text())
        .isEqualTo(
            "policy-ingress: 10.244.3.5 may not ask 10.244.1.5 port 80/tcp: isolated by"
                + " NetworkPolicy shop/default-deny");
  }

  /** N23: both ends must allow a connection. */
  @Test
  void theSendersNodeAsksForItsWayOut() {
    closed("n3", FAR, Direction.EGRESS, DENY);
    Trace trace = tcp("far", WEB);
    assertThat(trace.outcome()).isEqualTo(Reason.POLICY_EGRESS);
    assertThat(trace.there().getLast().machine()).isEqualTo("n3");
    assertThat(tcp("cache", WEB).answered()).isTrue();
  }

  @Test
  void aRuleThatAllowsIsNamedOnTheWay() {
    tables("n1", WEB, Direction.INGRESS, DENY, FAR);
    Trace trace = tcp("far", WEB);
    assertThat(trace.answered()).isTrue();
    assertThat(trace.there())
        .filteredOn(hop -> hop.stage() == Stage.INGRESS)
        .singleElement()
        .satisfies(hop -> assertThat(hop.rule()).contains(ALLOW));
    assertThat(tcp("cache", WEB).outcome()).isEqualTo(Reason.POLICY_INGRESS);
  }

  /** N18: what a closed pod asks for comes back to it. */
  @Test
  void repliesNeedNoRule() {
    closed("n1", WEB, Direction.INGRESS, DENY);
    closed("n3", FAR, Direction.EGRESS, DENY);
    assertThat(tcp("web", FAR).answered()).isTrue();
  }

  /** N15: a pod's own node always reaches it; another node is a peer like others. */
  @Test
  void theNodeItselfIsNeverAsked() {
    closed("n1", WEB, Direction.INGRESS, DENY);
    assertThat(trace(new FromNode(new NodeName("n1")), WEB, 80).answered()).isTrue();
    assertThat(trace(new FromNode(new NodeName("n2")), WEB, 80).outcome())
        .isEqualTo(Reason.POLICY_INGRESS);
  }

  /** N15: to its own node a pod may go only where its policies let it out. */
  @Test
  void aPodsWayToItsNodeIsAWayOut() {
    closed("n1", CACHE, Direction.EGRESS, DENY);
    assertThat(tcp("cache", "192.168.1.11").outcome()).isEqualTo(Reason.POLICY_EGRESS);
    assertThat(tcp("web", "192.168.1.11").answered()).isTrue();
  }

  /** N16, N17, S9: a pod reaches itself, by its own address and by its node's. */
  @Test
  void aPodAlwaysReachesItself() {
    closed("n1", WEB, Direction.INGRESS, DENY);
    closed("n1", WEB, Direction.EGRESS, DENY);
    assertThat(tcp("web", WEB).answered()).isTrue();
    assertThat(trace(pod("web"), "192.168.1.11", 8080).answered()).isTrue();
    assertThat(trace(pod("cache"), "192.168.1.11", 8080).outcome())
        .isEqualTo(Reason.POLICY_INGRESS);
  }

  /** N21: the port is the one at the pod, and the peer who asks. */
  @Test
  void policiesAreAskedBehindTheTranslationOfDestinations() {
    closed("n1", WEB, Direction.INGRESS, DENY);
    Trace trace = trace(pod("cache"), "192.168.1.11", 8080);
    assertThat(trace.there().getLast().text())
        .startsWith("policy-ingress: 10.244.1.6 may not ask 10.244.1.5 port 80/tcp");
  }

  @Test
  void theClustersPoliciesAndUnknownPodsHaveReasonsOfTheirOwn() {
    closed("n1", WEB, Direction.INGRESS, CLUSTER);
    assertThat(tcp("far", WEB).outcome()).isEqualTo(Reason.CLUSTER_POLICY_INGRESS);
    closed("n3", FAR, Direction.EGRESS, CLUSTER);
    assertThat(tcp("far", WEB).outcome()).isEqualTo(Reason.CLUSTER_POLICY_EGRESS);
    closed("n3", FAR, Direction.EGRESS, RuleId.builtin("pod-unknown"));
    assertThat(tcp("far", WEB).outcome()).isEqualTo(Reason.POLICY_POD_UNKNOWN);
  }

  private void closed(String node, String pod, Direction direction, RuleId by) {
    tables(node, pod, direction, by);
  }

  /** Closes a pod but for some peers, beside what is closed already. */
  private void tables(String node, String pod, Direction direction, RuleId by, String... peers) {
    NodeName name = new NodeName(node);
    PacketProgram program = programs.get(name);
    PolicyTables before = program.policy();
    long number = before.pods().size() + 1;
    TreeMap<PodPolicy.Key, PodPolicy> pods = new TreeMap<>(before.pods());
    TreeMap<PolicyPort.Key, PolicyPort> ports = new TreeMap<>(before.ports());
    TreeMap<Prefix, PolicyPeer> classes = new TreeMap<>(before.peers());
    TreeMap<PolicyVerdict.Key, PolicyVerdict> verdicts = new TreeMap<>(before.verdicts());
    PodPolicy.Key key = new PodPolicy.Key(Ip.parse(pod), direction);
    pods.put(
        key,
        new PodPolicy(
            key, number, by.object().kind().equals("NetworkPolicy") ? List.of(by) : List.of()));
    PolicyPort all = new PolicyPort(PolicyPort.Key.others(number), 0, number);
    ports.put(all.key(), all);
    PolicyVerdict.Key others = PolicyVerdict.Key.others(number);
    verdicts.put(others, new PolicyVerdict(others, false, by));
    for (String peer : peers) {
      Prefix range = Prefix.host(Ip.parse(peer));
      classes.put(range, new PolicyPeer(range, 7, ALLOW));
      PolicyVerdict.Key allowed = new PolicyVerdict.Key(number, 7);
      verdicts.put(allowed, new PolicyVerdict(allowed, true, ALLOW));
    }
    programs.put(name, program.with(new PolicyTables(pods, ports, classes, verdicts)));
  }

  private Trace tcp(String from, String to) {
    return trace(pod(from), to, 80);
  }

  private Trace trace(Origin from, String to, int port) {
    return new PathTracer(programs, scene.underlay())
        .trace(Packet.small(from, Ip.parse(to), Protocol.TCP, port));
  }

  private static Origin pod(String name) {
    return new FromPod(new PodKey("shop", name));
  }
}
