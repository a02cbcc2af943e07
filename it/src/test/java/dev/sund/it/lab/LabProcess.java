package dev.sund.it.lab;

import dev.sund.it.house.BuiltSund;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/** {@code sund lab ...}, or another command of {@code sund}, as a process with what it printed. */
final class LabProcess implements AutoCloseable {
  private final Process process;
  private final Path out;
  private final Path err;

  private LabProcess(Process process, Path out, Path err) {
    this.process = process;
    this.out = out;
    this.err = err;
  }

  static LabProcess start(Path directory, String... arguments) throws IOException {
    return reading(new File("/dev/null"), directory, arguments);
  }

  /** As {@link #start}, with a file as its standard input. */
  static LabProcess reading(File input, Path directory, String... arguments) throws IOException {
    List<String> words = new ArrayList<>(List.of("lab"));
    words.addAll(List.of(arguments));
    return sund(input, directory, words);
  }

  /** Starts another command. */
  static LabProcess sund(Path directory, String... words) throws IOException {
    return sund(new File("/dev/null"), directory, List.of(words));
  }

  /**
   * Starts another command in a namespace that {@code ip netns} knows, with its own {@code /sys}.
   */
  static LabProcess sundIn(String namespace, Path directory, String... words) throws IOException {
    List<String> command = new ArrayList<>(List.of("ip", "netns", "exec", namespace));
    command.addAll(sundCommand());
    command.addAll(List.of(words));
    return started(new File("/dev/null"), directory, command);
  }

  private static LabProcess sund(File input, Path directory, List<String> words)
      throws IOException {
    List<String> command = new ArrayList<>(sundCommand());
    command.addAll(words);
    return started(input, directory, command);
  }

  private static LabProcess started(File input, Path directory, List<String> command)
      throws IOException {
    Path out = Files.createTempFile(directory, "out", "");
    Path err = Files.createTempFile(directory, "err", "");
    Process process =
        new ProcessBuilder(command)
            .redirectInput(input)
            .redirectOutput(out.toFile())
            .redirectError(err.toFile())
            .start();
    return new LabProcess(process, out, err);
  }

  /** The program: as users have it where that is built. */
  private static List<String> sundCommand() throws IOException {
    List<String> command = new ArrayList<>();
    Optional<BuiltSund> built = BuiltSund.here();
    if (built.isPresent()) {
      command.addAll(built.get().command("lab", List.of(), List.of(), "dev.sund.cli.Main"));
    } else {
      Path root = Path.of(System.getProperty("sund.root", "..")).toRealPath();
      command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
      command.addAll(
          List.of(
              "-XX:+UseSerialGC",
              "-XX:TieredStopAtLevel=1",
              "--enable-native-access=ALL-UNNAMED",
              "-Dsund.root=" + root,
              "-cp",
              System.getProperty("java.class.path"),
              "dev.sund.cli.Main"));
    }
    return command;
  }

  /** Runs it to its end. */
  static LabProcess run(Path directory, String... arguments) throws Exception {
    LabProcess lab = start(directory, arguments);
    lab.exitCode();
    return lab;
  }

  long id() {
    return process.pid();
  }

  int exitCode() throws InterruptedException {
    if (!process.waitFor(240, TimeUnit.SECONDS)) {
      process.destroyForcibly();
      throw new AssertionError("sund lab did not end");
    }
    return process.exitValue();
  }

  String out() throws IOException {
    return Files.readString(out);
  }

  String err() throws IOException {
    return Files.readString(err);
  }

  String lastLine() throws IOException {
    return out().strip().lines().toList().getLast();
  }

  /** Waits until it has printed this to standard error. */
  LabProcess until(String text) throws Exception {
    long deadline = System.nanoTime() + Duration.ofMinutes(3).toNanos();
    while (!err().contains(text)) {
      if (!process.isAlive() || System.nanoTime() > deadline) {
        throw new AssertionError("sund lab did not say '" + text + "':\n" + err() + out());
      }
      Thread.sleep(50);
    }
    return this;
  }

  /** As Ctrl-C does. */
  void interrupt() throws Exception {
    new ProcessBuilder("kill", "-TERM", String.valueOf(process.pid())).start().waitFor();
  }

  void kill() throws InterruptedException {
    process.destroyForcibly().waitFor();
  }

  @Override
  public void close() throws Exception {
    if (process.isAlive()) {
      interrupt();
      if (!process.waitFor(30, TimeUnit.SECONDS)) {
        kill();
      }
    }
  }

  /** What a lab with this id has left: namespaces, files, processes. */
  static List<String> leftBy(long id) throws IOException {
    List<String> left = new ArrayList<>();
    String[] names =
        new File("/run/netns").list((_, name) -> name.startsWith("sund-lab-" + id + "-"));
    left.addAll(List.of(names == null ? new String[0] : names));
    if (Files.exists(Path.of("/run/sund-lab/" + id))) {
      left.add("/run/sund-lab/" + id);
    }
    ProcessHandle.allProcesses()
        .filter(
            handle -> handle.info().commandLine().orElse("").contains("/run/sund-lab/" + id + "/"))
        .forEach(handle -> left.add("process " + handle.pid()));
    return left;
  }
}
