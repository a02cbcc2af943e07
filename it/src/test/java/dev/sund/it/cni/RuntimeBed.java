package dev.sund.it.cni;

import dev.sund.it.agent.AgentScene;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A node with an agent, the plugin and its conflist, on which a container runtime is started. All
 * that the runtime writes is in the bed's own folder; closing ends what was started.
 */
final class RuntimeBed implements AutoCloseable {
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private final Path folder;
  private final AgentScene scene;
  private final List<Process> daemons = new ArrayList<>();

  /** How a program ended. */
  record Ended(int exitCode, String output) {}

  /**
   * A bed with a conflist.
   *
   * @param folder an empty one
   * @param conflist what the runtime reads
   * @param plugins other names under which the plugin is installed
   */
  RuntimeBed(Path folder, String conflist, String... plugins) throws Exception {
    this.folder = folder;
    this.scene = AgentScene.build(folder);
    // podman's clean-up has none of the caller's environment: the agent's place is built in.
    Path plugin = Shim.build(bin().resolve("sund-cni"), "-DRUN_DIR=\"" + scene.runDir(1) + "\"");
    for (String name : plugins) {
      Files.createSymbolicLink(bin().resolve(name), plugin);
    }
    Files.createDirectories(conf());
    Files.writeString(conf().resolve("10-sund.conflist"), conflist);
    // The runtimes bring the sandbox's lo up by the reference plugin, as on any node.
    Files.createSymbolicLink(bin().resolve("loopback"), Path.of("/usr/lib/cni/loopback"));
    scene.startAgent(1);
    scene.awaitReady(1, PATIENCE);
  }

  AgentScene scene() {
    return scene;
  }

  Path bin() {
    return folder.resolve("cni-bin");
  }

  Path conf() {
    return folder.resolve("cni-conf");
  }

  Path folder() {
    return folder;
  }

  /** Whether the machine has this program. */
  static boolean has(String program) {
    return List.of("/usr/bin/", "/usr/sbin/", "/bin/", "/sbin/").stream()
        .anyMatch(place -> Files.isExecutable(Path.of(place + program)));
  }

  /** A program on the node; its plugins find the node's agent. */
  ProcessBuilder onNode(List<String> command) {
    List<String> all = new ArrayList<>();
    all.add("nsenter");
    all.add("--net=" + scene.node(1).path());
    all.addAll(command);
    ProcessBuilder builder = new ProcessBuilder(all).redirectErrorStream(true);
    builder.environment().put("SUND_RUN_DIR", scene.runDir(1).toString());
    return builder;
  }

  /** Starts a program that runs until the bed is closed; it writes to a file of this name. */
  Path daemon(String name, List<String> command) throws IOException {
    Path log = folder.resolve(name + ".log");
    daemons.add(onNode(command).redirectOutput(log.toFile()).start());
    return log;
  }

  /** Runs a program on the node to its end, 60 seconds at most. */
  Ended run(ProcessBuilder builder) throws IOException, InterruptedException {
    Process process = builder.start();
    process.getOutputStream().close();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (!process.waitFor(60, TimeUnit.SECONDS)) {
      process.destroyForcibly();
      throw new IOException(builder.command() + " did not end: " + output);
    }
    return new Ended(process.exitValue(), output);
  }

  /** Runs {@code sund} to its end, beside the node and not in it. */
  Ended sund(String... arguments) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("sund.root")).resolve("sund").toString());
    command.addAll(List.of(arguments));
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().put("SUND_BUILD", "never");
    return run(builder);
  }

  /** What stands on the node of pods' links; empty when no pod is left. */
  String links() throws Exception {
    return scene
        .run(scene.node(1), "ip", "-o", "link", "show", "type", "veth")
        .lines()
        .filter(line -> !line.contains(" eth0@"))
        .reduce("", (all, line) -> all + line + "\n");
  }

  @Override
  public void close() throws Exception {
    for (Process daemon : daemons) {
      daemon.descendants().forEach(ProcessHandle::destroyForcibly);
      daemon.destroy();
      if (!daemon.waitFor(5, TimeUnit.SECONDS)) {
        daemon.destroyForcibly().waitFor();
      }
    }
    scene.close();
    unmount();
  }

  /** Containers that did not end in order leave mounts behind. */
  private void unmount() throws IOException, InterruptedException {
    List<String> mounts =
        Files.readAllLines(Path.of("/proc/self/mounts")).stream()
            .map(line -> line.split(" ")[1])
            .filter(place -> place.startsWith(folder + "/"))
            .toList();
    for (String place : mounts.reversed()) {
      new ProcessBuilder("umount", "-l", place).start().waitFor();
    }
  }
}
