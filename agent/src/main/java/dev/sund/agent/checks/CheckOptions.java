package dev.sund.agent.checks;

import java.nio.file.Path;
import java.time.Duration;

/**
 * How the doctor's checks run in the agent.
 *
 * @param period from one run to the next; zero for none
 * @param hostRoot where the node's file systems are
 */
public record CheckOptions(Duration period, Path hostRoot) {
  /** As often as usual. */
  public static final Duration DEFAULT_PERIOD = Duration.ofMinutes(1);

  /** As usual, on a node whose files are where this process sees them. */
  public static final CheckOptions DEFAULT = new CheckOptions(DEFAULT_PERIOD, Path.of("/"));

  /** No check ever runs. */
  public static final CheckOptions OFF = new CheckOptions(Duration.ZERO, Path.of("/"));

  public CheckOptions {
    if (period.isNegative() || period.compareTo(Duration.ofDays(1)) > 0) {
      throw new IllegalArgumentException(
          "a period of " + period.toSeconds() + " s is not between 0 (never) and a day");
    }
  }

  /** Whether checks run. */
  public boolean on() {
    return !period.isZero();
  }
}
