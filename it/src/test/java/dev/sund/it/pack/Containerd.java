package dev.sund.it.pack;

import dev.sund.kernel.NetNs;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A containerd of a test's own, all of it in one folder. One thread at a time. */
final class Containerd implements AutoCloseable {
  private final Path folder;
  private final Process daemon;

  private Containerd(Path folder, Process daemon) {
    this.folder = folder;
    this.daemon = daemon;
  }

  /**
   * Starts one and waits until it answers.
   *
   * @param namespace where containers are that share the host's network
   */
  static Containerd start(Path folder, NetNs namespace) throws Exception {
    Files.createDirectories(folder);
    Path config =
        Files.writeString(
            folder.resolve("config.toml"),
            """
            version = 2
            root = "%s/root"
            state = "%s/state"
            disabled_plugins = ["io.containerd.grpc.v1.cri"]
            [grpc]
            address = "%s/socket"
            """
                .formatted(folder, folder, folder));
    Process daemon =
        new ProcessBuilder(
                "nsenter", "--net=" + namespace.path(), "containerd", "--config", config.toString())
            .redirectErrorStream(true)
            .redirectOutput(folder.resolve("log").toFile())
            .start();
    Containerd containerd = new Containerd(folder, daemon);
    for (int i = 0; i < 600 && !containerd.answers(); i++) {
      TimeUnit.MILLISECONDS.sleep(100);
    }
    return containerd;
  }

  private boolean answers() throws Exception {
    return execute(command("version")).waitFor() == 0;
  }

  /** A command line of {@code ctr}. */
  List<String> command(String... words) {
    List<String> command =
        new ArrayList<>(List.of("ctr", "--address", folder.resolve("socket").toString()));
    command.addAll(List.of(words));
    return command;
  }

  /** What {@code ctr} prints. */
  String run(String... words) throws Exception {
    Process process = execute(command(words));
    String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (process.waitFor() != 0) {
      throw new AssertionError(String.join(" ", words) + ": " + text + log());
    }
    return text;
  }

  /** Kills what runs in a container, if it is there. */
  void kill(String container) throws Exception {
    execute(command("task", "kill", "--signal", "SIGKILL", container)).waitFor();
  }

  private static Process execute(List<String> command) throws IOException {
    return new ProcessBuilder(command).redirectErrorStream(true).start();
  }

  String log() throws IOException {
    return Files.readString(folder.resolve("log"));
  }

  @Override
  public void close() throws Exception {
    daemon.destroy();
    if (!daemon.waitFor(10, TimeUnit.SECONDS)) {
      daemon.destroyForcibly().waitFor();
    }
  }
}
