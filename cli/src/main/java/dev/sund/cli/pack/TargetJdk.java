package dev.sund.cli.pack;

import dev.sund.cli.CommandFailure;
import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;

/**
 * The JDK whose run time goes into a distribution, and the machine that it is for.
 *
 * @param home its folder
 * @param architecture which machines run it
 */
public record TargetJdk(Path home, Architecture architecture) {

  /** Kinds of machines, as Debian and OCI name them. */
  public enum Architecture {
    AMD64("amd64", "x86_64", "x86_64-linux-gnu"),
    ARM64("arm64", "aarch64", "aarch64-linux-gnu");

    private final String label;
    private final String java;
    private final String triplet;

    Architecture(String label, String java, String triplet) {
      this.label = label;
      this.java = java;
      this.triplet = triplet;
    }

    /** {@code amd64} or {@code arm64}. */
    public String label() {
      return label;
    }

    /** The GNU triplet, which begins the names of cross compilers: {@code aarch64-linux-gnu}. */
    public String triplet() {
      return triplet;
    }

    /** The machine that this program runs on. */
    static Architecture here() {
      String name = System.getProperty("os.arch");
      return name.equals("aarch64") ? ARM64 : AMD64;
    }
  }

  /**
   * The JDK in a folder.
   *
   * @throws CommandFailure unless it is a JDK of Sund's Java version for Linux with glibc, on a
   *     machine that is known
   */
  public static TargetJdk of(Path home) throws IOException {
    Path release = home.resolve("release");
    if (!Files.isRegularFile(release)) {
      throw CommandFailure.badInput(
          home + " is no JDK: it has no file 'release'.",
          "Give the folder of an unpacked JDK 25, the one that holds bin and lib.");
    }
    Properties properties = new Properties();
    try (Reader reader = Files.newBufferedReader(release)) {
      properties.load(reader);
    }
    String version = word(properties, "JAVA_VERSION");
    int wanted = Runtime.version().feature();
    if (!version.equals(String.valueOf(wanted)) && !version.startsWith(wanted + ".")) {
      throw CommandFailure.badInput(
          home + " is Java " + version + ", and Sund is built for Java " + wanted + ".",
          "Give a JDK " + wanted + ".");
    }
    String system = word(properties, "OS_NAME") + " with " + word(properties, "LIBC");
    if (!system.equals("Linux with gnu") && !system.equals("Linux with ")) {
      throw CommandFailure.badInput(
          home + " is for " + system + ".", "Give a JDK for Linux with the GNU C library.");
    }
    String machine = word(properties, "OS_ARCH");
    for (Architecture architecture : Architecture.values()) {
      if (architecture.java.equals(machine)) {
        return new TargetJdk(home, architecture);
      }
    }
    throw CommandFailure.badInput(
        home + " is for " + machine + ".", "Give a JDK for x86_64 or aarch64.");
  }

  /** Whether this machine runs it. */
  public boolean runsHere() {
    return architecture == Architecture.here();
  }

  /**
   * Links a run time of these modules and those they need.
   *
   * @param more where modules are that are not the JDK's
   * @param output must not exist yet
   */
  void link(Path more, String modules, Path output) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    Path packaged = home.resolve("jmods");
    if (runsHere()) {
      command.add(home.resolve("bin/jlink").toString());
    } else if (Files.isDirectory(packaged)) {
      command.add(Path.of(System.getProperty("java.home"), "bin", "jlink").toString());
    } else {
      throw CommandFailure.couldNotRun(
          "A run time for "
              + architecture.label()
              + " is linked from the JDK's packaged modules, and "
              + packaged
              + " does not exist.",
          "Unpack the JDK vendor's jmods archive of the same version there.");
    }
    command.addAll(
        List.of(
            "--module-path",
            Files.isDirectory(packaged) ? more + ":" + packaged : more.toString()));
    command.addAll(List.of("--add-modules", modules, "--output", output.toString()));
    command.addAll(List.of("--strip-java-debug-attributes", "--no-header-files", "--no-man-pages"));
    Programs.run(command);
    for (String other : List.of("keytool", "jwebserver")) {
      Files.deleteIfExists(output.resolve("bin").resolve(other));
    }
  }

  private static String word(Properties properties, String name) {
    return properties.getProperty(name, "").replace("\"", "");
  }
}
