package dev.sund.cli;

import dev.sund.cli.pack.Distribution;
import dev.sund.cli.pack.TargetJdk;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
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
            + " machine makes a package for that machine; it needs its jmods folder and that"
            + " machine's cross compiler."
      })
  @Nullable Path jdk;

  /** What is done in a folder of its own. */
  interface Work {
    void in(Path folder) throws IOException, InterruptedException;
  }

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

  /** Does {@code work} in an empty folder beside the output, and removes the folder. */
  static void inFolderOfItsOwn(Path output, Work work) throws IOException, InterruptedException {
    Path parent = output.toAbsolutePath().getParent();
    if (parent == null || !Files.isDirectory(parent)) {
      throw CommandFailure.badInput(
          "-f " + output + ": its folder does not exist.", "Make it, or name another file.");
    }
    Path folder = Files.createTempDirectory(parent, ".sund-pack-");
    try {
      work.in(folder);
    } finally {
      try (Stream<Path> files = Files.walk(folder)) {
        for (Path file : files.sorted(java.util.Comparator.reverseOrder()).toList()) {
          Files.delete(file);
        }
      }
    }
  }
}
