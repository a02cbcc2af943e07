package dev.sund.agent.apply;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.engine.cluster.ClusterEvent;
import dev.sund.engine.cluster.Policy;
import dev.sund.kube.enforced.NodePolicies.Generation;
import dev.sund.model.LabelSelector;
import dev.sund.model.ObjectRef;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

class PolicyProgressTest {
  private final PolicyProgress progress = new PolicyProgress();

  @Test
  void aVersionIsEnforcedOnceTheKernelHoldsItsProgram() {
    progress.wanted(1, told(10));
    progress.applied(0);
    assertThat(progress.enforced()).isEmpty();
    progress.applied(1);
    assertThat(progress.enforced()).containsEntry(Policy.NETWORK_POLICY, 10L);
  }

  @Test
  void whatChangesNothingInTheKernelIsEnforcedWithWhatWasThere() {
    progress.wanted(3, told(10));
    progress.wanted(3, told(12));
    progress.wanted(4, told(15));
    progress.applied(3);
    assertThat(progress.enforced()).containsEntry(Policy.NETWORK_POLICY, 12L);
    progress.applied(7);
    assertThat(progress.enforced()).containsEntry(Policy.NETWORK_POLICY, 15L);
  }

  @Test
  void ofPoliciesOfTheClusterItKnowsWhichGenerationTheKernelHas() {
    progress.wanted(1, List.of(seen("deny", 1), seen("pass", 4)));
    assertThat(progress.told()).containsOnlyKeys("deny", "pass");
    assertThat(progress.generations()).isEmpty();
    progress.applied(1);
    assertThat(progress.generations())
        .containsEntry("deny", new Generation("of deny", 1))
        .containsEntry("pass", new Generation("of pass", 4));
    progress.wanted(2, List.of(seen("deny", 2), gone("pass")));
    assertThat(progress.generations()).containsEntry("deny", new Generation("of deny", 1));
    progress.applied(2);
    assertThat(progress.generations())
        .isEqualTo(Map.of("deny", new Generation("of deny", 2)))
        .isEqualTo(progress.told());
  }

  @Test
  void aPolicyWhoseStatusWasWrittenIsNoOther() {
    progress.wanted(1, List.of(seen("deny", 1)));
    Map<String, Generation> before = progress.told();
    progress.wanted(1, List.of(seen("deny", 1)));
    assertThat(progress.told()).isSameAs(before);
  }

  @Test
  void aPolicyThatIsDeletedAndMadeAnewInOneBatchIsTheNewOne() {
    progress.wanted(1, List.of(seen("deny", 3), gone("deny"), seen("deny", 1)));
    progress.applied(1);
    assertThat(progress.generations()).containsEntry("deny", new Generation("of deny", 1));
  }

  private static ClusterEvent seen(String name, long generation) {
    Policy policy =
        new Policy(
            new ObjectRef(Policy.CLUSTER_NETWORK_POLICY, name),
            "of " + name,
            0,
            generation,
            Policy.Tier.ADMIN,
            0,
            Policy.Pods.of(LabelSelector.ALL, LabelSelector.ALL),
            Set.of(),
            List.of());
    return new ClusterEvent.PolicySeen(policy, List.of());
  }

  private static ClusterEvent gone(String name) {
    return new ClusterEvent.PolicyGone(new ObjectRef(Policy.CLUSTER_NETWORK_POLICY, name));
  }

  private static List<ClusterEvent> told(long version) {
    return List.of(new ClusterEvent.PoliciesTold(Policy.NETWORK_POLICY, version));
  }
}
