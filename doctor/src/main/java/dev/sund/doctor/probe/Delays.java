package dev.sund.doctor.probe;

import dev.sund.model.Percentile;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ToLongFunction;

/**
 * Round trips of a window. Times are of both sides' own clocks, whose difference does not matter:
 * jitter is how much one packet took longer or shorter than the one before (RFC 3550, without its
 * smoothing).
 */
final class Delays {
  /** An echo's four times in nanoseconds: sent and back here, come and gone there. */
  record Echo(long sent, long came, long gone, long back) {}

  private final List<Echo> echoes = new ArrayList<>();

  void add(Echo echo) {
    echoes.add(echo);
  }

  int count() {
    return echoes.size();
  }

  /** The round trip that so many of a hundred did not exceed, without the answerer's own time. */
  long micros(int percent) {
    long[] trips =
        echoes.stream()
            .mapToLong(echo -> echo.back - echo.sent - (echo.gone - echo.came))
            .sorted()
            .toArray();
    return Percentile.of(trips, percent) / 1_000;
  }

  /** From here to there. */
  long jitterThereMicros() {
    return jitterMicros(echo -> echo.came - echo.sent);
  }

  /** From there to here. */
  long jitterBackMicros() {
    return jitterMicros(echo -> echo.back - echo.gone);
  }

  private long jitterMicros(ToLongFunction<Echo> transit) {
    long sum = 0;
    for (int i = 1; i < echoes.size(); i++) {
      long before = transit.applyAsLong(echoes.get(i - 1));
      sum += Math.abs(transit.applyAsLong(echoes.get(i)) - before);
    }
    return echoes.size() < 2 ? 0 : sum / (echoes.size() - 1) / 1_000;
  }
}
