package dev.sund.cli;

import dev.sund.doctor.report.PackedTree;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** What people give as {@code --root}. */
final class RootArgument {
  private RootArgument() {}

  /**
   * A folder, or an archive of {@code sund report}.
   *
   * @throws CommandFailure when it is neither
   */
  static PackedTree open(Path root) {
    if (!Files.exists(root)) {
      throw CommandFailure.badInput(
          "--root " + root + " is no folder.",
          "Name the folder in which proc and sys are, or an archive of sund report.");
    }
    try {
      return PackedTree.of(root);
    } catch (IOException e) {
      throw CommandFailure.badInput(
          "--root: " + e.getMessage() + ".",
          "Name the folder in which proc and sys are, or an archive of sund report.");
    }
  }
}
