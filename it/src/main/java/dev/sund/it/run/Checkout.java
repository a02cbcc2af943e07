package dev.sund.it.run;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/**
 * The folders of a built checkout that the tests need.
 *
 * @param root the checkout
 */
record Checkout(Path root) {
  /** The modules, in the order of their names. */
  private List<Path> modules() throws IOException {
    try (Stream<Path> entries = Files.list(root)) {
      return entries.filter(entry -> Files.exists(entry.resolve("pom.xml"))).sorted().toList();
    }
  }

  /** The folders of compiled tests that exist. */
  List<Path> testRoots() throws IOException {
    return modules().stream()
        .map(module -> module.resolve("target/test-classes"))
        .filter(Files::isDirectory)
        .toList();
  }

  /** All modules' tests and classes, then every library that one of them needs. */
  String classPath() throws IOException {
    Set<String> path = new LinkedHashSet<>();
    testRoots().forEach(folder -> path.add(folder.toString()));
    for (Path module : modules()) {
      path.add(module.resolve("target/classes").toString());
    }
    for (Path module : modules()) {
      Path libraries = module.resolve("target/test.classpath");
      if (Files.exists(libraries)) {
        for (String library : Files.readString(libraries).strip().split(File.pathSeparator, -1)) {
          if (!library.isEmpty() && !Path.of(library).startsWith(root)) {
            path.add(library);
          }
        }
      }
    }
    return String.join(File.pathSeparator, new ArrayList<>(path));
  }

  /** Where reports go; emptied at the begin of a run. */
  Path reports() {
    return root.resolve(".sund/test");
  }
}
