package dev.sund.doctor;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;

/**
 * The files below a node's root, which is this machine's, one mounted somewhere, or a recorded
 * tree's. What is not there is empty; what is there and cannot be read is an exception that says
 * why. Paths are written without the leading slash. Used by one thread at a time.
 */
final class NodeFiles {
  private final Path root;
  private final byte[] buffer = WholeFile.buffer();

  NodeFiles(Path root) {
    this.root = root;
  }

  /** Its root. */
  Path root() {
    return root;
  }

  /** Whether the tree was recorded. */
  boolean areRecorded() {
    return exists(Host.WINDOW);
  }

  /** Whether there is such a file, folder or link. */
  boolean exists(String path) {
    return Files.exists(place(path));
  }

  boolean isFolder(String path) {
    return Files.isDirectory(place(path));
  }

  /** A file's text, as it is. */
  Optional<String> text(String path) throws UnreadException {
    return ifThere(path, place -> WholeFile.text(place, buffer));
  }

  /** The text of a file that gzip made. */
  Optional<String> unzipped(String path) throws UnreadException {
    return ifThere(
        path,
        place -> {
          try (InputStream in = new GZIPInputStream(Files.newInputStream(place))) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
          }
        });
  }

  /** The names in a folder, sorted. */
  Optional<List<String>> names(String folder) throws UnreadException {
    return ifThere(
        folder,
        place -> {
          try (Stream<Path> entries = Files.list(place)) {
            return entries.map(entry -> entry.getFileName().toString()).sorted().toList();
          }
        });
  }

  private interface Read<T> {
    T at(Path place) throws IOException;
  }

  private <T> Optional<T> ifThere(String path, Read<T> read) throws UnreadException {
    try {
      return Optional.of(read.at(place(path)));
    } catch (NoSuchFileException | NotDirectoryException _) {
      return Optional.empty();
    } catch (AccessDeniedException _) {
      throw new UnreadException("/" + path + ": permission denied", Rights.remedy());
    } catch (IOException e) {
      throw new UnreadException(
          "/" + path + ": " + e.getMessage(), "Look at the file with the same user.");
    }
  }

  /** Of another machine's proc file system the network is that of its first process. */
  private Path place(String path) {
    if (path.startsWith("proc/net/") && !isThisMachines()) {
      Path first = root.resolve("proc/1/net").resolve(path.substring("proc/net/".length()));
      if (Files.exists(first)) {
        return first;
      }
    }
    return root.resolve(path);
  }

  /** Whether a file is one of the first process, whose network is the node's. */
  boolean isOfFirstProcess(String path) {
    return place(path).startsWith(root.resolve("proc/1"));
  }

  /** Whether the root's first process is in another network than this one. */
  boolean haveAnotherNetwork() {
    if (isThisMachines()) {
      return false;
    }
    try {
      Path theirs = Files.readSymbolicLink(root.resolve("proc/1/ns/net"));
      return !theirs.equals(Files.readSymbolicLink(Path.of("/proc/self/ns/net")));
    } catch (IOException _) {
      return false; // a recorded tree, or a link that only root may read
    }
  }

  private boolean isThisMachines() {
    return root.equals(Path.of("/"));
  }
}
