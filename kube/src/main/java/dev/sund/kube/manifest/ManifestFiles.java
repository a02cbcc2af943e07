package dev.sund.kube.manifest;

import dev.sund.model.Condition;
import dev.sund.model.ObjectRef;
import dev.sund.model.Reason;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/**
 * Reads manifests from files, folders and standard input.
 *
 * <p>Nothing is thrown for what a user may get wrong: a file that is missing, a text that is no
 * YAML, a field with a wrong value are {@link Finding}s, and everything else is read all the same.
 */
public final class ManifestFiles {
  /** What a user writes for standard input. */
  public static final String STANDARD_INPUT = "-";

  private final ManifestReader reader;
  private final InputStream standardInput;

  private ManifestFiles(InputStream standardInput, ObjectTaker taker) {
    this.standardInput = standardInput;
    this.reader = new ManifestReader(taker);
  }

  /**
   * Reads all of {@code paths}.
   *
   * @param paths files of any name, folders (with all below them that ends in {@code .yaml}, {@code
   *     .yml} or {@code .json}, sorted), or {@code -}
   * @param standardInput read when {@code -} is among the paths; not closed
   */
  public static Manifests read(List<String> paths, InputStream standardInput) {
    return read(paths, standardInput, ObjectTaker.NOBODY);
  }

  /**
   * Reads all of {@code paths}, and shows each object to somebody who reads other kinds too.
   *
   * @param taker is shown each object that has a kind and a version
   */
  public static Manifests read(List<String> paths, InputStream standardInput, ObjectTaker taker) {
    ManifestFiles files = new ManifestFiles(standardInput, taker);
    paths.forEach(files::path);
    return files.reader.finish();
  }

  /**
   * Reads one text.
   *
   * @param name the name that findings give it
   */
  public static Manifests parse(String name, String text) {
    return parse(name, text, ObjectTaker.NOBODY);
  }

  /**
   * Reads one text, and shows each object to somebody who reads other kinds too.
   *
   * @param name the name that findings give it
   */
  public static Manifests parse(String name, String text, ObjectTaker taker) {
    ManifestReader reader = new ManifestReader(taker);
    reader.text(name, text);
    return reader.finish();
  }

  private void path(String name) {
    try {
      if (name.equals(STANDARD_INPUT)) {
        bytes("standard input", standardInput.readAllBytes());
        return;
      }
      Path path = Path.of(name);
      if (Files.isDirectory(path)) {
        folder(name, path);
      } else {
        bytes(name, Files.readAllBytes(path));
      }
    } catch (NoSuchFileException _) {
      unreadable(name, "the file does not exist.", "Check the path.");
    } catch (IOException e) {
      unreadable(name, "it cannot be read: " + e.getMessage() + ".", "Check it and its rights.");
    }
  }

  private void folder(String name, Path folder) throws IOException {
    List<Path> found;
    try (Stream<Path> all = Files.walk(folder)) {
      found = all.filter(ManifestFiles::isManifest).sorted().toList();
    }
    if (found.isEmpty()) {
      unreadable(
          name,
          "the folder has no file whose name ends in .yaml, .yml or .json.",
          "Name the files themselves.");
    }
    for (Path file : found) {
      bytes(file.toString(), Files.readAllBytes(file));
    }
  }

  private static boolean isManifest(Path path) {
    String name = path.getFileName().toString().toLowerCase(Locale.ROOT);
    return (name.endsWith(".yaml") || name.endsWith(".yml") || name.endsWith(".json"))
        && Files.isRegularFile(path);
  }

  private void bytes(String name, byte[] bytes) {
    try {
      reader.text(
          name, StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString());
    } catch (CharacterCodingException _) {
      unreadable(name, "it is not UTF-8 text.", "Save it as UTF-8.");
    }
  }

  private void unreadable(String name, String text, String remedy) {
    reader.add(
        new Finding(
            name,
            0,
            0,
            new Condition(Reason.MALFORMED, new ObjectRef("File", name), "", text, remedy),
            ""));
  }
}
