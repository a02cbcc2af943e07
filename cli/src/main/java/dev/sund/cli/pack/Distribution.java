package dev.sund.cli.pack;

import dev.sund.cli.CommandFailure;
import dev.sund.cli.pack.TargetJdk.Architecture;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.module.ModuleDescriptor.Version;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * A folder that runs Sund on a machine with nothing but a C library, or without even a shell: its
 * own Java run time, the jars, a static launcher, the CNI plugin.
 *
 * @param checkout the sources
 * @param build the folder of the checkout's build, with {@code lib} and {@code modules}
 * @param jdk whose run time goes in
 * @param version of Sund
 */
public record Distribution(Path checkout, Path build, TargetJdk jdk, String version) {
  /** The C library that a package promises to do with. */
  private static final Version GLIBC = Version.parse("2.31");

  /** What people find beside the program. */
  private static final List<String> DOCUMENTS =
      List.of("deploy", "docs", "examples", "LICENSE", "README.md");

  /** The folder's name, such as {@code sund-0.1.0-linux-amd64}. */
  public String name() {
    return "sund-" + version + "-linux-" + jdk.architecture().label();
  }

  /**
   * Makes the folder.
   *
   * @param parent where; it must exist
   * @param progress told what is being done, a few words each
   * @return {@code parent/}{@link #name}
   * @throws CommandFailure when a program that this takes is missing or fails
   */
  public Path stage(Path parent, Consumer<String> progress)
      throws IOException, InterruptedException {
    Path folder = Files.createDirectory(parent.resolve(name()));
    copy(build.resolve("lib"), folder.resolve("lib"));
    copy(checkout.resolve("launcher/jvm"), folder.resolve("jvm"));
    for (String document : DOCUMENTS) {
      copy(checkout.resolve(document), folder.resolve(document));
    }
    progress.accept("compiling the launcher and the CNI plugin");
    Files.createDirectory(folder.resolve("bin"));
    compile("launcher/build.sh", folder.resolve("bin/sund"));
    compile("cni/build.sh", folder.resolve("bin/sund-cni"));
    progress.accept("linking the Java run time");
    Path modules = build.resolve("modules");
    Path runtime = folder.resolve("runtime");
    jdk.link(modules, neededModules(folder.resolve("lib"), modules), runtime);
    tellNewGlibc(runtime, progress);
    wholeSeconds(folder);
    if (jdk.runsHere()) {
      progress.accept("making ahead-of-time caches");
      train(folder, "cli", List.of());
      if ("root".equals(System.getProperty("user.name"))) {
        train(folder, "agent", OWN_NAMESPACES);
      }
      wholeSeconds(folder);
    }
    return folder;
  }

  /** A run time that needs more than is promised is packed all the same, and that is said. */
  private static void tellNewGlibc(Path runtime, Consumer<String> progress) throws IOException {
    Version newest = GLIBC;
    Path asking = runtime;
    for (Map.Entry<Path, Elf> file : Elf.below(runtime).entrySet()) {
      Optional<Version> wanted = file.getValue().glibc();
      if (wanted.isPresent() && wanted.get().compareTo(newest) > 0) {
        newest = wanted.get();
        asking = file.getKey();
      }
    }
    if (!newest.equals(GLIBC)) {
      progress.accept(
          ("%s of this JDK needs glibc %s, so the package does too; a JDK built for older systems,"
                  + " such as Temurin's, makes one that needs %s")
              .formatted(runtime.relativize(asking), newest, GLIBC));
    }
  }

  /** What is made there cannot touch the machine and ends with it. */
  private static final List<String> OWN_NAMESPACES =
      List.of(
          "unshare",
          "--mount",
          "--net",
          "--pid",
          "--fork",
          "--mount-proc",
          "--kill-child",
          "sh",
          "-c",
          "mkdir -p /run/netns && mount -t tmpfs -o mode=755 sund /run/netns && ip link set lo up"
              + " && \"$@\"",
          "sund");

  private static void train(Path folder, String cache, List<String> inside)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(inside);
    Path made = folder.resolve(cache + ".aot");
    command.addAll(List.of(folder.resolve("bin/sund").toString(), cache, made.toString()));
    Programs.run(command, Map.of("SUND_TRAIN", cache));
    if (!Files.isRegularFile(made)) {
      throw CommandFailure.couldNotRun(
          "The JVM made no " + made.getFileName() + ".", "See that there is room on the disk.");
    }
  }

  private void compile(String script, Path output) throws IOException, InterruptedException {
    Architecture architecture = jdk.architecture();
    // The scripts know which compiler of this machine is best; those of others go by their name.
    Programs.run(
        List.of(checkout.resolve(script).toString(), output.toString()),
        jdk.runsHere() ? Map.of() : Map.of("CC", architecture.triplet() + "-gcc"));
  }

  /**
   * Our own modules, and those of the JDK that Sund and its libraries use, by what is compiled into
   * them. Ours go into the run time: an ahead-of-time cache moves with its class path, but not with
   * a module path.
   */
  private static String neededModules(Path lib, Path modules)
      throws IOException, InterruptedException {
    List<String> jars = new ArrayList<>();
    for (Path part : List.of(lib, modules)) {
      try (Stream<Path> files = Files.list(part)) {
        files.map(Path::toString).sorted().forEach(jars::add);
      }
    }
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "jdeps").toString());
    command.addAll(
        List.of(
            "--multi-release", String.valueOf(Runtime.version().feature()),
            "--ignore-missing-deps", "--print-module-deps",
            "--module-path", modules.toString(),
            "--class-path", String.join(":", jars)));
    command.addAll(jars);
    List<String> lines = Programs.run(command).lines().toList();
    String needed = lines.isEmpty() ? "" : lines.getLast();
    if (!needed.startsWith("java.base")) {
      throw CommandFailure.couldNotRun(
          "jdeps names no modules: " + String.join("\n", lines), "Build anew, and try again.");
    }
    return needed + ",dev.sund.kernel";
  }

  /** An archive keeps whole seconds, and a cache knows its jars by their times. */
  private static void wholeSeconds(Path folder) throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        long seconds = Files.getLastModifiedTime(file).to(TimeUnit.SECONDS);
        Files.setLastModifiedTime(file, FileTime.from(seconds, TimeUnit.SECONDS));
      }
    }
  }

  /** Copies a file, or a folder with all that is in it. */
  static void copy(Path from, Path to) throws IOException {
    try (Stream<Path> files = Files.walk(from)) {
      files.forEach(file -> {
        try {
          Files.copy(file, to.resolve(from.relativize(file)), StandardCopyOption.COPY_ATTRIBUTES);
        } catch (IOException e) {
          throw new UncheckedIOException(e);
        }
      });
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
  }

  /**
   * Packs a folder as {@code .tar.gz}; the names in it begin with the folder's own.
   *
   * @param output replaced when it exists
   */
  public static void pack(Path folder, Path output) throws IOException, InterruptedException {
    Path parent = folder.toAbsolutePath().getParent();
    Programs.run(
        List.of(
            "tar",
            "--sort=name",
            "--owner=0",
            "--group=0",
            "--numeric-owner",
            "--gzip",
            "--create",
            "--file",
            output.toAbsolutePath().toString(),
            "--directory",
            String.valueOf(parent),
            String.valueOf(folder.getFileName())));
  }
}
