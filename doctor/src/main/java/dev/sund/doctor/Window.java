package dev.sund.doctor;

import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/** The time between two looks at what changes, and what was seen at the first. */
final class Window {
  private final Duration wait;
  private final Pause pause;
  private final Map<String, String> before = new HashMap<>();
  private long begun;
  private double seconds;

  /**
   * One that has not begun.
   *
   * @param wait how long it is at least
   */
  Window(Duration wait, Pause pause) {
    this.wait = wait;
    this.pause = pause;
  }

  /** The first look begins. */
  void begin() {
    begun = pause.nanos();
  }

  /** A file's text at the first look. */
  void saw(String path, String text) {
    before.put(path, text);
  }

  /** What a file said at the first look. */
  Optional<String> before(String path) {
    return Optional.ofNullable(before.get(path));
  }

  /** Waits for what is left of it. */
  void end() throws InterruptedException {
    Duration left = wait.minusNanos(pause.nanos() - begun);
    pause.sleep(left.isPositive() ? left : Duration.ZERO);
    seconds = Math.max(wait.toNanos(), pause.nanos() - begun) / 1e9;
  }

  /** It was so long when it was recorded. */
  void wasOf(double length) {
    seconds = length;
  }

  /** How long it was; 0 before its end. */
  double seconds() {
    return seconds;
  }
}
