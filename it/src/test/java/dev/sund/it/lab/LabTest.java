package dev.sund.it.lab;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whole labs as processes, as people run them. */
@Tag("netns")
class LabTest {
  private static final String ALL_AGREE = "[1-9][0-9]* probes, [1-9][0-9]* agree, 0 differ";

  @TempDir Path directory;

  @Test
  void examplesAgreeAndNothingIsLeftBehind() throws Exception {
    try (LabProcess lab = LabProcess.run(directory, "--once")) {
      assertThat(lab.exitCode()).as(lab.err() + lab.out()).isZero();
      assertThat(lab.lastLine()).matches(ALL_AGREE);
      assertThat(lab.out())
          .contains(">vxlan>")
          .contains("reach refused=refused")
          .contains("address-unused")
          .contains("> router > outside")
          .doesNotContain("\u001b[");
      assertThat(LabProcess.leftBy(lab.id())).isEmpty();
    }
  }

  @Test
  void labThatWasKilledIsRemovedByTheNext() throws Exception {
    LabProcess crashed = LabProcess.start(directory, "--nodes", "1").until("stands until Ctrl-C");
    crashed.kill();
    assertThat(LabProcess.leftBy(crashed.id())).isNotEmpty();

    try (LabProcess next = LabProcess.run(directory, "--once", "--nodes", "1")) {
      assertThat(next.err()).contains("removed what lab " + crashed.id() + " left");
      assertThat(LabProcess.leftBy(crashed.id())).isEmpty();
      assertThat(LabProcess.leftBy(next.id())).isEmpty();
    }
  }

  @Test
  void manifestsThatCannotBeUsedEndItBeforeAnythingIsBuilt() throws Exception {
    Path file = directory.resolve("bad.yaml");
    Files.writeString(file, "apiVersion: v1\nkind: Pod\nmetadata: {name: [\n");
    try (LabProcess lab = LabProcess.run(directory, "--once", "-f", file.toString())) {
      assertThat(lab.exitCode()).isEqualTo(2);
      assertThat(lab.err()).contains("bad.yaml:");
      assertThat(LabProcess.leftBy(lab.id())).isEmpty();
    }
  }

  @Test
  void fiftyPodsOnTenNodesShareOneAgentProcess() throws Exception {
    StringBuilder pods = new StringBuilder("apiVersion: v1\nkind: List\nitems:\n");
    for (int i = 0; i < 50; i++) {
      pods.append(
          """
          - apiVersion: v1
            kind: Pod
            metadata: {namespace: space%d, name: pod-%d}
            spec: {containers: [{name: main, ports: [{containerPort: %d}]}]}
          """
              .formatted(i % 4, i, 8000 + i % 3));
    }
    Path file = directory.resolve("fifty.yaml");
    Files.writeString(file, pods);
    try (LabProcess lab =
        LabProcess.run(directory, "--once", "--nodes", "10", "-f", file.toString())) {
      assertThat(lab.exitCode()).as(lab.err() + lab.out()).isZero();
      assertThat(lab.err()).contains("all agents in the lab's own process");
      assertThat(lab.lastLine()).matches(ALL_AGREE);
    }
  }
}
