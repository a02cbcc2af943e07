package dev.sund.cli;

import dev.sund.agent.local.Answer;
import dev.sund.agent.local.Json;
import dev.sund.engine.policy.seen.Recorded;
import dev.sund.kube.policy.SeenFile;
import dev.sund.kube.tree.MalformedException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/** Where connections come from that were seen: files, or the recorder of this node's agent. */
final class SeenSource {
  /** Stands for the agent among files. */
  static final String AGENT_NAME = ":agent";

  /** The same, as a path. */
  static final Path AGENT = Path.of(AGENT_NAME);

  private SeenSource() {}

  /**
   * Reads files, and asks the agent for {@link #AGENT}.
   *
   * @throws CommandFailure naming file, line, field and value; or when nothing was recorded
   */
  static List<Recorded> read(List<Path> files, AgentTalk agent) throws IOException {
    List<Recorded> all = new ArrayList<>();
    for (Path file : files) {
      all.add(file.equals(AGENT) ? live(agent) : read(file));
    }
    return all;
  }

  private static Recorded read(Path file) throws IOException {
    try {
      return SeenFile.parse(Files.readString(file));
    } catch (MalformedException e) {
      throw CommandFailure.badInput(
          file + ":" + e.line() + ": " + e.getMessage() + ".",
          "Write from, to, protocol and port of each connection.");
    }
  }

  private static Recorded live(AgentTalk agent) throws IOException {
    Recorded recorded = SeenFile.parse(ask(agent, "show").json());
    if (recorded.windows().isEmpty()) {
      throw CommandFailure.couldNotRun(
          "The agent has recorded no connections.",
          "Start it with sund policy record start and let a day's work pass, or give --seen FILE.");
    }
    return recorded;
  }

  /** Asks the agent's recorder. */
  static Answer ask(AgentTalk agent, String verb) throws IOException {
    AgentTalk.Said said = agent.ask(Map.of("command", "RECORD", "verb", verb));
    if (said.answer().exitCode() != 0) {
      throw CommandFailure.couldNotRun(
          Json.text(said.fields(), "msg"), Json.text(said.fields(), "details"));
    }
    return said.answer();
  }

  /** In which cluster it was seen, when nobody says it. */
  static Optional<Path> kubeconfig() {
    Optional<Path> named =
        Optional.ofNullable(System.getenv("KUBECONFIG"))
            .filter(text -> !text.isEmpty())
            .map(Path::of);
    return named.or(() ->
        List.of(
                Path.of(System.getProperty("user.home"), ".kube", "config"),
                Path.of("/var/run/secrets/kubernetes.io/serviceaccount"))
            .stream()
            .filter(Files::exists)
            .findFirst());
  }

  /**
   * When somebody looked, a line each; and what was not seen.
   *
   * @param nodes those of the cluster
   */
  static List<String> notSeen(List<Recorded> all, Set<String> nodes) {
    List<String> lines = new ArrayList<>();
    Set<String> without = new TreeSet<>(nodes);
    for (Recorded one : all) {
      without.remove(one.node());
      String node = one.node().isEmpty() ? "" : "node " + one.node() + ": ";
      if (one.windows().size() > 1) {
        lines.add(
            "%snobody looked %,d times in between%s"
                .formatted(node, one.windows().size() - 1, pauses(one.windows())));
      }
      one.losses().forEach((loss, count) -> lines.add(node + loss.said(count)));
      one.notes().forEach(note -> lines.add(node + note));
    }
    boolean named = all.stream().anyMatch(one -> !one.node().isEmpty());
    if (named && !without.isEmpty()) {
      lines.add(
          "nothing of what only these nodes see, which have no recording here: "
              + String.join(", ", without));
    }
    if (named) {
      lines.add(
          "connections from before that the kernel had forgotten when recording began; a connection"
              + " counts whether or not it was answered");
    }
    return lines;
  }

  private static String pauses(List<Recorded.Window> windows) {
    Duration sum = Duration.ZERO;
    try {
      for (int i = 1; i < windows.size(); i++) {
        Instant ended = Instant.parse(windows.get(i - 1).until());
        sum = sum.plus(Duration.between(ended, Instant.parse(windows.get(i).from())));
      }
    } catch (DateTimeParseException _) {
      return "";
    }
    return sum.toSeconds() < 120
        ? ", %,d seconds in all".formatted(sum.toSeconds())
        : ", %,d minutes in all".formatted(sum.toMinutes());
  }
}
