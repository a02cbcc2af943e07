package dev.sund.cli;

import dev.sund.agent.local.Answer;
import dev.sund.agent.local.AttachServer;
import dev.sund.agent.local.Json;
import dev.sund.agent.local.LocalClient;
import java.io.IOException;
import java.io.PrintWriter;
import java.net.ConnectException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code sund status}: what the agent of this node says of itself. */
@Command(
    name = "status",
    header = "Print what this node's agent enforces, what drifted, and its conditions.",
    footer = {"  sudo sund status", "  sudo sund status --run-dir /run/sund -o json"})
public final class StatusCommand implements Callable<Integer> {
  @Option(
      names = "--run-dir",
      paramLabel = "DIR",
      defaultValue = "/run/sund",
      description = "Where the agent's socket is (default: ${DEFAULT-VALUE}).")
  Path runDir = Path.of("/run/sund");

  @Mixin OutputFormat output = new OutputFormat();

  @Spec CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() throws IOException {
    Answer answer = ask();
    PrintWriter out = spec.commandLine().getOut();
    Map<String, Object> status;
    try {
      status = Json.object(answer.json().getBytes(StandardCharsets.UTF_8));
    } catch (Json.MalformedException e) {
      throw CommandFailure.couldNotRun(
          "The agent's answer is not JSON: " + e.getMessage() + ".",
          "Is another program listening on " + runDir + "?");
    }
    if (output.json()) {
      out.println(answer.json());
    } else {
      print(out, status);
    }
    out.flush();
    boolean well = Boolean.TRUE.equals(status.get("ready")) && list(status, "conditions").isEmpty();
    return well ? ExitCode.OK : ExitCode.DIFFERS;
  }

  private Answer ask() throws IOException {
    if (!Files.exists(runDir.resolve(AttachServer.SOCKET_NAME))) {
      throw noAgent();
    }
    try {
      return new LocalClient(runDir).ask(Map.of("command", "STATUS"));
    } catch (ConnectException refused) {
      throw noAgent(); // the socket of one that died
    }
  }

  private CommandFailure noAgent() {
    return CommandFailure.couldNotRun(
        "No agent answers at " + runDir + ".",
        "Start one (sund agent --help), or name its --run-dir.");
  }

  private static void print(PrintWriter out, Map<String, Object> status) {
    List<Map<?, ?>> pods = list(status, "attachments");
    List<Map<?, ?>> conditions = list(status, "conditions");
    boolean ready = Boolean.TRUE.equals(status.get("ready"));
    out.printf(
        "node %s: %s, %d pods, %s changes pending%n",
        status.get("node"), ready ? "ready" : "not ready", pods.size(), status.get("pending"));
    if (!ready) {
      list(status, "notReady", String.class).forEach(why -> out.println("  not ready: " + why));
    }
    pods.forEach(pod ->
        out.printf("  %s  %s  %s%n", pod.get("device"), pod.get("pod"), pod.get("addresses")));
    for (Map<?, ?> condition : conditions) {
      Map<?, ?> object = condition.get("object") instanceof Map<?, ?> map ? map : Map.of();
      out.printf(
          "%s: %s %s: %s %s [%s]%n",
          condition.get("severity"),
          object.get("kind"),
          object.get("name"),
          condition.get("text"),
          condition.get("remedy"),
          condition.get("reason"));
    }
  }

  private static List<Map<?, ?>> list(Map<String, Object> status, String field) {
    List<Map<?, ?>> maps = new ArrayList<>();
    list(status, field, Map.class).forEach(maps::add);
    return maps;
  }

  private static <T> List<T> list(Map<String, Object> status, String field, Class<T> type) {
    return status.get(field) instanceof List<?> list
        ? list.stream().filter(type::isInstance).map(type::cast).toList()
        : List.of();
  }
}
