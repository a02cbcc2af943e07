package dev.sund.cli;

import java.io.PrintWriter;
import java.io.Writer;
import java.util.List;
import java.util.Map;

/**
 * The run that the JVM watches when the launcher makes its ahead-of-time cache: it uses what a
 * start uses, so that the next start finds it loaded and linked.
 *
 * <p>{@code AotTraining cli} goes through commands that only print. {@code AotTraining agent} is
 * for the agent's cache.
 */
final class AotTraining {
  private AotTraining() {}

  /** Trains; the one argument names the cache. */
  public static void main(String[] arguments) {
    List<List<String>> commands =
        List.of(
            List.of("--help"),
            List.of("version", "-o", "json"),
            List.of("completion", "bash"),
            List.of("--no-such-option"));
    for (List<String> command : commands) {
      int exitCode =
          Sund.commandLine(Map.of())
              .setOut(new PrintWriter(Writer.nullWriter()))
              .setErr(new PrintWriter(Writer.nullWriter()))
              .execute(command.toArray(String[]::new));
      System.out.println(command + ": exit code " + exitCode);
    }
  }
}
