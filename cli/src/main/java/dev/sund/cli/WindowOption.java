package dev.sund.cli;

import java.time.Duration;
import picocli.CommandLine.Option;

/** {@code --window}: how long the doctor's checks watch what changes. */
final class WindowOption {
  private static final int MOST = 600;

  @Option(
      names = "--window",
      paramLabel = "SECONDS",
      defaultValue = "1",
      description = "How long counters are watched (default: ${DEFAULT-VALUE}; at most 600).")
  int seconds = 1;

  /** Its length; what cannot be used is told as bad input. */
  Duration length() {
    if (seconds < 0 || seconds > MOST) {
      throw CommandFailure.badInput(
          "--window " + seconds + " is not between 0 and " + MOST + ".", "Give seconds.");
    }
    return Duration.ofSeconds(seconds);
  }
}
