package dev.sund.lab.agents;

import dev.sund.engine.FabricSettings;
import dev.sund.kube.manifest.FabricObject;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * Starts each agent as a process of its own in its node's network namespace, with no other
 * capabilities than an agent in a cluster has. The kernel ends it when the thread that started it
 * is gone, so that none outlives a lab that was killed: start from a thread that lives as long as
 * the lab.
 */
public final class AgentProcesses implements AgentLauncher {
  /** By which it enters pods' namespaces and writes what is in them; see docs/operations. */
  private static final String CAPABILITIES = "-all,+net_admin,+sys_admin";

  private final List<String> command;
  private final Map<String, String> environment;

  /**
   * A launcher.
   *
   * @param command what runs {@code sund}: a launcher's path, or a java command with main class
   * @param environment variables to set for it
   */
  public AgentProcesses(List<String> command, Map<String, String> environment) {
    this.command = List.copyOf(command);
    this.environment = Map.copyOf(environment);
  }

  @Override
  public Running start(Order order) throws IOException {
    Files.createDirectories(order.runDirectory());
    Files.createDirectories(order.stateDirectory());
    List<String> line = new ArrayList<>();
    line.addAll(List.of("nsenter", "--net=" + order.namespace().path()));
    line.addAll(List.of("setpriv", "--pdeathsig", "KILL", "--inh-caps", "-all"));
    line.addAll(List.of("--bounding-set", CAPABILITIES));
    line.addAll(command);
    line.addAll(List.of("agent", "--node", order.node().text()));
    line.addAll(List.of("--kubeconfig", order.kubeconfig().toString()));
    line.addAll(List.of("--run-dir", order.runDirectory().toString()));
    line.addAll(List.of("--state-dir", order.stateDirectory().toString()));
    line.addAll(List.of("--boot-id", order.boot()));
    if (!order.fabric().equals(FabricSettings.DEFAULT)) {
      Path fabric = order.directory().resolve("fabric.yaml");
      Files.writeString(fabric, FabricObject.text(order.fabric()));
      line.addAll(List.of("--fabric", fabric.toString()));
    }
    ProcessBuilder builder = new ProcessBuilder(line);
    builder.environment().putAll(environment);
    builder.redirectInput(new File("/dev/null"));
    builder.redirectErrorStream(true);
    builder.redirectOutput(ProcessBuilder.Redirect.appendTo(order.log().toFile()));
    return new Started(builder.start());
  }

  @Override
  public String describe() {
    return "one agent process for each node";
  }

  private record Started(Process process) implements Running {
    @Override
    public boolean alive() {
      return process.isAlive();
    }

    @Override
    public void kill() throws InterruptedException {
      process.destroyForcibly().waitFor();
    }

    @Override
    public void stop() throws InterruptedException {
      process.destroy();
      if (!process.waitFor(5, TimeUnit.SECONDS)) {
        kill();
      }
    }
  }
}
