package dev.sund.doctor.report;

import dev.sund.doctor.Recording;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * What is packed for a colleague. Whatever is added loses its secrets on the way in, so that
 * nothing gets past it.
 */
public final class Report {
  /** The folder of the recorded tree. */
  public static final String TREE = "tree";

  private final Map<String, String> files = new TreeMap<>();
  private final TreeSet<String> folders = new TreeSet<>();
  private final List<String> notes = new ArrayList<>();

  /** An empty report. */
  public Report() {}

  /** Adds a text. */
  public void add(String name, String text) {
    files.put(name, Secrets.removed(text));
  }

  /** Adds a file of the node. */
  public void addFile(String folder, String path, String text) {
    files.put(folder + "/" + path, Secrets.removedFrom(path, text));
  }

  /** Adds the tree of what checks were answered. */
  public void add(Recording recording) {
    recording.files().forEach((path, text) -> addFile(TREE, path, text));
    recording.folders().forEach(path -> folders.add(TREE + "/" + path));
  }

  /** Says that something is not in it, and why. */
  public void note(String text) {
    notes.add(Secrets.removed(text));
  }

  /** What is not in it. */
  public List<String> notes() {
    return List.copyOf(notes);
  }

  /** What is in it, with its size in bytes. */
  public Map<String, Integer> contents() {
    Map<String, Integer> contents = new TreeMap<>();
    files.forEach((name, text) -> contents.put(name, text.getBytes(StandardCharsets.UTF_8).length));
    return contents;
  }

  /**
   * Writes it, for the owner's eyes only; the file is there when it is whole.
   *
   * @param top the folder in the archive that everything is in
   * @param force whether a file that is there is replaced
   * @throws FileAlreadyExistsException when it is there and is not to be replaced
   */
  public void write(Path archive, String top, Instant time, boolean force) throws IOException {
    Path to = archive.toAbsolutePath();
    if (!force && Files.exists(to)) {
      throw new FileAlreadyExistsException(archive.toString());
    }
    Path fresh =
        Files.createTempFile(
            Objects.requireNonNull(to.getParent()),
            ".sund-report",
            ".new",
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
    try {
      try (OutputStream out = Files.newOutputStream(fresh);
          TarArchive tar = new TarArchive(out, time)) {
        tar.folder(top);
        for (String folder : folders) {
          tar.folder(top + "/" + folder);
        }
        for (Map.Entry<String, String> file : files.entrySet()) {
          tar.file(top + "/" + file.getKey(), file.getValue().getBytes(StandardCharsets.UTF_8));
        }
      }
      if (force) {
        Files.move(fresh, to, StandardCopyOption.REPLACE_EXISTING);
      } else {
        Files.move(fresh, to);
      }
    } finally {
      Files.deleteIfExists(fresh);
    }
  }
}
