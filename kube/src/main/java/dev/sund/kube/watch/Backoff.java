package dev.sund.kube.watch;

import java.time.Duration;
import java.util.random.RandomGenerator;

/** Waits that double with each failure in a row, each shortened by up to a half at random. */
final class Backoff {
  private final Duration first;
  private final Duration last;
  private final RandomGenerator random;
  private Duration next;

  Backoff(Duration first, Duration last, RandomGenerator random) {
    this.first = first;
    this.last = last;
    this.random = random;
    next = first;
  }

  /** The wait after one more failure. */
  Duration afterFailure() {
    Duration full = next;
    Duration doubled = next.multipliedBy(2);
    next = doubled.compareTo(last) < 0 ? doubled : last;
    return shortened(full);
  }

  /** A wait of this length, shortened at random as all are. */
  Duration shortened(Duration full) {
    return Duration.ofNanos((long) (full.toNanos() * (1 - random.nextDouble() / 2)));
  }

  /** All is well: the next failure is a first one. */
  void success() {
    next = first;
  }
}
