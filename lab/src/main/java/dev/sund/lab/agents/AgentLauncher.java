package dev.sund.lab.agents;

import dev.sund.engine.FabricSettings;
import dev.sund.kernel.NetNs;
import dev.sund.model.NodeName;
import java.io.IOException;
import java.nio.file.Path;

/** Starts agents. */
public interface AgentLauncher {
  /**
   * What an agent is started with.
   *
   * @param node the node's name
   * @param namespace the node's network namespace
   * @param kubeconfig how it reaches the API server
   * @param fabric what is set for the fabric as a whole
   * @param directory for its run and state directories and its log
   * @param boot which boot of its machine this is
   */
  record Order(
      NodeName node,
      NetNs namespace,
      Path kubeconfig,
      FabricSettings fabric,
      Path directory,
      String boot) {
    /** Where its socket is. */
    public Path runDirectory() {
      return directory.resolve("run");
    }

    /** Where its state is. */
    public Path stateDirectory() {
      return directory.resolve("state");
    }

    /** Where it writes its log. */
    public Path log() {
      return directory.resolve("agent.log");
    }
  }

  /** An agent that was started. */
  interface Running {
    /** Whether it has not ended. */
    boolean alive();

    /** Ends it at once, without a chance to clean up, as a crash does. */
    void kill() throws InterruptedException;

    /** Ends it as a supervisor does, and waits for it. */
    void stop() throws InterruptedException;
  }

  /**
   * Starts an agent; returns before it is ready.
   *
   * @throws IOException when it cannot be started
   */
  Running start(Order order) throws IOException, InterruptedException;

  /** How agents run, for people: one line. */
  String describe();
}
