package dev.sund.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.engine.cluster.Attachment;
import dev.sund.engine.cluster.ClusterEvent;
import dev.sund.engine.cluster.Node;
import dev.sund.engine.cluster.Pod;
import dev.sund.engine.cluster.Policy;
import dev.sund.engine.cluster.PortOnBridge;
import dev.sund.engine.program.BridgePort;
import dev.sund.engine.program.PolicyDelta;
import dev.sund.engine.program.PolicyTables;
import dev.sund.model.Condition;
import dev.sund.model.Ip;
import dev.sund.model.LabelSelector;
import dev.sund.model.NodeName;
import dev.sund.model.ObjectRef;
import dev.sund.model.PodKey;
import dev.sund.model.Prefix;
import dev.sund.model.Protocol;
import dev.sund.model.Reason;
import dev.sund.model.RuleId;
import dev.sund.model.RuleId.Direction;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What the cluster's objects make of policies' tables, and when. */
class PolicyFeedTest {
  private static final NodeName SELF = new NodeName("n1");
  private static final PodKey WEB = PodKey.parse("shop/web");
  private static final Ip WEB_IP = Ip.parse("10.244.1.5");
  private static final Ip PEER = Ip.parse("10.244.2.5");

  private final ProgramCompiler compiler = new ProgramCompiler(SELF, FabricSettings.DEFAULT);
  private List<Condition> conditions = List.of();

  /** N20: what a node does not know yet it does not enforce, and nothing of it is half. */
  @Test
  void nothingIsEnforcedBeforeTheFirstFullList() {
    assertThat(tell(node(), pod("u1"), attached("u1"), closed())).isEqualTo(PolicyDelta.NONE);
    assertThat(tables()).isEqualTo(PolicyTables.EMPTY);
    assertThat(tell(new ClusterEvent.Synced()).pods()).hasSize(1);
    assertThat(mayBeAsked()).isFalse();
  }

  @Test
  void withoutPoliciesNoPodIsClosedNotEvenOneThatNobodyKnows() {
    tell(node(), new ClusterEvent.Synced(), attached("u1"));
    assertThat(tables()).isEqualTo(PolicyTables.EMPTY);
    assertThat(conditions).isEmpty();
  }

  @Test
  void afterTheLastPolicyAllIsAsBeforeTheFirst() {
    tell(node(), new ClusterEvent.Synced(), pod("u1"), attached("u1"));
    PolicyDelta came = tell(closed());
    PolicyDelta went = tell(new ClusterEvent.PolicyGone(closed().policy().ref()));
    assertThat(went.size()).isEqualTo(came.size());
    assertThat(tables()).isEqualTo(PolicyTables.EMPTY);
  }

  /** N1, N20: a pod that another plugin has put on a bridge is a pod like any other. */
  @Test
  void aPodOnABridgeIsSubjectToItsPolicies() {
    PortOnBridge port =
        new PortOnBridge("c1/eth0", "veth1", "cni0", Optional.of(WEB), "u1", List.of(WEB_IP), true);
    tell(node(), new ClusterEvent.Synced(), pod("u1"), closed());
    assertThat(tables().pods()).as("it is not attached yet").isEmpty();
    PolicyDelta came = tell(new ClusterEvent.BridgeJoined(port));
    assertThat(came.pods()).hasSize(1);
    assertThat(mayBeAsked()).isFalse();
    assertThat(compiler.program().bridgePorts().get("veth1"))
        .isEqualTo(
            new BridgePort(
                "veth1",
                "cni0",
                List.of(WEB_IP),
                RuleId.of(RuleId.CONTAINER, "c1/eth0", ""),
                Optional.of(WEB),
                true));
    tell(new ClusterEvent.PolicyGone(closed().policy().ref()));
    tell(closed());
    assertThat(mayBeAsked()).as("a compiler that is made anew knows it").isFalse();
    tell(new ClusterEvent.BridgeLeft("c1/eth0"));
    assertThat(tables().pods()).isEmpty();
    assertThat(compiler.program().bridgePorts()).isEmpty();
  }

  /** N20: the runtime may be quicker than the watch. */
  @Test
  void aPodThatTheWatchHasNotToldIsClosed() {
    tell(node(), new ClusterEvent.Synced(), other(), attached("u1"));
    assertThat(mayBeAsked()).isFalse();
    assertThat(conditions).extracting(Condition::reason).containsExactly(Reason.POLICY_POD_UNKNOWN);
    tell(pod("u1"));
    assertThat(mayBeAsked()).isTrue();
    assertThat(conditions).isEmpty();
  }

  /** N20: what is said of a pod's predecessor is not said of it. */
  @Test
  void aPodOfAnotherUidThanTheWatchKnowsIsClosed() {
    tell(node(), new ClusterEvent.Synced(), other(), pod("old"), attached("new"));
    assertThat(mayBeAsked()).isFalse();
    tell(pod("new"));
    assertThat(mayBeAsked()).isTrue();
  }

  @Test
  void aStaticPodIsItsMirror() {
    Pod mirror =
        new Pod(
            WEB,
            "mirror",
            1,
            Optional.of(SELF),
            false,
            false,
            List.of(),
            List.of(),
            List.of(),
            Map.of(Pod.MIRROR, "hash"));
    tell(node(), new ClusterEvent.Synced(), other(), attached("hash"));
    assertThat(mayBeAsked()).isFalse();
    tell(new ClusterEvent.PodSeen(mirror));
    assertThat(mayBeAsked()).isTrue();
  }

  @Test
  void containersThatAreNoPodsAreNoPolicysMatter() {
    Attachment container =
        new Attachment("c1", "eth0", "/x", new PodKey("-", "c1"), "", List.of(WEB_IP));
    tell(node(), new ClusterEvent.Synced(), closed(), new ClusterEvent.Attached(container));
    assertThat(tables().pods()).isEmpty();
  }

  /** N24: a label of a running pod changes what holds. */
  @Test
  void aLabelOpensAndCloses() {
    tell(node(), new ClusterEvent.Synced(), attached("u1"));
    tell(closed(LabelSelector.of(Map.of("app", "web"))), pod("u1"));
    assertThat(mayBeAsked()).isTrue();
    tell(new ClusterEvent.PodSeen(thePod("u1").with(Map.of("app", "web"))));
    assertThat(mayBeAsked()).isFalse();
  }

  @Test
  void whatIsWrongWithAPolicyIsACondition() {
    Condition wrong =
        new Condition(
            Reason.POLICY_NOT_UNDERSTOOD, closed().policy().ref(), "spec", "It is wrong.", "Mend.");
    tell(new ClusterEvent.PolicySeen(closed().policy(), List.of(wrong)));
    assertThat(conditions).containsExactly(wrong);
    tell(closed());
    assertThat(conditions).isEmpty();
  }

  /** N27: one priority in one tier is said of both. */
  @Test
  void policiesOfOnePlaceAreNamed() {
    tell(cluster("a"), cluster("b"));
    assertThat(conditions)
        .extracting(Condition::reason)
        .containsExactly(Reason.POLICY_ORDER_UNDEFINED, Reason.POLICY_ORDER_UNDEFINED);
    tell(new ClusterEvent.PolicyGone(cluster("a").policy().ref()));
    assertThat(conditions).isEmpty();
  }

  private PolicyDelta tell(ClusterEvent... events) {
    Compilation outcome = compiler.apply(new ArrayList<>(Arrays.asList(events)));
    conditions =
        outcome.conditions().stream()
            .filter(one -> one.reason().code().startsWith("policy"))
            .toList();
    return outcome.delta().policy();
  }

  private PolicyTables tables() {
    return compiler.program().policy();
  }

  private boolean mayBeAsked() {
    return tables().judge(WEB_IP, Direction.INGRESS, PEER, Protocol.TCP, 80).allowed();
  }

  private static ClusterEvent node() {
    return new ClusterEvent.NodeSeen(
        new Node(
            SELF,
            "uid",
            1,
            List.of(Ip.parse("192.168.1.11")),
            List.of(Prefix.parse("10.244.1.0/24"))));
  }

  private static Pod thePod(String uid) {
    return new Pod(WEB, uid, 1, Optional.of(SELF), false, false, List.of(), List.of());
  }

  private static ClusterEvent pod(String uid) {
    return new ClusterEvent.PodSeen(thePod(uid));
  }

  private static ClusterEvent attached(String uid) {
    return new ClusterEvent.Attached(new Attachment("c1", "eth0", "/x", WEB, uid, List.of(WEB_IP)));
  }

  private static ClusterEvent.PolicySeen closed() {
    return closed(LabelSelector.ALL);
  }

  /** A policy that is about no pod here. */
  private static ClusterEvent other() {
    return closed(LabelSelector.of(Map.of("app", "other")));
  }

  private static ClusterEvent.PolicySeen closed(LabelSelector pods) {
    ObjectRef ref = new ObjectRef(Policy.NETWORK_POLICY, "shop/closed");
    return new ClusterEvent.PolicySeen(
        new Policy(
            ref,
            "uid",
            1,
            1,
            Policy.Tier.NAMESPACE,
            0,
            Policy.Pods.in("shop", pods),
            Set.of(Direction.INGRESS),
            List.of()),
        List.of());
  }

  private static ClusterEvent.PolicySeen cluster(String name) {
    return new ClusterEvent.PolicySeen(
        new Policy(
            new ObjectRef(Policy.CLUSTER_NETWORK_POLICY, name),
            "uid",
            1,
            1,
            Policy.Tier.ADMIN,
            7,
            Policy.Pods.of(LabelSelector.ALL, LabelSelector.ALL),
            Set.of(),
            List.of()),
        List.of());
  }
}
