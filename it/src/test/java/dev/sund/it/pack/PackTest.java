package dev.sund.it.pack;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.it.agent.AgentScene;
import dev.sund.it.agent.AgentScene.PodHandle;
import dev.sund.model.Family;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** {@code sund dist} and {@code sund image}: what they pack runs where nothing else is. */
@Tag("interop")
@Timeout(600)
class PackTest {
  @TempDir private Path folder;

  @Test
  void tarballRunsInAChrootWithNothingButTheCLibrary() throws Exception {
    Path tarball = folder.resolve("sund.tar.gz");
    Packed.sund(folder, "dist", "-f", tarball.toString());
    assertThat(Files.size(tarball)).isLessThan(Packed.MOST_BYTES);

    Path root = Files.createDirectory(folder.resolve("root"));
    Path unpacked = Packed.unpack(tarball, root);
    assertThat(Packed.tooNew(unpacked)).as("files that need a C library above 2.31").isEmpty();
    for (Path library : libraries(unpacked)) {
      Path copy = root.resolve(library.toString().substring(1));
      Files.createDirectories(copy.getParent());
      Files.copy(library.toRealPath(), copy, StandardCopyOption.REPLACE_EXISTING);
    }

    assertThat(chroot(root, "version")).startsWith("sund ").contains("Java 25");
    assertThat(chroot(root, "--help")).contains("sudo ./sund lab");
    assertThat(chroot(root, "trace", "-f", "/sund/examples/shop", "node/n1", "10.244.3.7:80"))
        .contains("delivered to pod shop/db-0 on n3");
    Path clock = root.resolve("node/sys/devices/system/clocksource/clocksource0");
    Files.createDirectories(clock);
    Files.writeString(clock.resolve("current_clocksource"), "hpet");
    Files.writeString(clock.resolve("available_clocksource"), "tsc hpet");
    assertThat(chroot(root, "doctor", "--root=/node", "--only=clock-source", "--fail-on=never"))
        .startsWith("warning  clock-source ");
    assertThat(Files.exists(root.resolve("proc"))).as("not even /proc").isFalse();
  }

  @Test
  void aJdkForAnotherJavaIsRefusedByName() throws Exception {
    Path jdk = Files.createDirectories(folder.resolve("jdk-21"));
    Files.writeString(jdk.resolve("release"), "JAVA_VERSION=\"21.0.4\"\nOS_ARCH=\"aarch64\"\n");
    Process process = Packed.start(folder, "dist", "--jdk", jdk.toString());

    assertThat(Packed.output(process))
        .contains(jdk + " is Java 21.0.4, and Sund is built for Java 25.");
    assertThat(process.waitFor()).isEqualTo(2);
  }

  @Test
  void containerdRunsTheAgentFromItsImageAndItAttachesPods() throws Exception {
    Path archive = folder.resolve("sund.oci.tar");
    Packed.sund(folder, "image", "-f", archive.toString(), "-t", "sund.dev/sund:test");
    try (AgentScene scene = AgentScene.build(Files.createDirectory(folder.resolve("scene")));
        Containerd containerd = Containerd.start(folder.resolve("containerd"), scene.node(1))) {
      containerd.run("images", "import", "--snapshotter", "native", archive.toString());
      assertThat(containerd.run("images", "ls", "-q")).contains("sund.dev/sund:test");

      scene.startInstead(1, agentIn(containerd, scene));
      try {
        scene.awaitReady(1, Duration.ofSeconds(60));
        PodHandle a = scene.addPod("a", 1);
        PodHandle b = scene.addPod("b", 1);
        for (Family family : Family.values()) {
          assertThat(scene.reaches(a, b, family)).as("a to b by %s", family).isTrue();
        }
        assertThat(scene.logText(1)).doesNotContain("not applied");
      } finally {
        containerd.kill("agent");
        scene.agent(1).waitFor(20, TimeUnit.SECONDS);
      }
    }
  }

  private List<String> agentIn(Containerd containerd, AgentScene scene) throws IOException {
    List<String> command = containerd.command("run", "--rm", "--snapshotter", "native");
    command.addAll(List.of("--net-host", "--privileged"));
    Map<Path, String> mounts = new TreeMap<>();
    for (Path path : List.of(scene.runDir(1), scene.stateDir(1))) {
      mounts.put(Files.createDirectories(path), "rbind:rw");
    }
    mounts.put(scene.kubeconfig(), "rbind:ro");
    mounts.put(Path.of("/run/netns"), "rbind:rslave:rw");
    mounts.forEach((path, options) -> {
      command.add("--mount");
      command.add("type=bind,src=%s,dst=%s,options=%s".formatted(path, path, options));
    });
    command.addAll(List.of("sund.dev/sund:test", "agent", "/opt/sund/bin/sund", "agent"));
    command.addAll(List.of("--node", "n1", "--kubeconfig", scene.kubeconfig().toString()));
    command.addAll(List.of("--run-dir", scene.runDir(1).toString()));
    command.addAll(List.of("--state-dir", scene.stateDir(1).toString()));
    command.addAll(List.of("--http", "127.0.0.1:9470"));
    return command;
  }

  /** The shared libraries of the system that the run time's main parts need. */
  private static List<Path> libraries(Path unpacked) throws Exception {
    List<Path> found = new ArrayList<>();
    String lines =
        Packed.run(
            "ldd",
            unpacked.resolve("runtime/bin/java").toString(),
            unpacked.resolve("runtime/lib/server/libjvm.so").toString());
    Matcher matcher = Pattern.compile("\\s(/lib\\S+) \\(0x").matcher(lines);
    while (matcher.find()) {
      found.add(Path.of(matcher.group(1)));
    }
    return found.stream().distinct().toList();
  }

  private static String chroot(Path root, String... words) throws Exception {
    List<String> command = new ArrayList<>(List.of("chroot", root.toString(), "/sund/bin/sund"));
    command.addAll(List.of(words));
    return Packed.run(command.toArray(String[]::new));
  }
}
