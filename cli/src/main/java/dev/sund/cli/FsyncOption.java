package dev.sund.cli;

import dev.sund.doctor.Facts;
import dev.sund.doctor.disk.FsyncFacts;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** {@code --fsync}: whether the doctor writes to a disk, and where. */
final class FsyncOption {
  @Option(
      names = "--fsync",
      paramLabel = "DIR",
      arity = "0..1",
      fallbackValue = "",
      description =
          "Also write 200 times 2,300 bytes to a file that is removed again, and say how long the"
              + " disk takes: where this node's etcd writes, or in DIR (--fsync=DIR).")
  @Nullable String folder;

  /** Whether it was asked for. */
  boolean given() {
    return folder != null;
  }

  /** Facts with that of the disk, if it was asked for. */
  Facts with(Path root, Facts facts) {
    if (folder == null) {
      return facts;
    }
    Optional<Path> where =
        folder.isEmpty() ? Optional.empty() : Optional.of(Path.of(folder).toAbsolutePath());
    return facts.with(Facts.FSYNC, new FsyncFacts(root, where));
  }
}
