package dev.sund.it.cni;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.sund.agent.cni.CniFiles;
import dev.sund.it.cni.RuntimeBed.Ended;
import dev.sund.kernel.NetNs;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Debian's podman with the plugin in place of the reference ones. */
@Tag("interop")
@Timeout(300)
class PodmanTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  @TempDir private static Path folder;
  private static RuntimeBed bed;

  @BeforeAll
  static void build() throws Exception {
    assumeTrue(RuntimeBed.has("podman"), "podman is not installed");
    bed = new RuntimeBed(folder, CniFiles.conflist());
    Files.writeString(
        folder.resolve("containers.conf"),
        """
        [containers]
        default_ulimits = ["nofile=%1$s:%1$s", "nproc=4096:4096"]
        [network]
        network_backend = "cni"
        cni_plugin_dirs = ["%2$s"]
        network_config_dir = "%3$s"
        [engine]
        cgroup_manager = "cgroupfs"
        runtime = "runc"
        events_logger = "file"
        """
            .formatted(openFiles(), bed.bin(), bed.conf()));
    Ended loaded =
        podman("load", "-i", BusyboxImage.write(folder.resolve("busybox.tar")).toString());
    assertThat(loaded.exitCode()).as(loaded.output()).isZero();
  }

  @AfterAll
  static void remove() throws Exception {
    if (bed != null) {
      podman("rm", "-f", "-a", "-t", "0");
      bed.close();
    }
  }

  @Test
  void aContainerHasTheAddressItAskedForAndReachesItsNode() throws Exception {
    Ended ended =
        podman(
            "run",
            "--rm",
            "--network",
            "sund:ip=10.244.1.77,mac=02:42:ac:11:00:09",
            BusyboxImage.NAME,
            "sh",
            "-c",
            "ip addr show eth0; ping -c 1 -W 2 192.168.1.11");
    assertThat(ended.exitCode()).as(ended.output()).isZero();
    assertThat(ended.output())
        .contains("10.244.1.77/32", "02:42:ac:11:00:09", "1 packets received");
    bed.scene().await("no link is left", PATIENCE, () -> bed.links().isEmpty());
  }

  @Test
  void containersReachEachOtherAndThemselves() throws Exception {
    Ended server =
        podman(
            "run",
            "-d",
            "--name",
            "server",
            "--network",
            "sund:ip=10.244.1.80",
            BusyboxImage.NAME,
            "sh",
            "-c",
            "while true; do echo hello | nc -l -p 80; done");
    assertThat(server.exitCode()).as(server.output()).isZero();
    Ended client =
        podman(
            "run",
            "--rm",
            "--network",
            "sund:ip=10.244.1.81",
            BusyboxImage.NAME,
            "sh",
            "-c",
            "for i in $(seq 100); do nc -w 2 10.244.1.80 80 </dev/null && exit 0; sleep 0.2; done;"
                + " exit 1");
    assertThat(client.output()).contains("hello");
    // It listens anew after each who asked.
    bed.scene()
        .await(
            "the server answers itself",
            PATIENCE,
            () ->
                podman("exec", "server", "nc", "-w", "2", "10.244.1.80", "80")
                    .output()
                    .contains("hello"));
    assertThat(podman("rm", "-f", "-t", "0", "server").exitCode()).isZero();
    bed.scene().await("no link is left", PATIENCE, () -> bed.links().isEmpty());
  }

  @Test
  void execNetEntersAContainerByItsId() throws Exception {
    Ended started =
        podman(
            "run", "-d", "--name", "tools", "--network", "sund:ip=10.244.1.90", BusyboxImage.NAME);
    assertThat(started.exitCode()).as(started.output()).isZero();
    String id = podman("inspect", "--format", "{{.Id}}", "tools").output().strip();
    assertThat(id).matches("[0-9a-f]{64}");
    for (String asked : List.of(id, id.substring(0, 12))) { // whole, and as podman ps prints it
      Ended ended = bed.sund("exec-net", asked, "--", "ip", "-o", "addr", "show", "eth0");
      assertThat(ended.exitCode()).as(ended.output()).isZero();
      assertThat(ended.output()).contains("10.244.1.90/32");
    }
    assertThat(podman("rm", "-f", "-t", "0", "tools").exitCode()).isZero();
    bed.scene().await("no link is left", PATIENCE, () -> bed.links().isEmpty());
  }

  @Test
  void aPublishedPortLeadsToTheContainerFromEverywhere() throws Exception {
    Ended server =
        podman(
            "run",
            "-d",
            "--name",
            "published",
            "--network",
            "sund:ip=10.244.1.85",
            "-p",
            "8085:80",
            BusyboxImage.NAME,
            "sh",
            "-c",
            "while true; do echo hello | nc -l -p 80; done");
    assertThat(server.exitCode()).as(server.output()).isZero();
    for (NetNs asker : List.of(bed.scene().node(2), bed.scene().node(1))) {
      await("hello", asker, "192.168.1.11");
    }
    await("hello", bed.scene().node(1), "127.0.0.1");
    bed.scene()
        .await(
            "the server answers itself by the port: hairpin",
            PATIENCE,
            () ->
                podman("exec", "published", "nc", "-w", "2", "192.168.1.11", "8085")
                    .output()
                    .contains("hello"));
    assertThat(podman("rm", "-f", "-t", "0", "published").exitCode()).isZero();
    bed.scene().await("no link is left", PATIENCE, () -> bed.links().isEmpty());
    bed.scene()
        .await(
            "the port is shut",
            PATIENCE,
            () ->
                !bed.scene()
                    .run(bed.scene().node(1), "nft", "list", "table", "inet", "sund")
                    .contains("10.244.1.85"));
  }

  private static void await(String answer, NetNs asker, String address) throws Exception {
    bed.scene()
        .await(
            "an answer at " + address,
            PATIENCE,
            () ->
                bed.scene()
                    .run(
                        asker,
                        "sh",
                        "-c",
                        "busybox nc -w 2 " + address + " 8085 </dev/null 2>&1 || true")
                    .contains(answer));
  }

  @Test
  void aRefusalIsShownWithItsRemedyAndLeavesNothing() throws Exception {
    Path list = bed.conf().resolve("20-wrong.conflist");
    Files.writeString(
        list,
        """
        {"cniVersion": "0.4.0", "name": "wrong",
         "plugins": [{"type": "sund-cni", "capabilities": {"ips": true}, "ipMask": true}]}
        """);
    try {
      Ended ended =
          podman("run", "--rm", "--network", "wrong:ip=10.244.1.90", BusyboxImage.NAME, "true");
      assertThat(ended.exitCode()).isNotZero();
      assertThat(ended.output()).contains("key 'ipMask' with value true is not known", "Remove it");
      assertThat(bed.links()).isEmpty();
    } finally {
      Files.delete(list);
    }
  }

  private static Ended podman(String... arguments) throws Exception {
    List<String> command = new ArrayList<>(List.of("podman"));
    for (String place : List.of("root", "runroot", "tmpdir")) {
      command.add("--" + place);
      command.add(folder.resolve("podman-" + place).toString());
    }
    command.addAll(List.of(arguments));
    ProcessBuilder builder = bed.onNode(command);
    builder.environment().put("CONTAINERS_CONF", folder.resolve("containers.conf").toString());
    return bed.run(builder);
  }

  private static String openFiles() throws Exception {
    Process process = new ProcessBuilder("sh", "-c", "ulimit -Hn").start();
    return new String(process.getInputStream().readAllBytes()).strip();
  }
}
