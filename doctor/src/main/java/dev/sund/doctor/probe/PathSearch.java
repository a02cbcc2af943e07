package dev.sund.doctor.probe;

import java.io.IOException;
import java.util.OptionalInt;

/** The largest packet that a way carries, found by halves. */
final class PathSearch {
  private PathSearch() {}

  /** Sends packets of a size. */
  @FunctionalInterface
  interface Trial {
    /** Whether one arrived. */
    boolean arrives(int size) throws IOException;
  }

  /** What a router has said so far. */
  @FunctionalInterface
  interface Hint {
    /** The size; empty when nobody has said anything. */
    OptionalInt size();
  }

  /**
   * Searches.
   *
   * @param least below it nothing is tried
   * @param most the device's MTU, above which nothing can be sent
   * @return the size; 0 when not even the least arrives
   */
  static int largest(int least, int most, Trial trial, Hint hint) throws IOException {
    if (trial.arrives(most)) {
      return most;
    }
    if (most <= least || !trial.arrives(least)) {
      return 0;
    }
    int good = least;
    int bad = most;
    while (bad - good > 1) {
      int said = hint.size().orElse(0);
      int next;
      if (said > good && said < bad) {
        next = said;
      } else if (said == good) {
        next = good + 1; // it was said that no more passes
      } else {
        next = (good + bad) / 2;
      }
      if (trial.arrives(next)) {
        good = next;
      } else {
        bad = next;
      }
    }
    return good;
  }
}
