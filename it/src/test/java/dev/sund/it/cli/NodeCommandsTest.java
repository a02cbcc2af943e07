package dev.sund.it.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.kernel.NetNs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code sund verify} and {@code sund cleanup} on a node that somebody else set up. */
@Tag("netns")
class NodeCommandsTest {
  private static final Path ROOT = Path.of(System.getProperty("sund.root"));

  @TempDir Path folder;
  private NetNs node;

  @BeforeEach
  void aNodeWithItsUplink() throws Exception {
    node = NetNs.create("sundt-cli-" + ProcessHandle.current().pid());
    ip("link set lo up");
    ip("link add eth0 type veth peer name far0");
    ip("address add 192.168.11.11/24 dev eth0");
    ip("link set eth0 up");
    ip("link set far0 up");
  }

  @AfterEach
  void removed() throws Exception {
    node.delete();
  }

  private record Ended(int exitCode, String output) {}

  private Ended sund(String... arguments) throws Exception {
    List<String> command = new ArrayList<>(List.of(ROOT.resolve("sund").toString()));
    command.addAll(List.of(arguments));
    command.addAll(List.of("--netns", node.path().toString()));
    return run(command);
  }

  private void ip(String arguments) throws Exception {
    List<String> command = new ArrayList<>(List.of("nsenter", "--net=" + node.path(), "ip"));
    command.addAll(List.of(arguments.split(" ")));
    Ended ended = run(command);
    assertThat(ended.exitCode()).as(ended.output()).isZero();
  }

  private Ended run(List<String> command) throws IOException, InterruptedException {
    Path output = Files.createTempFile(folder, "output", ".txt");
    ProcessBuilder builder =
        new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(output.toFile());
    builder.environment().put("SUND_BUILD", "never");
    Process process = builder.start();
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    return new Ended(process.exitValue(), Files.readString(output));
  }

  private Ended verify() throws Exception {
    return sund("verify", "--node", "n1", "-f", ROOT.resolve("examples/shop").toString());
  }

  @Test
  void verifyNamesWhatIsMissing() throws Exception {
    Ended ended = verify();
    assertThat(ended.output())
        .contains("[drift-missing]", "10.244.1.0/24", "sund-vxlan4")
        .containsPattern("node n1: [0-9]+ entries, [0-9]+ differ");
    assertThat(ended.exitCode()).isEqualTo(1);
  }

  @Test
  void verifyNamesAStrayRouteAndCleanupRemovesItAlone() throws Exception {
    ip("route add 10.9.9.0/24 dev eth0 proto 83");
    ip("route add 10.8.8.0/24 dev eth0");
    assertThat(verify().output()).contains("10.9.9.0/24", "[stray-object]");

    String state = folder.resolve("state").toString();
    assertThat(sund("cleanup", "--dry-run", "--state-dir", state).output())
        .contains("would remove route 10.9.9.0/24")
        .doesNotContain("10.8.8.0/24");
    assertThat(sund("cleanup", "--state-dir", state).exitCode()).isZero();
    assertThat(sund("cleanup", "--state-dir", state).output())
        .isEqualTo("nothing of Sund's is here\n");
    ip("route get 10.8.8.1");
    assertThat(verify().output()).doesNotContain("10.9.9.0/24");
  }

  @Test
  void aNamespaceThatIsNotThereIsNamed() throws Exception {
    Ended ended =
        run(
            List.of(
                ROOT.resolve("sund").toString(),
                "cleanup",
                "--dry-run",
                "--netns",
                "/run/netns/sundt-nothing"));
    assertThat(ended.output()).contains("/run/netns/sundt-nothing").hasLineCount(1);
    assertThat(ended.exitCode()).isEqualTo(3);
  }
}
