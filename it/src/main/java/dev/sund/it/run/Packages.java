package dev.sund.it.run;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * Debian packages that only some tests need (a container runtime, an emulator). They are installed
 * by the runner itself, outside of the workers, which have no network; what every run needs is the
 * launcher's business. Used by one thread.
 */
final class Packages {
  private static final List<Path> FOLDERS =
      List.of(
          Path.of("/usr/sbin"),
          Path.of("/usr/bin"),
          Path.of("/sbin"),
          Path.of("/bin"),
          Path.of("/usr/lib/cni"));
  private static final int MINUTES = 10;

  private final Path log;
  private final PrintWriter out;
  private final List<String> missing = new ArrayList<>();
  private final List<String> reasons = new ArrayList<>();

  /**
   * Prepares for a set of packages.
   *
   * @param log where all that apt prints goes
   * @param out told what is installed and why
   */
  Packages(Path log, PrintWriter out) {
    this.log = log;
    this.out = out;
  }

  /** Adds a package unless its program is there already. */
  Packages need(String program, String packageName, String why) {
    boolean there = FOLDERS.stream().anyMatch(folder -> Files.exists(folder.resolve(program)));
    if (!there && !missing.contains(packageName)) {
      missing.add(packageName);
      reasons.add(packageName + " (" + why + ")");
    }
    return this;
  }

  /** Installs what is missing; why that could not be done, or nothing. */
  Optional<String> install() throws IOException, InterruptedException {
    if (missing.isEmpty()) {
      return Optional.empty();
    }
    String wanted = String.join(" ", missing);
    if (!Files.isExecutable(Path.of("/usr/bin/apt-get"))) {
      return Optional.of("these packages are missing and there is no apt-get: " + wanted);
    }
    out.println("installing Debian packages: " + String.join(", ", reasons));
    out.flush();
    List<String> install = new ArrayList<>(List.of("install"));
    install.addAll(missing);
    if (!aptGet(Path.of("/"), install)
        && !(aptGet(Path.of("/"), List.of("update")) && aptGet(Path.of("/"), install))) {
      return Optional.of(
          "apt-get could not install " + wanted + " (all of its output: " + log + ")");
    }
    missing.clear();
    reasons.clear();
    return Optional.empty();
  }

  /**
   * Unpacks packages into a folder, once, without installing them: for a program that may stand in
   * the way of another of the same name, and for a service that installing would start.
   *
   * @return why that could not be done, or nothing
   */
  Optional<String> unpack(List<String> names, Path folder, String why)
      throws IOException, InterruptedException {
    if (Files.exists(folder)) {
      return Optional.empty();
    }
    out.println("unpacking Debian packages, once (" + why + "): " + String.join(", ", names));
    out.flush();
    Files.createDirectories(folder.getParent());
    Path fetched = Files.createTempDirectory(folder.getParent(), "fetched");
    List<String> download = new ArrayList<>(List.of("download"));
    download.addAll(names);
    try {
      if (!aptGet(fetched, download)
          && !(aptGet(fetched, List.of("update")) && aptGet(fetched, download))) {
        return Optional.of("apt-get could not download " + names + " (see " + log + ")");
      }
      return unpackAll(fetched, fetched.resolve("unpacked"), folder);
    } finally {
      delete(fetched);
    }
  }

  /**
   * Unpacks packages of another release, for another kind of machine, into one folder, once. The
   * machine's own apt does it with lists of its own and learns nothing of it.
   *
   * @return why that could not be done, or nothing
   */
  Optional<String> unpackOther(
      String release, String architecture, List<String> names, Path folder, String why)
      throws IOException, InterruptedException {
    if (Files.exists(folder)) {
      return Optional.empty();
    }
    out.println(
        "unpacking Debian packages of "
            + release
            + " for "
            + architecture
            + ", once ("
            + why
            + "): "
            + String.join(", ", names));
    out.flush();
    Files.createDirectories(folder.getParent());
    Path work = Files.createTempDirectory(folder.getParent(), "fetched");
    try {
      Path fetched = Files.createDirectory(work.resolve("fetched"));
      Files.createDirectories(work.resolve("state/lists/partial"));
      Files.createDirectories(work.resolve("cache/archives/partial"));
      Path sources =
          Files.writeString(
              work.resolve("sources.list"),
              "deb [arch=%s signed-by=%s] http://deb.debian.org/debian %s main%n"
                  .formatted(
                      architecture, "/usr/share/keyrings/debian-archive-keyring.gpg", release));
      List<String> options = new ArrayList<>();
      for (String option :
          List.of(
              "Dir::State=" + work.resolve("state"),
              "Dir::State::status=/dev/null",
              "Dir::Cache=" + work.resolve("cache"),
              "Dir::Etc::sourcelist=" + sources,
              "Dir::Etc::sourceparts=-",
              "APT::Architecture=" + architecture,
              "APT::Architectures::=" + architecture,
              "Acquire::Languages=none")) {
        options.add("-o");
        options.add(option);
      }
      List<String> update = new ArrayList<>(options);
      update.add("update");
      List<String> download = new ArrayList<>(options);
      download.add("download");
      download.addAll(names);
      if (!aptGet(fetched, update) || !aptGet(fetched, download)) {
        return Optional.of("apt-get could not download " + names + " (see " + log + ")");
      }
      return unpackAll(fetched, work.resolve("unpacked"), folder);
    } finally {
      delete(work);
    }
  }

  /**
   * Unpacks the packages of one folder into another, which becomes {@code folder} once it is whole;
   * why that could not be done, or nothing.
   */
  private Optional<String> unpackAll(Path packages, Path into, Path folder)
      throws IOException, InterruptedException {
    List<Path> archives;
    try (Stream<Path> files = Files.list(packages)) {
      archives = files.filter(file -> file.toString().endsWith(".deb")).sorted().toList();
    }
    for (Path archive : archives) {
      Process process =
          new ProcessBuilder("dpkg-deb", "-x", archive.toString(), into.toString())
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
              .start();
      if (process.waitFor() != 0) {
        return Optional.of("dpkg-deb could not unpack " + archive + " (see " + log + ")");
      }
    }
    Files.move(into, folder);
    return Optional.empty();
  }

  private static void delete(Path folder) throws IOException {
    try (Stream<Path> rest = Files.walk(folder)) {
      for (Path file : rest.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }

  /** Runs apt-get in a folder; waits for another apt to end. Whether it succeeded. */
  boolean aptGet(Path folder, List<String> arguments) throws IOException, InterruptedException {
    List<String> command =
        new ArrayList<>(
            List.of(
                "apt-get",
                "-y",
                "-q",
                "-o",
                "DPkg::Lock::Timeout=300",
                "-o",
                "Acquire::Retries=3",
                "--no-install-recommends"));
    command.addAll(arguments);
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .directory(folder.toFile())
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
            .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()));
    builder.environment().put("DEBIAN_FRONTEND", "noninteractive");
    Process process = builder.start();
    if (!process.waitFor(MINUTES, TimeUnit.MINUTES)) {
      process.destroyForcibly();
      return false;
    }
    return process.exitValue() == 0;
  }
}
