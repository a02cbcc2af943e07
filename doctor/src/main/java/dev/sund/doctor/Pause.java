package dev.sund.doctor;

import java.time.Duration;

/** How time passes between two looks. */
@FunctionalInterface
public interface Pause {
  /** Waits. */
  void sleep(Duration time) throws InterruptedException;

  /** What time it is, in nanoseconds from an arbitrary moment on. */
  default long nanos() {
    return System.nanoTime();
  }
}
