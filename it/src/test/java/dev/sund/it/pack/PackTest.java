package dev.sund.it.pack;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.it.agent.AgentScene;
import dev.sund.it.agent.AgentScene.PodHandle;
import dev.sund.model.Family;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
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
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** {@code sund dist} and {@code sund image}: what they pack runs where nothing else is. */
@Tag("interop")
@Timeout(180)
class PackTest {
  private static final long MOST_BYTES = 80_000_000;

  /** The C library of the oldest systems that get it: Debian 11, Ubuntu 20.04. */
  private static final Runtime.Version OLDEST_GLIBC = Runtime.Version.parse("2.31");

  private static final Pattern NEEDED = Pattern.compile("GLIBC_([0-9.]+)");

  @TempDir private Path folder;

  @Test
  void tarballRunsInAChrootWithNothingButTheCLibrary() throws Exception {
    Path tarball = folder.resolve("sund.tar.gz");
    sund("dist", "-f", tarball.toString());
    assertThat(Files.size(tarball)).isLessThan(MOST_BYTES);

    Path root = Files.createDirectory(folder.resolve("root"));
    run("tar", "-xzf", tarball.toString(), "-C", root.toString());
    Path unpacked;
    try (Stream<Path> made = Files.list(root)) {
      unpacked = Files.move(made.findFirst().orElseThrow(), root.resolve("sund"));
    }
    assertThat(tooNew(unpacked)).as("files that need a C library above 2.31").isEmpty();
    for (Path library : libraries(unpacked)) {
      Path copy = root.resolve(library.toString().substring(1));
      Files.createDirectories(copy.getParent());
      Files.copy(library.toRealPath(), copy, StandardCopyOption.REPLACE_EXISTING);
    }

    assertThat(chroot(root, "version")).startsWith("sund ").contains("Java 25");
    assertThat(chroot(root, "--help")).contains("sudo ./sund lab");
    assertThat(chroot(root, "trace", "-f", "/sund/examples/shop", "node/n1", "10.244.3.7:80"))
        .contains("delivered to pod shop/db-0 on n3");
    assertThat(Files.exists(root.resolve("proc"))).as("not even /proc").isFalse();
  }

  @Test
  void aJdkForAnotherJavaIsRefusedByName() throws Exception {
    Path jdk = Files.createDirectories(folder.resolve("jdk-21"));
    Files.writeString(jdk.resolve("release"), "JAVA_VERSION=\"21.0.4\"\nOS_ARCH=\"aarch64\"\n");
    Process process = start("dist", "--jdk", jdk.toString());

    assertThat(output(process)).contains(jdk + " is Java 21.0.4, and Sund is built for Java 25.");
    assertThat(process.waitFor()).isEqualTo(2);
  }

  @Test
  void containerdRunsTheAgentFromItsImageAndItAttachesPods() throws Exception {
    Path archive = folder.resolve("sund.oci.tar");
    sund("image", "-f", archive.toString(), "-t", "sund.dev/sund:test");
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

  /** ELF files below a folder that need a symbol of a newer C library, with its version. */
  private static Map<Path, String> tooNew(Path folder) throws Exception {
    Map<Path, String> found = new TreeMap<>();
    int seen = 0;
    for (Path file : elfFiles(folder)) {
      seen++;
      Matcher matcher = NEEDED.matcher(run("readelf", "--version-info", file.toString()));
      while (matcher.find()) {
        if (Runtime.Version.parse(matcher.group(1)).compareTo(OLDEST_GLIBC) > 0) {
          found.put(file, matcher.group(1));
        }
      }
    }
    assertThat(seen).as("a run time and two programs of our own").isGreaterThan(10);
    return found;
  }

  private static List<Path> elfFiles(Path folder) throws IOException {
    List<Path> found = new ArrayList<>();
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        try (var in = Files.newInputStream(file)) {
          byte[] start = in.readNBytes(4);
          if (start.length == 4 && start[0] == 0x7f && start[1] == 'E' && start[2] == 'L') {
            found.add(file);
          }
        }
      }
    }
    return found;
  }

  /** The shared libraries of the system that the run time's main parts need. */
  private static List<Path> libraries(Path unpacked) throws Exception {
    List<Path> found = new ArrayList<>();
    String lines =
        run(
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
    return run(command.toArray(String[]::new));
  }

  private Process start(String... words) throws IOException {
    List<String> command = new ArrayList<>(List.of(System.getProperty("sund.launcher")));
    command.addAll(List.of(words));
    return new ProcessBuilder(command).directory(folder.toFile()).redirectErrorStream(true).start();
  }

  private String sund(String... words) throws Exception {
    return done(start(words), String.join(" ", words));
  }

  private static String run(String... command) throws Exception {
    return done(
        new ProcessBuilder(command).redirectErrorStream(true).start(), String.join(" ", command));
  }

  private static String done(Process process, String what) throws Exception {
    String text = output(process);
    assertThat(process.waitFor()).as("%s: %s", what, text).isZero();
    return text;
  }

  private static String output(Process process) throws IOException {
    return new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
  }
}
