package dev.sund.cli.pack;

import dev.sund.cli.CommandFailure;
import dev.sund.cli.pack.TargetJdk.Architecture;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * Where shared libraries for a machine are found.
 *
 * @param folder which stands for that machine's {@code /}
 * @param architecture of that machine
 */
public record Sysroot(Path folder, Architecture architecture) {

  /** Where Debian's cross compilers have the libraries of a machine; here it is the root. */
  public static Sysroot installed(TargetJdk jdk) {
    return new Sysroot(
        jdk.runsHere() ? Path.of("/") : Path.of("/usr", jdk.architecture().triplet()),
        jdk.architecture());
  }

  /** Whether it is what programs of this machine run with. */
  boolean ofThisMachine() {
    return folder.equals(Path.of("/"));
  }

  /**
   * What the programs below a folder link with and do not bring along: where it belongs on their
   * machine, and where it is here.
   *
   * @throws CommandFailure when a library is not here, or lacks a version of symbols that is needed
   */
  Map<Path, Path> libraries(Path programs) throws IOException {
    Map<Path, Path> found = new TreeMap<>();
    Set<String> seen = new HashSet<>();
    Map<String, Elf> opened = new HashMap<>();
    Deque<Map.Entry<Path, Elf>> left = new ArrayDeque<>();
    Elf.below(programs)
        .forEach((path, elf) -> {
          seen.add(String.valueOf(path.getFileName()));
          left.add(Map.entry(path, elf));
        });
    while (!left.isEmpty()) {
      Map.Entry<Path, Elf> next = left.remove();
      for (String name : next.getValue().needed()) {
        if (seen.add(name)) {
          Path here = find(name).orElseThrow(() -> missing(name, next.getKey()));
          Elf elf = Elf.read(here).orElseThrow(() -> missing(name, next.getKey()));
          found.put(place(name), here);
          opened.put(name, elf);
          left.add(Map.entry(here, elf));
        }
      }
      next.getValue()
          .versions()
          .forEach((name, versions) -> requireVersions(next.getKey(), name, versions, opened));
    }
    String linker = String.valueOf(linker().getFileName());
    found.put(linker(), find(linker).orElseThrow(() -> missing(linker, programs)));
    return found;
  }

  private void requireVersions(
      Path user, String name, Set<String> versions, Map<String, Elf> opened) {
    Elf library = opened.get(name);
    for (String version : versions) {
      if (library != null && !library.defined().contains(version)) {
        throw CommandFailure.couldNotRun(
            "%s needs %s of %s, and %s has none."
                .formatted(user.getFileName(), version, name, find(name).orElseThrow()),
            "Give a JDK that was built for older systems, such as Temurin's, or name the root of a"
                + " newer system by --sysroot.");
      }
    }
  }

  private CommandFailure missing(String name, Path user) {
    return CommandFailure.couldNotRun(
        "%s needs the library %s, and it is not below %s."
            .formatted(user.getFileName(), name, folder),
        "Install the Debian package libc6-%s-cross, or name the root of a system for %s that has it"
                .formatted(architecture.label(), architecture.label())
            + " by --sysroot.");
  }

  private Optional<Path> find(String name) {
    String triplet = architecture.triplet();
    return List.of("lib/" + triplet, "usr/lib/" + triplet, "lib64", "usr/lib64", "lib", "usr/lib")
        .stream()
        .map(part -> folder.resolve(part).resolve(name))
        .filter(Files::isRegularFile)
        .findFirst();
  }

  /** The dynamic linker: a program's file names it by this path. */
  private Path linker() {
    return switch (architecture) {
      case AMD64 -> Path.of("/lib64/ld-linux-x86-64.so.2");
      case ARM64 -> Path.of("/lib/ld-linux-aarch64.so.1");
    };
  }

  private Path place(String name) {
    Path linker = linker();
    return name.equals(String.valueOf(linker.getFileName()))
        ? linker
        : Path.of("/lib", architecture.triplet(), name);
  }
}
