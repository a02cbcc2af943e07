package dev.sund.it.agent;

import dev.sund.agent.AgentMain;
import dev.sund.agent.AgentOptions;
import dev.sund.agent.log.LogLevel;
import dev.sund.model.NodeName;
import java.nio.file.Path;
import java.util.Optional;

/** A process that is one agent: {@code KUBECONFIG NODE RUN_DIR STATE_DIR HTTP}. */
public final class AgentProcess {
  private AgentProcess() {}

  /** Runs until a signal ends it. */
  public static void main(String[] args) throws Exception {
    System.exit(
        AgentMain.run(
            new AgentOptions(
                Path.of(args[0]),
                new NodeName(args[1]),
                Path.of(args[2]),
                Path.of(args[3]),
                AgentOptions.parseHttp(args[4]),
                Optional.empty(),
                LogLevel.DEBUG),
            _ -> {}));
  }
}
