package dev.sund.agent.seen;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sund.engine.policy.seen.Recorded;
import dev.sund.engine.policy.seen.SeenFlow;
import dev.sund.engine.policy.seen.SeenLoss;
import dev.sund.engine.policy.seen.SeenParty;
import dev.sund.kube.tree.MalformedException;
import dev.sund.model.Protocol;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SeenStateTest {
  private static final Recorded RECORDED =
      new Recorded(
          "n1",
          List.of(
              new Recorded.Window("2026-11-01T00:00:00Z", "2026-11-02T00:00:00Z"),
              new Recorded.Window("2026-11-02T00:00:30Z", "2026-11-03T00:00:00Z")),
          Map.of(SeenLoss.OVERRUN, 3L),
          2,
          List.of(),
          List.of(
              flow("shop{app.kubernetes.io/name=web}", "shop{}", Protocol.TCP, 5432, "shop/db"),
              flow("node", "shop{app=web}", Protocol.ICMP, 0, ""),
              flow("2001:db8::/48", "shop{app=web}", Protocol.SCTP, 80, "")));

  @TempDir Path folder;

  private static SeenFlow flow(
      String from, String to, Protocol protocol, int port, String service) {
    return new SeenFlow(
        SeenParty.parse(from), SeenParty.parse(to), protocol, port, service, 7, 2, 100, 200);
  }

  @Test
  void whatIsWrittenIsReadBackAndForRootAlone() throws Exception {
    SeenState state = new SeenState(folder);
    assertThat(state.exists()).isFalse();
    state.write(RECORDED, true);
    assertThat(state.read()).isEqualTo(new SeenState.Found(RECORDED, true));
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(state.file())))
        .isEqualTo("rw-------");
    state.write(RECORDED, false);
    assertThat(state.read().recording()).isFalse();
    try (var files = Files.list(folder)) {
      assertThat(files).as("nothing is left beside it").hasSize(1);
    }
  }

  @Test
  void aFileOfAnotherVersionIsRefusedByName() throws Exception {
    SeenState state = new SeenState(folder);
    state.write(RECORDED, true);
    String text = Files.readString(state.file()).replace("\"version\":1", "\"version\":2");
    Files.writeString(state.file(), text);
    assertThatThrownBy(state::read)
        .isInstanceOf(MalformedException.class)
        .hasMessageContaining("version: '2' is not 1");
    assertThat(state.file()).hasContent(text);
  }

  @Test
  void manyWindowsAreToldAsFewerAndTheLatestStay() {
    List<Recorded.Window> many = new ArrayList<>();
    for (int i = 0; i < 200; i++) {
      many.add(
          new Recorded.Window(
              Instant.ofEpochSecond(100 * i).toString(),
              Instant.ofEpochSecond(100 * i + 50).toString()));
    }
    List<Recorded.Window> kept =
        new SeenThread.Windows(many, Instant.ofEpochSecond(30_000))
            .until(Instant.ofEpochSecond(30_001));
    assertThat(kept).hasSizeLessThanOrEqualTo(64);
    assertThat(kept.getFirst().from()).isEqualTo(many.getFirst().from());
    assertThat(kept).contains(many.getLast());
    assertThat(kept.getLast())
        .isEqualTo(new Recorded.Window("1970-01-01T08:20:00Z", "1970-01-01T08:20:01Z"));
  }
}
