package dev.sund.cli;

import dev.sund.cli.pack.Distribution;
import dev.sund.cli.pack.TargetJdk;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Options of commands that make packages, and what they have in common. */
final class PackOptions {
  @Option(
      names = "--jdk",
      paramLabel = "DIR",
      description = {
        "Put the run time of this JDK 25 in (default: the one that runs this). One for another"
            + " machine makes a package for that machine; it needs that JDK's jmods folder and that"
            + " machine's cross compiler."
      })
  @Nullable Path jdk;

  @Option(
      names = {"-f", "--file"},
      paramLabel = "FILE",
      description = "Write to this file (default: named after what is in it, in this folder).")
  @Nullable Path file;

  /** Makes the package of what is laid out in a folder. */
  interface Packing {
    /**
     * Makes it.
     *
     * @param staged all that belongs in
     * @param work an empty folder for what is made on the way
     * @param output the package
     */
    void pack(Distribution distribution, Path staged, Path work, Path output)
        throws IOException, InterruptedException;
  }

  /**
   * Lays the distribution out and has it packed.
   *
   * @param suffix of the package's name when none was given
   * @param err where progress is told
   * @return the package
   */
  Path pack(Distribution distribution, String suffix, PrintWriter err, Packing packing)
      throws IOException, InterruptedException {
    Path output = file == null ? Path.of(distribution.name() + suffix) : file;
    Path parent = output.toAbsolutePath().getParent();
    if (parent == null || !Files.isDirectory(parent)) {
      throw CommandFailure.badInput(
          "-f " + output + ": its folder does not exist.", "Make it, or name another file.");
    }
    Path folder = Files.createTempDirectory(parent, ".sund-pack-");
    try {
      Path staged = distribution.stage(folder, step -> err.println("sund: " + step));
      err.println("sund: packing");
      packing.pack(distribution, staged, Files.createDirectory(folder.resolve("work")), output);
      return output;
    } finally {
      try (Stream<Path> files = Files.walk(folder)) {
        for (Path left : files.sorted(Comparator.reverseOrder()).toList()) {
          Files.delete(left);
        }
      }
    }
  }

  /** What is to be packed: this checkout's build with the run time that was asked for. */
  Distribution distribution() throws IOException {
    Path root = Path.of(System.getProperty("sund.root", "."));
    Path build = root.resolve(".sund/current");
    if (!Files.isDirectory(build)) {
      throw CommandFailure.couldNotRun(
          "Packages are made of a checkout's build, and " + root + " has none.",
          "Clone the repository and run ./sund there.");
    }
    Path home = jdk == null ? Path.of(System.getProperty("java.home")) : jdk.toAbsolutePath();
    return new Distribution(root, build.toRealPath(), TargetJdk.of(home), Version.text());
  }
}
