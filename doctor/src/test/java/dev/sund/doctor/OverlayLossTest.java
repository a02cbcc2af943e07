package dev.sund.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Who takes the blame for what tunnels lose; replayed, since no time can be stolen here. */
class OverlayLossTest {
  private static final String QUEUES = "proc/net/softnet_stat";

  @TempDir Path root;

  private String blamed(RecordedNode node) throws Exception {
    List<Check<?>> checks = List.of(Catalogue.named("overlay-loss").orElseThrow());
    List<Finding> findings = Examination.of(node.host(), checks).results().getFirst().findings();
    return findings.isEmpty() ? "nobody" : findings.getFirst().object();
  }

  private RecordedNode losing() {
    return new RecordedNode(root).with("proc/net/dev", WindowCases.TUNNEL, WindowCases.LOSES);
  }

  private static RecordedNode full(RecordedNode node) {
    return node.with(QUEUES, "00000200 00000000", "00000200 00000010");
  }

  private static RecordedNode stolen(RecordedNode node) {
    return node.with("proc/stat", WindowCases.TIMES, WindowCases.STOLEN);
  }

  @Test
  void stolenTimeIsBlamedWithAndWithoutFullQueues() throws Exception {
    assertThat(blamed(stolen(losing()))).isEqualTo("steal");
    assertThat(blamed(full(stolen(losing())))).isEqualTo("steal");
  }

  @Test
  void fullQueuesAreBlamedWhereNobodyStoleTime() throws Exception {
    assertThat(blamed(full(losing()))).isEqualTo("softnet");
  }

  @Test
  void theTunnelItselfIsBlamedWhereNeitherComesWithIt() throws Exception {
    assertThat(blamed(losing())).isEqualTo("tunnel");
  }

  @Test
  void whatATunnelWithoutPeersDropsWhenItComesUpIsNobodysFault() throws Exception {
    RecordedNode node =
        new RecordedNode(root)
            .with("proc/net/dev", WindowCases.TUNNEL, "flannel.1: 9900 9 0 0 0 0 0 0 9900 9 0 9");
    assertThat(blamed(node)).isEqualTo("nobody");
  }

  @Test
  void aFewOfManyPacketsAreNobodysFault() throws Exception {
    RecordedNode node =
        new RecordedNode(root)
            .with(
                "proc/net/dev",
                WindowCases.TUNNEL,
                "flannel.1: 9900 50009 0 0 0 0 0 0 9900 50009 0 12");
    assertThat(blamed(node)).isEqualTo("nobody");
  }
}
