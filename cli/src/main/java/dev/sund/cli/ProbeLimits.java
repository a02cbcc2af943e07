package dev.sund.cli;

import dev.sund.doctor.probe.Limits;
import picocli.CommandLine.Option;

/** From where on {@code sund doctor --probe} finds a way slow or lossy. */
final class ProbeLimits {
  @Option(
      names = "--rtt-note",
      paramLabel = "MS",
      defaultValue = "2",
      description = "A median round trip from here on is a note (default: ${DEFAULT-VALUE}).")
  double rttNote = 2;

  @Option(
      names = "--rtt-warning",
      paramLabel = "MS",
      defaultValue = "5",
      description = "From here on a warning (default: ${DEFAULT-VALUE}).")
  double rttWarning = 5;

  @Option(
      names = "--rtt-error",
      paramLabel = "MS",
      defaultValue = "20",
      description = "From here on an error (default: ${DEFAULT-VALUE}).")
  double rttError = 20;

  @Option(
      names = "--jitter-warning",
      paramLabel = "MS",
      defaultValue = "3",
      description = "Mean jitter of a direction from here on is a warning (${DEFAULT-VALUE}).")
  double jitter = 3;

  @Option(
      names = "--loss-warning",
      paramLabel = "PERCENT",
      defaultValue = "1",
      description = "Loss of a direction from here on is a warning (default: ${DEFAULT-VALUE}).")
  double lossWarning = 1;

  @Option(
      names = "--loss-error",
      paramLabel = "PERCENT",
      defaultValue = "5",
      description = "From here on an error (default: ${DEFAULT-VALUE}).")
  double lossError = 5;

  /** What they say; what cannot be used is told as bad input. */
  Limits limits() {
    return new Limits(
        micros("--rtt-note", rttNote),
        micros("--rtt-warning", rttWarning),
        micros("--rtt-error", rttError),
        micros("--jitter-warning", jitter),
        thousandths("--loss-warning", lossWarning),
        thousandths("--loss-error", lossError));
  }

  private static long micros(String option, double millis) {
    if (!(millis >= 0 && millis <= 60_000)) {
      throw CommandFailure.badInput(
          option + " " + millis + " is not between 0 and 60000.", "Give milliseconds.");
    }
    return Math.round(millis * 1_000);
  }

  private static long thousandths(String option, double percent) {
    if (!(percent >= 0 && percent <= 100)) {
      throw CommandFailure.badInput(
          option + " " + percent + " is not between 0 and 100.", "Give percent.");
    }
    return Math.round(percent * 10);
  }
}
