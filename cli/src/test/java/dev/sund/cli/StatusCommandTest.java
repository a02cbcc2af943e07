package dev.sund.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.agent.state.StateDir;
import dev.sund.engine.cluster.Attachment;
import dev.sund.model.Ip;
import dev.sund.model.PodKey;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** {@code sund status} where no agent runs. */
class StatusCommandTest {
  @TempDir Path folder;
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  private int status(String... more) {
    CommandLine line =
        Sund.commandLine(Map.of())
            .setOut(new PrintWriter(out, true))
            .setErr(new PrintWriter(err, true));
    List<String> arguments =
        new java.util.ArrayList<>(
            List.of(
                "status",
                "--run-dir=" + folder.resolve("run"),
                "--state-dir=" + folder.resolve("state"),
                "--cni-conf-dir=" + folder.resolve("net.d")));
    arguments.addAll(List.of(more));
    return line.execute(arguments.toArray(String[]::new));
  }

  @Test
  void onAMachineWithoutAnythingItSaysSoAndWhatToDo() {
    assertThat(status()).isEqualTo(ExitCode.COULD_NOT_RUN);
    assertThat(out.toString().lines())
        .satisfiesExactly(
            agent ->
                assertThat(agent)
                    .isEqualTo(
                        "agent      not running: nothing answers in " + folder.resolve("run")),
            pods ->
                assertThat(pods)
                    .isEqualTo(
                        "pods       none that an agent has attached since the machine's start"),
            cni ->
                assertThat(cni)
                    .isEqualTo(
                        "CNI        there is no " + folder.resolve("net.d/10-sund.conflist")),
            remedy -> assertThat(remedy).startsWith("do         Start it: 'sund agent'"));
    assertThat(err.toString()).isEmpty();
  }

  @Test
  void ofAnAgentThatDiedItSaysWhatGoesOnAndWhatDoesNot() throws Exception {
    Files.createDirectories(folder.resolve("run"));
    Path socket = folder.resolve("run/agent.sock");
    try (ServerSocketChannel dead = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      dead.bind(UnixDomainSocketAddress.of(socket));
    }
    assertThat(socket).exists();
    String boot = StateDir.bootIdOfThisKernel();
    attach(boot, "c1");
    attach(boot, "c2");
    attach("an earlier boot", "c3");
    Files.createDirectories(folder.resolve("net.d"));
    Files.writeString(folder.resolve("net.d/10-sund.conflist"), "{}");
    assertThat(status()).isEqualTo(ExitCode.COULD_NOT_RUN);
    assertThat(out.toString())
        .contains(
            "not running",
            "pods       2 keep the network that the last agent gave them",
            "10-sund.conflist is there: pods that start now wait (code 11) for an agent");
  }

  @Test
  void programsGetTheSameAsJson() {
    assertThat(status("-o", "json")).isEqualTo(ExitCode.COULD_NOT_RUN);
    assertThat(out.toString())
        .startsWith("{\"running\":false,\"ready\":false,\"attached\":0,\"cni\":{\"conflist\":")
        .contains("\"written\":false", "\"remedy\":\"Start it");
  }

  private void attach(String boot, String container) throws Exception {
    try (StateDir state = StateDir.open(folder.resolve("state"), boot, Duration.ofSeconds(1))) {
      state.write(
          new Attachment(
              container,
              "eth0",
              "/run/netns/x",
              new PodKey("shop", container),
              "uid-" + container,
              List.of(Ip.parse("10.244.1.5"))));
    }
  }
}
