package dev.sund.agent.state;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sund.engine.cluster.Attachment;
import dev.sund.model.Ip;
import dev.sund.model.PodKey;
import dev.sund.model.Reason;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(20)
class StateDirTest {
  private static final Attachment WEB =
      new Attachment(
          "c1",
          "eth0",
          "/run/netns/web",
          new PodKey("shop", "web"),
          "uid-1",
          List.of(Ip.parse("10.244.1.5"), Ip.parse("fd00:1::5")));

  @TempDir private Path temp;

  @Test
  void attachmentsComeBackAfterARestart() throws Exception {
    try (StateDir state = open("boot-1")) {
      state.write(WEB);
    }
    try (StateDir state = open("boot-1")) {
      assertThat(state.restore().attachments()).containsExactly(WEB);
      assertThat(state.restore().conditions()).isEmpty();
      state.remove(WEB);
      state.remove(WEB);
      assertThat(state.restore().attachments()).isEmpty();
    }
  }

  @Test
  void attachmentsOfAnEarlierBootAreForgotten() throws Exception {
    try (StateDir state = open("boot-1")) {
      state.write(WEB);
    }
    try (StateDir state = open("boot-2")) {
      assertThat(state.restore().attachments()).isEmpty();
      assertThat(temp.resolve("state/attachments")).isEmptyDirectory();
    }
  }

  @Test
  void aDamagedFileIsReportedAndLeftAlone() throws Exception {
    try (StateDir state = open("boot-1")) {
      state.write(WEB);
      Path damaged = temp.resolve("state/attachments/c2@eth0.json");
      Files.writeString(damaged, "{\"containerId\": \"c2\",");
      var restored = state.restore();
      assertThat(restored.attachments()).containsExactly(WEB);
      assertThat(restored.conditions())
          .singleElement()
          .satisfies(condition -> {
            assertThat(condition.reason()).isEqualTo(Reason.STATE_UNREADABLE);
            assertThat(condition.toString()).contains("c2@eth0.json").contains("line 1");
          });
      assertThat(damaged).exists();
    }
  }

  @Test
  void aFileHalfWrittenWhenTheAgentDiedDoesNotCount() throws Exception {
    try (StateDir state = open("boot-1")) {
      state.write(WEB);
      Files.writeString(temp.resolve("state/attachments/c2@eth0.json.new"), "{\"contai");
      assertThat(state.restore().attachments()).containsExactly(WEB);
      assertThat(state.restore().conditions()).isEmpty();
    }
  }

  @Test
  void stateThatNeedsANewerAgentIsRefusedAndUntouched() throws Exception {
    try (StateDir state = open("boot-1")) {
      state.write(WEB);
    }
    Path version = temp.resolve("state/version");
    Files.writeString(version, "3\n");
    assertThatThrownBy(() -> open("boot-1"))
        .isInstanceOfSatisfying(
            StateException.class,
            e -> assertThat(e.condition().reason()).isEqualTo(Reason.STATE_UNREADABLE))
        .hasMessage(
            "file "
                + version
                + ": The state needs an agent that knows schema version 3, this one knows versions"
                + " up to 2. Start the newer agent again, or drain the node, move "
                + temp.resolve("state")
                + " away and start this one. [state-unreadable]");
    assertThat(version).hasContent("3\n");
    assertThat(temp.resolve("state/attachments/c1@eth0.json")).exists();
    Files.writeString(version, "2\n");
    try (StateDir state = open("boot-1")) {
      assertThat(state.restore().attachments()).containsExactly(WEB);
    }
    assertThat(version).as("what it asked for already").hasContent("2\n");
  }

  @Test
  void theAgentOfTheVersionBeforeMayFollow() throws Exception {
    open("boot-1").close();
    assertThat(temp.resolve("state/version")).hasContent("1\n");
  }

  @Test
  void aVersionThatIsNoNumberIsRefused() throws Exception {
    open("boot-1").close();
    Files.writeString(temp.resolve("state/version"), "one");
    assertThatThrownBy(() -> open("boot-1"))
        .hasMessageContaining("'one' is not a schema version.")
        .hasMessageContaining("Restore the file from a backup");
  }

  @Test
  void aSecondAgentIsRefused() throws Exception {
    try (StateDir first = open("boot-1")) {
      assertThat(first.path()).exists();
      assertThatThrownBy(() -> open("boot-1"))
          .isInstanceOf(StateException.class)
          .hasMessageContaining("Another agent holds the state directory.");
    }
    open("boot-1").close();
  }

  @Test
  void nobodyElseMayReadIt() throws Exception {
    try (StateDir state = open("boot-1")) {
      state.write(WEB);
    }
    assertThat(permissions("state")).isEqualTo("rwx------");
    assertThat(permissions("state/attachments/c1@eth0.json")).isEqualTo("rw-------");
  }

  private String permissions(String name) throws IOException {
    return PosixFilePermissions.toString(Files.getPosixFilePermissions(temp.resolve(name)));
  }

  private StateDir open(String bootId) throws IOException, InterruptedException {
    return StateDir.open(temp.resolve("state"), bootId, Duration.ofMillis(50));
  }
}
