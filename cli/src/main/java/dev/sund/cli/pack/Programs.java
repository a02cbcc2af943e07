package dev.sund.cli.pack;

import dev.sund.cli.CommandFailure;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** Runs the programs that packing takes. */
final class Programs {
  private static final int MINUTES = 5;

  private Programs() {}

  /** What {@code command} prints, both streams. */
  static String run(List<String> command) throws IOException, InterruptedException {
    return run(command, Map.of());
  }

  /**
   * As {@link #run(List)} with variables in its environment.
   *
   * @throws CommandFailure naming the program, when it cannot be started, fails, or takes longer
   *     than five minutes
   */
  static String run(List<String> command, Map<String, String> environment)
      throws IOException, InterruptedException {
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().putAll(environment);
    builder.redirectInput(new File("/dev/null")).redirectErrorStream(true);
    Process process;
    try {
      process = builder.start();
    } catch (IOException e) {
      throw CommandFailure.couldNotRun(
          command.getFirst() + " cannot be started: " + e.getMessage() + ".",
          "Install it, or see that it is on the PATH.");
    }
    Thread end = Thread.ofPlatform().daemon().start(() -> endAfterMinutes(process));
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    int code = process.waitFor();
    end.interrupt();
    if (code != 0) {
      throw CommandFailure.couldNotRun(
          String.join(" ", command) + " ended with " + code + ":\n" + output.strip(),
          "Mend what it says, and try again.");
    }
    return output;
  }

  private static void endAfterMinutes(Process process) {
    try {
      if (!process.waitFor(MINUTES, TimeUnit.MINUTES)) {
        process.destroyForcibly();
      }
    } catch (InterruptedException _) {
      // it has ended
    }
  }
}
