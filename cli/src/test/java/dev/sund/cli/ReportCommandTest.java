package dev.sund.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code sund report} of a tree, and {@code sund doctor} of what it wrote. */
class ReportCommandTest {
  @TempDir Path root;
  @TempDir Path folder;

  private final CommandRun run = new CommandRun();

  @BeforeEach
  void record() throws IOException {
    RecordedRoot.of(root)
        .withTunnelTooWide()
        .write("proc/sys/kernel/hostname", "node1")
        .write("proc/sys/kernel/osrelease", "6.1.0")
        .write("etc/rancher/k3s/config.yaml", "token: planted\nnode-ip: 192.0.2.7\n")
        .write("sund-facts/links", "link=eth0 index=2");
  }

  private int report(Path to, String... more) {
    return run.sund(List.of("report", "--root", root.toString(), "-w", to.toString()), more);
  }

  private String doctor(Path tree) {
    run.sund("doctor", "--root", tree.toString(), "-o", "json");
    return run.out();
  }

  @Test
  void aColleagueFindsWhatIsFoundHere() throws Exception {
    Path archive = folder.resolve("n1.tar.gz");
    assertThat(report(archive)).as("%s", run.err()).isEqualTo(ExitCode.OK);
    assertThat(run.out())
        .contains("doctor.txt", "doctor.json", "config/etc/rancher/k3s/config.yaml", "README.txt")
        .contains("tree/sund-facts/links")
        .contains("not in it: check sysctl-values", "mode 0600");
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(archive)))
        .isEqualTo("rw-------");
    String here = doctor(root);
    assertThat(here).contains("\"check\":\"forwarding-off\"");
    assertThat(doctor(archive)).isEqualTo(here);
    assertThat(run.sund("tune", "--root", archive.toString())).isNotEqualTo(ExitCode.BAD_INPUT);
  }

  @Test
  void nothingIsReplacedUnasked() throws Exception {
    Path archive = Files.writeString(folder.resolve("n1.tar.gz"), "mine");
    assertThat(report(archive)).isEqualTo(ExitCode.BAD_INPUT);
    assertThat(run.err())
        .isEqualTo(
            "sund: " + archive + " is there already. Name another file by -w, or give --force.\n");
    assertThat(archive).hasContent("mine");
    assertThat(report(archive, "--force", "-o", "json")).isEqualTo(ExitCode.OK);
    assertThat(run.out()).contains("\"archive\":\"" + archive, "\"README.txt\":");
    assertThat(Files.size(archive)).isGreaterThan(1_000);
  }

  @Test
  void aClusterThatDoesNotAnswerIsSaidAndTheRestIsThere() throws Exception {
    Path config =
        Files.writeString(
            folder.resolve("kubeconfig"),
            """
            apiVersion: v1
            kind: Config
            current-context: c
            contexts: [{name: c, context: {cluster: k, user: u}}]
            clusters: [{name: k, cluster: {server: "http://127.0.0.1:1"}}]
            users: [{name: u, user: {token: planted}}]
            """);
    Path archive = folder.resolve("n1.tar.gz");
    assertThat(report(archive, "--kubeconfig", config.toString())).isEqualTo(ExitCode.OK);
    assertThat(run.out()).contains("not in it: the cluster:").doesNotContain("planted");
    assertThat(report(archive, "--force", "--kubeconfig", folder.resolve("none").toString()))
        .isEqualTo(ExitCode.OK);
    assertThat(run.out()).contains("not in it: the cluster:");
  }

  @Test
  void whatCannotBeUsedIsBadInput() throws IOException {
    assertThat(report(folder.resolve("none/n1.tar.gz"))).isEqualTo(ExitCode.BAD_INPUT);
    assertThat(run.err()).contains("There is no folder for");
    assertThat(report(folder.resolve("x.tar.gz"), "--window", "601")).isEqualTo(ExitCode.BAD_INPUT);
    assertThat(run.sund("report", "--root", root.resolve("none").toString()))
        .isEqualTo(ExitCode.BAD_INPUT);
    Path text = Files.writeString(folder.resolve("text.tar.gz"), "no archive");
    assertThat(run.sund("doctor", "--root", text.toString())).isEqualTo(ExitCode.BAD_INPUT);
    assertThat(run.err()).contains("is no archive of tar and gzip");
  }
}
