package dev.sund.lab.topology;

import dev.sund.kernel.NetNs;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * What a lab has outside of memory: a directory {@code /run/sund-lab/ID} for its sockets and its
 * agents' files, namespaces called {@code sund-lab-ID-...}, and processes whose command lines name
 * the directory. The directory's file {@code owner} says which process is the lab's, so that what a
 * crashed lab left can be told from a lab that stands.
 *
 * @param id the lab's id: its process id
 * @param directory its directory
 */
public record LabHome(String id, Path directory) implements AutoCloseable {
  /** Where all labs have their directories. */
  public static final Path ROOT = Path.of("/run/sund-lab");

  private static final String NAMESPACE_PREFIX = "sund-lab-";

  /** Makes the home of this process's lab. */
  public static LabHome create() throws IOException {
    String id = String.valueOf(ProcessHandle.current().pid());
    Files.createDirectories(
        ROOT, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    Path directory = ROOT.resolve(id);
    Files.createDirectories(directory);
    Files.writeString(directory.resolve("owner"), id + " " + startOf(id).orElse("?") + "\n");
    return new LabHome(id, directory);
  }

  /** What the names of this lab's namespaces begin with. */
  public String namespacePrefix() {
    return NAMESPACE_PREFIX + id + "-";
  }

  /** Where the lab takes questions from other terminals. */
  public Path controlSocket() {
    return directory.resolve("control.sock");
  }

  /** How people's programs reach the lab's API server. */
  public Path kubeconfig() {
    return directory.resolve("kubeconfig");
  }

  /** The labs that stand, by their directories. */
  public static List<LabHome> standing() throws IOException {
    return all().stream().filter(LabHome::ownerLives).toList();
  }

  /**
   * Removes what crashed labs left: their processes, namespaces and files.
   *
   * @return one line for each lab that was removed
   */
  public static List<String> sweep() throws IOException {
    List<String> swept = new ArrayList<>();
    for (LabHome home : all()) {
      if (home.ownerLives()) {
        continue;
      }
      int processes = home.endProcesses();
      int namespaces = home.deleteNamespaces();
      home.close();
      swept.add(
          "removed what lab "
              + home.id
              + " left when it ended without cleaning up: "
              + processes
              + " processes, "
              + namespaces
              + " namespaces, "
              + home.directory);
    }
    return swept;
  }

  private static List<LabHome> all() throws IOException {
    if (!Files.isDirectory(ROOT)) {
      return List.of();
    }
    try (Stream<Path> directories = Files.list(ROOT)) {
      return directories
          .map(directory -> new LabHome(String.valueOf(directory.getFileName()), directory))
          .sorted((left, right) -> left.id.compareTo(right.id))
          .toList();
    }
  }

  private boolean ownerLives() {
    try {
      String[] owner = Files.readString(directory.resolve("owner")).strip().split(" ");
      return owner.length == 2 && startOf(owner[0]).filter(owner[1]::equals).isPresent();
    } catch (IOException _) {
      return false; // no owner: a lab that crashed while it began, or was being removed
    }
  }

  /** When the process began, in ticks since boot: with the id it names a process for good. */
  private static Optional<String> startOf(String pid) {
    try {
      String stat = Files.readString(Path.of("/proc", pid, "stat"));
      String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
      return Optional.of(fields[19]);
    } catch (IOException _) {
      return Optional.empty();
    }
  }

  private int endProcesses() throws IOException {
    List<ProcessHandle> found = new ArrayList<>();
    byte[] mark = (directory + "/").getBytes(StandardCharsets.UTF_8);
    ProcessHandle.allProcesses()
        .filter(process -> process.pid() != ProcessHandle.current().pid())
        .filter(process -> names(process.pid(), mark))
        .forEach(found::add);
    for (ProcessHandle process : found) {
      process.destroyForcibly();
    }
    for (ProcessHandle process : found) {
      try {
        process.onExit().get(5, TimeUnit.SECONDS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IOException("interrupted while process " + process.pid() + " ends", e);
      } catch (java.util.concurrent.ExecutionException | java.util.concurrent.TimeoutException e) {
        throw new IOException("process " + process.pid() + " does not end", e);
      }
    }
    return found.size();
  }

  private static boolean names(long pid, byte[] mark) {
    try {
      byte[] line = Files.readAllBytes(Path.of("/proc", String.valueOf(pid), "cmdline"));
      return new String(line, StandardCharsets.ISO_8859_1)
          .contains(new String(mark, StandardCharsets.ISO_8859_1));
    } catch (IOException _) {
      return false; // it has ended meanwhile
    }
  }

  private int deleteNamespaces() throws IOException {
    if (!Files.isDirectory(NetNs.DIRECTORY)) {
      return 0;
    }
    List<Path> found;
    try (Stream<Path> files = Files.list(NetNs.DIRECTORY)) {
      found =
          files
              .filter(file -> String.valueOf(file.getFileName()).startsWith(namespacePrefix()))
              .toList();
    }
    for (Path file : found) {
      NetNs.at(file).delete();
    }
    return found.size();
  }

  /** Removes the directory; processes and namespaces are to be gone already. */
  @Override
  public void close() throws IOException {
    if (!Files.exists(directory)) {
      return;
    }
    Files.walkFileTree(
        directory,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
              throws IOException {
            Files.deleteIfExists(file);
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult postVisitDirectory(
              Path of, java.io.@org.jspecify.annotations.Nullable IOException thrown)
              throws IOException {
            Files.deleteIfExists(of);
            return FileVisitResult.CONTINUE;
          }
        });
  }
}
