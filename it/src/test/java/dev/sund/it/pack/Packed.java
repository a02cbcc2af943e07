package dev.sund.it.pack;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Makes packages as a user does, and looks into them with binutils. */
final class Packed {
  static final long MOST_BYTES = 80_000_000;

  /** The C library of the oldest systems that get it: Debian 11, Ubuntu 20.04. */
  private static final Runtime.Version OLDEST_GLIBC = Runtime.Version.parse("2.31");

  private static final Pattern NEEDED = Pattern.compile("GLIBC_([0-9.]+)");

  private Packed() {}

  /** Unpacks a tarball as {@code root/sund}. */
  static Path unpack(Path tarball, Path root) throws Exception {
    run("tar", "-xzf", tarball.toString(), "-C", root.toString());
    try (Stream<Path> made = Files.list(root)) {
      Path unpacked =
          made.filter(path -> String.valueOf(path.getFileName()).startsWith("sund-"))
              .findFirst()
              .orElseThrow();
      return Files.move(unpacked, root.resolve("sund"));
    }
  }

  /** ELF files below a folder that need a symbol of a newer C library, with its version. */
  static Map<Path, String> tooNew(Path folder) throws Exception {
    Map<Path, String> found = new TreeMap<>();
    List<Path> files = elfFiles(folder);
    for (Path file : files) {
      Matcher matcher = NEEDED.matcher(run("readelf", "--version-info", file.toString()));
      while (matcher.find()) {
        if (Runtime.Version.parse(matcher.group(1)).compareTo(OLDEST_GLIBC) > 0) {
          found.put(file, matcher.group(1));
        }
      }
    }
    assertThat(files).as("a run time and two programs of our own").hasSizeGreaterThan(10);
    return found;
  }

  /** All programs and libraries below a folder. */
  static List<Path> elfFiles(Path folder) throws IOException {
    List<Path> found = new ArrayList<>();
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        try (var in = Files.newInputStream(file)) {
          byte[] start = in.readNBytes(4);
          if (start.length == 4 && start[0] == 0x7f && start[1] == 'E' && start[2] == 'L') {
            found.add(file);
          }
        }
      }
    }
    return found;
  }

  /** Starts {@code ./sund} of the checkout in a folder; its output and errors are one stream. */
  static Process start(Path folder, String... words) throws IOException {
    List<String> command = new ArrayList<>(List.of(System.getProperty("sund.launcher")));
    command.addAll(List.of(words));
    return new ProcessBuilder(command).directory(folder.toFile()).redirectErrorStream(true).start();
  }

  /** Runs {@code ./sund}, which must succeed. What it says. */
  static String sund(Path folder, String... words) throws Exception {
    return done(start(folder, words), String.join(" ", words));
  }

  /** Runs a program, which must succeed. What it says. */
  static String run(String... command) throws Exception {
    return done(
        new ProcessBuilder(command).redirectErrorStream(true).start(), String.join(" ", command));
  }

  /** All that it says. */
  static String output(Process process) throws IOException {
    return new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
  }

  private static String done(Process process, String what) throws Exception {
    String text = output(process);
    assertThat(process.waitFor()).as("%s: %s", what, text).isZero();
    return text;
  }
}
