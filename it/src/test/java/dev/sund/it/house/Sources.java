package dev.sund.it.house;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** The checkout's own files, without what a build makes. */
final class Sources {
  private static final Set<String> MADE = Set.of("target", ".git", ".sund", ".idea", ".vscode");

  private Sources() {}

  static Path root() {
    return Path.of(System.getProperty("sund.root"));
  }

  static List<Path> mainClassFolders() {
    return modules().stream()
        .map(module -> module.resolve("target/classes"))
        .filter(Files::isDirectory)
        .toList();
  }

  static List<Path> modules() {
    try (var entries = Files.list(root())) {
      return entries.filter(entry -> Files.exists(entry.resolve("pom.xml"))).sorted().toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Every file, as a path below the root. */
  static List<Path> files() {
    List<Path> files = new ArrayList<>();
    try {
      Files.walkFileTree(
          root(),
          new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult preVisitDirectory(Path folder, BasicFileAttributes attributes) {
              return MADE.contains(folder.getFileName().toString())
                  ? FileVisitResult.SKIP_SUBTREE
                  : FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
              if (!file.endsWith(".git")) { // a file in a linked work tree
                files.add(root().relativize(file));
              }
              return FileVisitResult.CONTINUE;
            }
          });
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    files.sort(null);
    return files;
  }

  static List<Path> mainJava() {
    return files().stream()
        .filter(file -> file.toString().contains("src/main/java/"))
        .filter(file -> file.toString().endsWith(".java"))
        .toList();
  }

  /** A file's text; bytes that are no text stay apart from all text. */
  static String text(Path file) {
    try {
      return Files.readString(root().resolve(file), StandardCharsets.ISO_8859_1);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
