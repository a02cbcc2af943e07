package dev.sund.cli;

import java.io.PrintWriter;
import java.io.Writer;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * The run that the JVM watches when the launcher makes its ahead-of-time cache: it uses what a
 * start uses, so that the next start finds it loaded and linked.
 *
 * <p>{@code AotTraining cli} goes through commands that only print and compute. {@code AotTraining
 * lab}, as root and in namespaces of its own, also stands an agent up with all around it, as a lab
 * does. {@code AotTraining agent FILE} is not watched itself: it has an agent watched that runs as
 * on a node, in a process of its own that loads nothing else, and makes FILE.
 */
final class AotTraining {
  private AotTraining() {}

  /** Trains; the one argument names the cache. A step that fails is said and left out. */
  public static void main(String[] arguments) {
    try {
      switch (arguments[0]) {
        case "agent" -> agent(Path.of(arguments[1]));
        case "lab" -> {
          commands();
          lab();
        }
        default -> commands();
      }
    } catch (Exception e) {
      e.printStackTrace(System.out);
    }
    System.exit(0); // also ends the agent, which waits for the end of the process
  }

  private static void commands() {
    String shop = System.getProperty("sund.root") + "/examples/shop";
    List<List<String>> commands =
        List.of(
            List.of("--help"),
            List.of("version", "-o", "json"),
            List.of("completion", "bash"),
            List.of("--no-such-option"),
            List.of("trace", "-f", shop, "node/n1", "10.244.3.7:80"),
            List.of("trace", "-f", shop, "node/n1", "10.244.3.7:80", "-o", "json"),
            // Reads what this machine is, and changes nothing.
            List.of("doctor", "--window", "0", "--all"));
    for (List<String> command : commands) {
      System.out.println(command + ": exit code " + execute(command));
    }
  }

  private static void lab() throws Exception {
    try (AgentTraining training = new AgentTraining()) {
      training.runHere();
    }
  }

  private static void agent(Path cache) throws Exception {
    try (AgentTraining training = new AgentTraining()) {
      training.runWatched(cache);
    }
  }

  /** Runs one command line with its output thrown away. */
  static int execute(List<String> command) {
    return Sund.commandLine(Map.of(), command.toArray(String[]::new))
        .setOut(new PrintWriter(Writer.nullWriter()))
        .setErr(new PrintWriter(Writer.nullWriter()))
        .execute(command.toArray(String[]::new));
  }
}
