package dev.sund.it.house;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What the launcher has built, as tests start it: the jars, the options and the ahead-of-time cache
 * that users have, without the shell around it. A process of it is ready in half of the time that
 * one of classes in folders takes.
 *
 * @param root the checkout
 * @param run the folder of the build in use
 */
public record BuiltSund(Path root, Path run) {
  /** The build that a run of {@code sund test} uses; none where tests are run in another way. */
  public static Optional<BuiltSund> here() throws IOException {
    Path root = Path.of(System.getProperty("sund.root", "..")).toRealPath();
    Path current = root.resolve(".sund/current");
    if (System.getProperty("sund.launcher") == null || !Files.exists(current)) {
      return Optional.empty();
    }
    Path run = current.toRealPath();
    return Files.exists(run.resolve("agent.aot")) && Files.exists(run.resolve("lab.aot"))
        ? Optional.of(new BuiltSund(root, run))
        : Optional.empty();
  }

  /**
   * A command that runs a class with an ahead-of-time cache.
   *
   * @param cache {@code agent} or {@code lab}
   * @param options the JVM's, besides those of every process of Sund
   * @param folders what else is on the class path, behind the jars
   */
  public List<String> command(
      String cache, List<String> options, List<Path> folders, String mainClass) throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("@" + root.resolve("launcher/jvm/common"));
    command.addAll(List.of("-p", run.resolve("modules").toString()));
    String path;
    try (Stream<Path> jars = Files.list(run.resolve("lib"))) {
      path =
          Stream.concat(jars.sorted(), folders.stream())
              .map(Path::toString)
              .collect(Collectors.joining(File.pathSeparator));
    }
    command.addAll(List.of("-cp", path));
    command.add("-Dsund.launcher=" + root.resolve("sund"));
    command.add("-Dsund.root=" + root);
    command.add("-Dsund.plugin=" + run.resolve("bin/sund-cni"));
    command.add("-XX:AOTCache=" + run.resolve(cache + ".aot"));
    command.addAll(options);
    command.add(mainClass);
    return command;
  }

  /** The folder of this test's own classes. */
  public static Path testClasses() {
    return Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
        .map(Path::of)
        .filter(path -> path.endsWith("it/target/test-classes"))
        .findFirst()
        .orElseThrow();
  }
}
