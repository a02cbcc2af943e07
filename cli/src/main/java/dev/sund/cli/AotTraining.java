package dev.sund.cli;

import java.io.PrintWriter;
import java.io.Writer;
import java.util.List;
import java.util.Map;

/**
 * The run that the JVM watches when the launcher makes its ahead-of-time cache: it uses what a
 * start uses, so that the next start finds it loaded and linked.
 *
 * <p>{@code AotTraining cli} goes through commands that only print and compute. {@code AotTraining
 * agent}, as root and in namespaces of its own, also stands an agent up with all around it.
 */
final class AotTraining {
  private AotTraining() {}

  /** Trains; the one argument names the cache. A step that fails is said and left out. */
  public static void main(String[] arguments) {
    String shop = System.getProperty("sund.root") + "/examples/shop";
    List<List<String>> commands =
        List.of(
            List.of("--help"),
            List.of("version", "-o", "json"),
            List.of("completion", "bash"),
            List.of("--no-such-option"),
            List.of("trace", "-f", shop, "node/n1", "10.244.3.7:80"),
            List.of("trace", "-f", shop, "node/n1", "10.244.3.7:80", "-o", "json"));
    for (List<String> command : commands) {
      System.out.println(command + ": exit code " + execute(command));
    }
    if (arguments[0].equals("agent")) {
      try (AgentTraining training = new AgentTraining()) {
        training.run();
      } catch (Exception e) {
        e.printStackTrace(System.out);
      }
    }
    System.exit(0); // also ends the agent, which waits for the end of the process
  }

  /** Runs one command line with its output thrown away. */
  static int execute(List<String> command) {
    return Sund.commandLine(Map.of())
        .setOut(new PrintWriter(Writer.nullWriter()))
        .setErr(new PrintWriter(Writer.nullWriter()))
        .execute(command.toArray(String[]::new));
  }
}
