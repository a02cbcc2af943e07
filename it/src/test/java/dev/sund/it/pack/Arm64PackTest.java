package dev.sund.it.pack;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.sund.kernel.Fd;
import dev.sund.model.Family;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Packages for arm64 made on this machine, and run: with Debian 13's JDK for arm64, in a root with
 * its C library and nothing else, under qemu-user. Debian's JDK needs a newer C library than is
 * promised, so that what is said of one is held here as well.
 */
@Tag("interop")
@Timeout(600)
class Arm64PackTest {
  private static final Path OF_DEBIAN = Path.of(System.getProperty("sund.root"), ".sund/arm64");

  /** Programs for arm64 are given to the emulator, in a user namespace alone (Linux 6.7). */
  private static final String WITH_EMULATOR =
      """
      at=/proc/sys/fs/binfmt_misc
      magic='\\x7fELF\\x02\\x01\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x02\\x00\\xb7\\x00'
      mask='\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\x00\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xfe\\xff\\xff\\xff'
      mount -t binfmt_misc none $at &&
        printf '%s' ":arm64:M::$magic:$mask:$(command -v qemu-aarch64-static):F" >$at/register &&
        exec "$@"
      """;

  @TempDir private Path folder;
  private Path jdk;

  @BeforeEach
  void fetched() throws Exception {
    assumeTrue(Boolean.getBoolean("sund.long"), "takes a JDK for arm64, 140 MB: only by --long");
    Path jvms = OF_DEBIAN.resolve("usr/lib/jvm");
    assumeTrue(Files.isDirectory(jvms), "Debian's JDK for arm64 could not be fetched");
    try (Stream<Path> found = Files.list(jvms)) {
      jdk =
          found.filter(path -> Files.isDirectory(path.resolve("jmods"))).findFirst().orElseThrow();
    }
    Process process = new ProcessBuilder(emulated("true")).redirectErrorStream(true).start();
    String said = Packed.output(process);
    assumeTrue(process.waitFor() == 0, "no emulator in a user namespace here: " + said);
  }

  private static List<String> emulated(String... words) {
    List<String> command = new ArrayList<>(List.of("unshare", "--user", "--map-root-user"));
    command.addAll(List.of("--mount", "sh", "-c", WITH_EMULATOR, "sh"));
    command.addAll(List.of(words));
    return command;
  }

  /** Runs a program of another root. What it says. */
  private static String in(Path root, String... words) throws Exception {
    List<String> command = new ArrayList<>(List.of("chroot", root.toString()));
    command.addAll(List.of(words));
    return Packed.run(emulated(command.toArray(String[]::new)).toArray(String[]::new));
  }

  @Test
  void aTarballForArm64SaysWhatItNeedsAndRuns() throws Exception {
    Path tarball = folder.resolve("sund.tar.gz");
    String said = Packed.sund(folder, "dist", "--jdk", jdk.toString(), "-f", tarball.toString());
    assertThat(Files.size(tarball)).isLessThan(Packed.MOST_BYTES);
    Path root = withCLibrary("root");
    Path sund = Packed.unpack(tarball, root);

    assertThat(Packed.elfFiles(sund))
        .allSatisfy(
            file -> assertThat(Packed.run("readelf", "-h", file.toString())).contains("AArch64"));
    // readelf and what was said agree; what is Sund's own needs no C library.
    var tooNew = Packed.tooNew(sund);
    assertThat(tooNew.keySet())
        .isNotEmpty()
        .allMatch(file -> file.startsWith(sund.resolve("runtime")));
    Runtime.Version newest =
        tooNew.values().stream()
            .map(Runtime.Version::parse)
            .max(Runtime.Version::compareTo)
            .orElseThrow();
    assertThat(said).contains("of this JDK needs glibc " + newest + ",").contains("Temurin");

    assertThat(in(root, "/sund/bin/sund", "version")).startsWith("sund ").contains("Java 25");
    assertThat(in(root, "/sund/bin/sund", "--help")).contains("sudo ./sund lab");
    String shop = "/sund/examples/shop";
    assertThat(in(root, "/sund/bin/sund", "trace", "-f", shop, "node/n1", "10.244.3.7:80"))
        .contains("delivered to pod shop/db-0 on n3");
    String constants = constantsIn(root);
    assertThat(constants).isEqualTo(constantsHereAs("aarch64"));
    assertThat(constants.lines()).hasSizeGreaterThan(300);
  }

  @Test
  void anImageForArm64HasTheLibrariesThatItsRunTimeNeeds() throws Exception {
    Path archive = folder.resolve("sund.oci.tar");
    Packed.sund(
        folder,
        "image",
        "--jdk",
        jdk.toString(),
        "--sysroot",
        OF_DEBIAN.toString(),
        "-f",
        archive.toString());
    Path layout = Files.createDirectory(folder.resolve("layout"));
    Packed.run("tar", "-xf", archive.toString(), "-C", layout.toString());
    assertThat(Files.readString(layout.resolve("index.json")))
        .contains("\"architecture\":\"arm64\"");
    Path layer;
    try (Stream<Path> blobs = Files.list(layout.resolve("blobs/sha256"))) {
      layer = blobs.filter(blob -> blob.toFile().length() > 1_000_000).findFirst().orElseThrow();
    }
    Path root = Files.createDirectory(folder.resolve("image"));
    Packed.run("tar", "-xzf", layer.toString(), "-C", root.toString());

    assertThat(in(root, "/opt/sund/bin/sund", "version")).contains("Java 25");
  }

  private Path withCLibrary(String name) throws Exception {
    Path root = Files.createDirectory(folder.resolve(name));
    Path libraries = Files.createDirectories(root.resolve("lib/aarch64-linux-gnu"));
    Path from = OF_DEBIAN.resolve("usr/lib/aarch64-linux-gnu");
    for (String library :
        List.of("libc.so.6", "libm.so.6", "libz.so.1", "libgcc_s.so.1", "libstdc++.so.6")) {
      Files.copy(from.resolve(library).toRealPath(), libraries.resolve(library));
    }
    String linker = "ld-linux-aarch64.so.1";
    Files.copy(from.resolve(linker).toRealPath(), root.resolve("lib").resolve(linker));
    return root;
  }

  /** Sizes, offsets and constants of the module {@code kernel} as the packed run time has them. */
  private static String constantsIn(Path root) throws Exception {
    List<String> classes = new ArrayList<>();
    for (Class<?> of : List.of(Arm64PackTest.class, Fd.class, Family.class)) {
      String name = "classes" + classes.size();
      Packed.run("cp", "-r", location(of), root.resolve(name).toString());
      classes.add("/" + name);
    }
    return in(
        root,
        "/sund/runtime/bin/java",
        "--limit-modules=java.base",
        "-cp",
        String.join(":", classes),
        "dev.sund.it.arch.KernelConstants",
        classes.get(1));
  }

  private static String constantsHereAs(String machine) throws Exception {
    return Packed.run(
        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
        "-Dos.arch=" + machine,
        "-cp",
        String.join(":", location(Arm64PackTest.class), location(Fd.class), location(Family.class)),
        "dev.sund.it.arch.KernelConstants",
        location(Fd.class));
  }

  private static String location(Class<?> of) throws Exception {
    return Path.of(of.getProtectionDomain().getCodeSource().getLocation().toURI()).toString();
  }
}
