package dev.sund.doctor.check;

import java.util.Collection;
import java.util.List;

/** How long answers take. */
final class Latency {
  private Latency() {}

  /** What half of them took at most; 0 when there is none. */
  static long middle(Collection<Long> micros) {
    List<Long> sorted = micros.stream().sorted().toList();
    return sorted.isEmpty() ? 0 : sorted.get(sorted.size() / 2);
  }
}
