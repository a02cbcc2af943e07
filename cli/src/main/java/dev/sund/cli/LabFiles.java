package dev.sund.cli;

import dev.sund.lab.Lab;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Option;

/** Manifests given to a lab that stands, which is another process in another folder. */
final class LabFiles {
  @Option(
      names = {"-f", "--filename"},
      paramLabel = "FILE",
      required = true,
      description = "Manifests: files, folders, or - for standard input.")
  List<String> files = new ArrayList<>();

  /** What is done with words. */
  @FunctionalInterface
  interface Saying {
    int say(List<String> words);
  }

  /** Says the command with the files by their absolute paths. */
  int say(String command, Saying saying) {
    List<String> words = new ArrayList<>(List.of(command));
    List<Path> copies = new ArrayList<>();
    try {
      for (String file : files) {
        if (file.equals("-")) {
          Path copy = Files.createTempFile("sund-lab-standard-input-", ".yaml");
          copies.add(copy);
          Files.copy(System.in, copy, StandardCopyOption.REPLACE_EXISTING);
          words.add(Lab.STANDARD_INPUT_COPY + copy);
        } else {
          words.add(Path.of(file).toAbsolutePath().toString());
        }
      }
      return saying.say(words);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } finally {
      for (Path copy : copies) {
        copy.toFile().delete();
      }
    }
  }
}
