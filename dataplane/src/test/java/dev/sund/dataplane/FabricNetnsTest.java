package dev.sund.dataplane;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.dataplane.testing.TestPod;
import dev.sund.dataplane.testing.Testbed;
import dev.sund.engine.cluster.IpPool;
import dev.sund.model.Family;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@Tag("netns")
class FabricNetnsTest {

  @ParameterizedTest
  @EnumSource(IpPool.VxlanMode.class)
  void podsReachEachOtherOnOneNodeAndAcrossNodes(IpPool.VxlanMode mode) {
    try (Testbed bed = Testbed.of(3, mode)) {
      TestPod a = bed.pod(1, "a");
      TestPod b = bed.pod(1, "b");
      TestPod c = bed.pod(2, "c");
      TestPod d = bed.pod(3, "d");

      bed.nodes().forEach(node -> assertThat(node.dataplane().conditions()).isEmpty());
      for (Family family : Family.values()) {
        assertThat(a.reaches(b, family)).as("same node %s", family).isTrue();
        assertThat(a.reaches(c, family)).as("across nodes %s", family).isTrue();
        assertThat(d.reaches(a, family)).as("across nodes %s", family).isTrue();
        assertThat(a.reaches(d, family, 4000)).as("in fragments %s", family).isTrue();
      }
    }
  }
}
