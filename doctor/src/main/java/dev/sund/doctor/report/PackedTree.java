package dev.sund.doctor.report;

import dev.sund.doctor.Host;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The tree of a node's files that somebody named: a folder, the folder of a report that was
 * unpacked, or a report's archive, which is unpacked for as long as this is open.
 *
 * @param root where {@code proc} and {@code sys} are
 * @param unpacked what is removed at the end; empty when nothing was unpacked
 */
public record PackedTree(Path root, Optional<Path> unpacked) implements AutoCloseable {
  /**
   * Finds it.
   *
   * @throws IOException when an archive cannot be unpacked, or is none of a report
   */
  public static PackedTree of(Path named) throws IOException {
    if (Files.isDirectory(named)) {
      return new PackedTree(inside(named), Optional.empty());
    }
    Path folder = Files.createTempDirectory("sund-report");
    try {
      TarArchive.unpack(named, folder);
      try (Stream<Path> tops = Files.list(folder)) {
        for (Path top : tops.toList()) {
          if (!inside(top).equals(top)) {
            return new PackedTree(inside(top), Optional.of(folder));
          }
        }
      }
      throw new IOException(
          named + " holds no folder " + Report.TREE + ", as sund report writes it");
    } catch (IOException e) {
      remove(folder);
      throw e;
    }
  }

  private static Path inside(Path folder) {
    Path tree = folder.resolve(Report.TREE);
    return Files.exists(tree.resolve(Host.WINDOW)) ? tree : folder;
  }

  private static void remove(Path folder) throws IOException {
    List<Path> all;
    try (Stream<Path> paths = Files.walk(folder)) {
      all = paths.sorted(Comparator.reverseOrder()).toList();
    }
    for (Path path : all) {
      Files.delete(path);
    }
  }

  @Override
  public void close() throws IOException {
    if (unpacked.isPresent()) {
      remove(unpacked.get());
    }
  }
}
