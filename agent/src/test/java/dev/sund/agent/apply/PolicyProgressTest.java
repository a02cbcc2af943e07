package dev.sund.agent.apply;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.engine.cluster.ClusterEvent;
import dev.sund.engine.cluster.Policy;
import java.util.List;
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

  private static List<ClusterEvent> told(long version) {
    return List.of(new ClusterEvent.PoliciesTold(Policy.NETWORK_POLICY, version));
  }
}
