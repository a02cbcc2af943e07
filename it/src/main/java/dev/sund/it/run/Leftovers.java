package dev.sund.it.run;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * What tests left behind in this worker's own namespaces: named network namespaces, processes,
 * devices, nf_tables tables. The worker has them for itself, so all that is new is the tests'.
 */
final class Leftovers {
  private static final Path NAMESPACES = Path.of("/run/netns");
  private static final Duration PATIENCE = Duration.ofSeconds(10);
  private Set<String> before = Set.of();

  /** Notes what is there now. */
  void remember() throws IOException {
    if (watched()) {
      before = seen();
    }
  }

  /** What is there now and was not; waits up to ten seconds for what is just going away. */
  Set<String> found() throws IOException {
    Set<String> found = new TreeSet<>();
    if (watched()) {
      long end = System.nanoTime() + PATIENCE.toNanos();
      boolean last = false;
      while (!last) {
        last = System.nanoTime() >= end;
        found.clear();
        found.addAll(seen());
        found.removeAll(before);
        if (found.isEmpty()) {
          break;
        }
        try {
          Thread.sleep(100);
        } catch (InterruptedException e) {
          Thread.currentThread().interrupt();
          break;
        }
      }
    }
    return found;
  }

  /** Whether this process has its namespaces for itself. */
  private static boolean watched() {
    return Boolean.getBoolean("sund.test.isolated");
  }

  private static Set<String> seen() throws IOException {
    Set<String> seen = new TreeSet<>();
    if (Files.isDirectory(NAMESPACES)) {
      try (Stream<Path> entries = Files.list(NAMESPACES)) {
        entries.forEach(entry -> seen.add("network namespace " + entry.getFileName()));
      }
    }
    for (String device : Files.readAllLines(Path.of("/proc/thread-self/net/dev"))) {
      int colon = device.indexOf(':');
      if (colon > 0 && !device.substring(0, colon).isBlank()) {
        seen.add("device " + device.substring(0, colon).strip());
      }
    }
    try (Stream<Path> entries = Files.list(Path.of("/proc"))) {
      entries
          .filter(entry -> entry.getFileName().toString().matches("[0-9]+"))
          .filter(entry -> !entry.endsWith(Long.toString(ProcessHandle.current().pid())))
          .forEach(entry -> process(entry).ifPresent(seen::add));
    }
    for (String table : tables()) {
      seen.add("nf_tables " + table);
    }
    return seen;
  }

  private static java.util.Optional<String> process(Path entry) {
    try {
      String stat = Files.readString(entry.resolve("stat"), StandardCharsets.ISO_8859_1);
      boolean zombie = stat.substring(stat.lastIndexOf(')')).startsWith(") Z");
      String command =
          new String(Files.readAllBytes(entry.resolve("cmdline")), StandardCharsets.UTF_8)
              .replace('\0', ' ')
              .strip();
      return zombie || command.isEmpty() || command.startsWith("nft list tables")
          ? java.util.Optional.empty()
          : java.util.Optional.of(
              "process "
                  + entry.getFileName()
                  + " "
                  + command.substring(0, Math.min(command.length(), 200)));
    } catch (IOException gone) {
      return java.util.Optional.empty();
    }
  }

  private static List<String> tables() throws IOException {
    if (!Files.isExecutable(Path.of("/usr/sbin/nft"))) {
      return List.of();
    }
    Process nft =
        new ProcessBuilder("/usr/sbin/nft", "list", "tables").redirectErrorStream(true).start();
    try (var output = nft.inputReader(StandardCharsets.UTF_8)) {
      List<String> lines = new ArrayList<>(output.lines().toList());
      nft.waitFor(30, TimeUnit.SECONDS);
      return lines;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return List.of();
    }
  }
}
