package dev.sund.doctor.check;

import dev.sund.doctor.Counters;
import dev.sund.doctor.Severity;
import java.util.Optional;

/**
 * Counters at the two ends of the window.
 *
 * @param before at its beginning
 * @param now at its end
 * @param seconds between the two
 * @param uptime of the machine, in seconds
 */
record Sampled(Counters before, Counters now, double seconds, double uptime) {
  /** By how much a counter grew. */
  long grew(String name) {
    return now.since(before, name);
  }

  /** How often an hour it counted since the machine started. */
  double hourly(String name) {
    return now.get(name) / Math.max(uptime / 3_600, 1.0 / 60);
  }

  /**
   * How bad losses of this kind are: an error when there were some in the window, a warning when
   * there are that many an hour.
   */
  Optional<Severity> severity(String name, double often) {
    if (grew(name) > 0) {
      return Optional.of(Severity.ERROR);
    }
    return hourly(name) >= often ? Optional.of(Severity.WARNING) : Optional.empty();
  }

  /** What happened, for people: in the window and since the start. */
  String said(String name) {
    return "%,d in %.1f s, %,d since the start".formatted(grew(name), seconds, now.get(name));
  }
}
