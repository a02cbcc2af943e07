package dev.sund.cli;

import dev.sund.agent.local.Answer;
import dev.sund.agent.local.AttachServer;
import dev.sund.agent.local.Json;
import dev.sund.agent.local.LocalClient;
import java.io.IOException;
import java.net.ConnectException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import picocli.CommandLine.Option;

/** The option {@code --run-dir}, and what commands to a running agent have in common. */
final class AgentTalk {
  @Option(
      names = "--run-dir",
      paramLabel = "DIR",
      defaultValue = "/run/sund",
      description = "Where the agent's socket agent.sock is (default: ${DEFAULT-VALUE}).")
  Path runDir = Path.of("/run/sund");

  /**
   * What the agent said.
   *
   * @param answer as it came
   * @param fields its JSON
   */
  record Said(Answer answer, Map<String, Object> fields) {}

  /** Asks the agent. */
  Said ask(Map<String, ?> request) throws IOException {
    return tryAsk(request)
        .orElseThrow(() ->
            CommandFailure.couldNotRun(
                "No agent answers at " + runDir + ".",
                "Start one (sund agent --help), or name its --run-dir."));
  }

  /** Asks the agent; empty when none runs. */
  Optional<Said> tryAsk(Map<String, ?> request) throws IOException {
    if (!Files.exists(runDir.resolve(AttachServer.SOCKET_NAME))) {
      return Optional.empty();
    }
    try {
      Answer answer = new LocalClient(runDir).ask(request);
      return Optional.of(
          new Said(answer, Json.object(answer.json().getBytes(StandardCharsets.UTF_8))));
    } catch (ConnectException _) {
      return Optional.empty(); // the socket of one that died
    } catch (Json.MalformedException e) {
      throw CommandFailure.couldNotRun(
          "The agent's answer is not JSON: " + e.getMessage() + ".",
          "Is another program listening on " + runDir + "?");
    } catch (IOException e) {
      if (String.valueOf(e.getMessage()).contains("Permission denied")) {
        throw CommandFailure.couldNotRun(
            "The agent's socket in " + runDir + " is for root only.", "Run it with sudo.");
      }
      throw e;
    }
  }
}
