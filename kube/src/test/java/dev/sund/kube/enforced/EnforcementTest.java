package dev.sund.kube.enforced;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.engine.cluster.Policy;
import dev.sund.kube.enforced.Enforcement.Wanted;
import dev.sund.kube.enforced.NodePolicies.Generation;
import dev.sund.kube.tree.JsonText;
import dev.sund.kube.tree.JsonTrees;
import dev.sund.kube.tree.Tree;
import dev.sund.model.Condition;
import dev.sund.model.ObjectRef;
import dev.sund.model.Reason;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** What follows from what nodes say: who enforces a policy, and what its status is to say. */
class EnforcementTest {
  private static final Instant NOW = Instant.parse("2026-11-22T08:00:00Z");
  private static final ObjectRef NAMESPACED = new ObjectRef(Policy.NETWORK_POLICY, "shop/web");
  private static final ObjectRef OF_CLUSTER = new ObjectRef(Policy.CLUSTER_NETWORK_POLICY, "deny");

  private final Enforcement all = new Enforcement(List.of("n1", "n2"), NOW);

  private static Wanted wanted(ObjectRef ref, long generation, long version) {
    return new Wanted(ref, new Generation("u1", generation), version);
  }

  private static NodePolicies node(String name, int ago, long version, PolicyRemark... remarks) {
    return new NodePolicies(
        name,
        Optional.of(NOW.minusSeconds(ago)),
        Map.of(Policy.NETWORK_POLICY, version, Policy.CLUSTER_NETWORK_POLICY, version),
        Map.of("deny", new Generation("u1", 2)),
        List.of(remarks));
  }

  private static PolicyRemark remark(Reason reason, String text) {
    return PolicyRemark.of(new Condition(reason, OF_CLUSTER, "spec", text, "Mend it."));
  }

  @Test
  void whatANodeSaysIsReadAsItWasWritten() throws Exception {
    NodePolicies said = node("n1", 3, 17, remark(Reason.NOT_SUPPORTED, "No names."));
    Tree.Mapping sent = (Tree.Mapping) JsonTrees.parse(JsonText.of(said.tree()));
    assertThat(NodePolicies.read(sent)).contains(said);
    assertThat(said.renewal().fields())
        .as("a renewal leaves the rest as it is")
        .containsOnlyKeys("apiVersion", "kind", "metadata", "seen", "enforced");
  }

  @Test
  void aVersionIsEnforcedWhereTheNodesIsNotOlder() {
    all.said(node("n1", 0, 16));
    all.said(node("n2", 0, 17));
    assertThat(all.stale(List.of(wanted(NAMESPACED, 5, 17)))).containsExactly("n1");
    assertThat(all.stale(List.of(wanted(NAMESPACED, 5, 16)))).isEmpty();
  }

  @Test
  void aPolicyOfTheClusterIsEnforcedByItsGenerationWhateverVersionAStatusGaveIt() {
    all.said(node("n1", 0, 16));
    all.said(node("n2", 0, 17));
    assertThat(all.stale(List.of(wanted(OF_CLUSTER, 2, 99)))).isEmpty();
    assertThat(all.stale(List.of(wanted(OF_CLUSTER, 3, 99)))).containsExactly("n1", "n2");
    Wanted madeAnew = new Wanted(OF_CLUSTER, new Generation("u2", 1), 99);
    assertThat(all.stale(List.of(madeAnew))).as("another of its name").hasSize(2);
  }

  @Test
  void whoSaysNothingOrHasNotBeenHeardOfForAMinuteIsStale() {
    all.said(node("n1", 61, 17));
    all.said(node("elsewhere", 0, 17));
    assertThat(all.stale(List.of(wanted(NAMESPACED, 1, 1)))).containsExactly("n1", "n2");
    assertThat(all.silent("n1")).isPresent();
    assertThat(all.silent("n2")).isEmpty();
    assertThat(all.stale(List.of())).as("without policies nobody is").isEmpty();
  }

  @Test
  void theStatusNamesWhoIsBehindSilentOrWithoutAWord() {
    Enforcement five = new Enforcement(List.of("n1", "n2", "n3", "n4"), NOW);
    five.said(node("n1", 0, 17));
    five.said(node("n2", 90, 17));
    five.said(new NodePolicies("n3", Optional.of(NOW), Map.of(), Map.of(), List.of()));
    assertThat(PolicyStatement.of(wanted(OF_CLUSTER, 2, 17), List.of(), five))
        .isEqualTo(
            new PolicyStatement(
                "False",
                "NodesBehind",
                "In force on 1 of 4 nodes. Behind: n3. Not heard of for a minute: n2. Without a"
                    + " word: n4.",
                false));
  }

  /** N28, N30: what is not understood is told by name, though it is in force and denies. */
  @Test
  void whatIsNotUnderstoodIsToldAndNotCalledWhole() {
    all.said(node("n1", 0, 17, remark(Reason.KERNEL_REFUSED, "The set is full.")));
    all.said(node("n2", 0, 17));
    Condition names =
        new Condition(Reason.NOT_SUPPORTED, OF_CLUSTER, "spec.egress", "No names.", "Write them.");
    assertThat(PolicyStatement.of(wanted(OF_CLUSTER, 2, 17), List.of(names), all))
        .isEqualTo(
            new PolicyStatement(
                "False",
                "NotAsWritten",
                "In force on all 2 nodes. spec.egress: No names. Write them. [not-supported] spec:"
                    + " The set is full. Mend it. [kernel-refused] (n1)",
                true));
  }

  @Test
  void aRemarkOfSomebodyWhoHasAnOlderPolicyIsNotAboutThisOne() {
    all.said(node("n1", 0, 17, remark(Reason.NOT_SUPPORTED, "No names.")));
    all.said(node("n2", 0, 17));
    assertThat(PolicyStatement.of(wanted(OF_CLUSTER, 3, 99), List.of(), all).message())
        .isEqualTo("In force on 0 of 2 nodes. Behind: n1, n2.");
  }

  @Test
  void aWarningIsToldOfAPolicyThatIsInForce() {
    all.said(node("n1", 0, 17, remark(Reason.POLICY_ORDER_UNDEFINED, "Two of a place.")));
    all.said(node("n2", 0, 17, remark(Reason.POLICY_ORDER_UNDEFINED, "Two of a place.")));
    assertThat(PolicyStatement.of(wanted(OF_CLUSTER, 2, 17), List.of(), all))
        .isEqualTo(
            new PolicyStatement(
                "True",
                "InForce",
                "In force on all 2 nodes. spec: Two of a place. Mend it."
                    + " [policy-order-undefined]",
                true));
  }

  @Test
  void ofManyNodesTenAreNamed() {
    List<String> names = IntStream.range(10, 40).mapToObj(n -> "n" + n).toList();
    assertThat(
            PolicyStatement.of(wanted(OF_CLUSTER, 2, 17), List.of(), new Enforcement(names, NOW))
                .message())
        .endsWith("Without a word: n10, n11, n12, n13, n14, n15, n16, n17, n18, n19 and 20 more.");
  }

  @Test
  void othersConditionsStayAndTheTimeIsThatOfTheLastTurn() throws Exception {
    Tree.Mapping policy =
        (Tree.Mapping)
            JsonTrees.parse(
                """
                {"metadata":{"name":"deny","resourceVersion":"20","generation":2},
                 "status":{"conditions":[
                  {"type":"example.org/Seen","status":"True"},
                  {"type":"sund.dev/Enforced","status":"True","reason":"InForce","message":"m",
                   "observedGeneration":1,"lastTransitionTime":"2026-11-01T00:00:00Z"}]}}\
                """);
    PolicyStatement same = new PolicyStatement("True", "InForce", "m", true);
    assertThat(same.isSaid(policy)).as("it was said of an older generation").isFalse();
    assertThat(JsonText.of(same.patch(policy, NOW)))
        .isEqualTo(
            "{\"metadata\":{\"resourceVersion\":\"20\"},\"status\":{\"conditions\":["
                + "{\"type\":\"example.org/Seen\",\"status\":\"True\"},"
                + "{\"type\":\"sund.dev/Enforced\",\"status\":\"True\",\"observedGeneration\":2,"
                + "\"lastTransitionTime\":\"2026-11-01T00:00:00Z\",\"reason\":\"InForce\","
                + "\"message\":\"m\"}]}}");
    assertThat(
            JsonText.of(new PolicyStatement("False", "NodesBehind", "m", false).patch(policy, NOW)))
        .contains("\"lastTransitionTime\":\"2026-11-22T08:00:00Z\"");
  }
}
