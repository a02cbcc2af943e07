package dev.sund.kube.object;

import java.math.BigDecimal;
import java.time.Duration;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Times as Go's {@code time.ParseDuration} takes them. */
final class GoDuration {
  private static final Pattern PART =
      Pattern.compile("\\G([0-9]{1,12}(?:\\.[0-9]{0,9})?)(ns|us|µs|ms|s|m|h)");

  private GoDuration() {}

  /** The time, when the text is one that is not negative and not longer than a human life. */
  static Optional<Duration> tryParse(String text) {
    if (text.equals("0")) {
      return Optional.of(Duration.ZERO);
    }
    BigDecimal nanos = BigDecimal.ZERO;
    Matcher part = PART.matcher(text);
    int end = 0;
    while (part.find()) {
      nanos = nanos.add(new BigDecimal(part.group(1)).multiply(unit(part.group(2))));
      end = part.end();
    }
    boolean fits = nanos.compareTo(BigDecimal.valueOf(Long.MAX_VALUE)) <= 0;
    return end == text.length() && end > 0 && fits
        ? Optional.of(Duration.ofNanos(nanos.longValue()))
        : Optional.empty();
  }

  private static BigDecimal unit(String unit) {
    return BigDecimal.valueOf(
        switch (unit) {
          case "ns" -> 1L;
          case "us", "µs" -> 1_000L;
          case "ms" -> 1_000_000L;
          case "s" -> 1_000_000_000L;
          case "m" -> 60_000_000_000L;
          default -> 3_600_000_000_000L; // h, the only other one that the pattern takes
        });
  }
}
