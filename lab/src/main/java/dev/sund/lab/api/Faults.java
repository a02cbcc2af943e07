package dev.sund.lab.api;

import java.time.Duration;

/** How the server misbehaves on purpose. Each switch holds for all later answers, until changed. */
public final class Faults {
  private volatile boolean silent;
  private volatile boolean twice;
  private volatile int unavailable;
  private volatile Duration delay = Duration.ZERO;

  Faults() {}

  /** Takes requests and says nothing any more, on watches that stand too. */
  public Faults silent(boolean on) {
    silent = on;
    return this;
  }

  /** Tells each event of a watch twice. */
  public Faults twice(boolean on) {
    twice = on;
    return this;
  }

  /** Answers, and tells each batch of events, this much later. */
  public Faults delay(Duration by) {
    delay = by;
    return this;
  }

  /** Answers this many more requests with 503. */
  public Faults unavailable(int requests) {
    unavailable = requests;
    return this;
  }

  /** No misbehaviour any more. */
  public void none() {
    silent(false).twice(false).delay(Duration.ZERO).unavailable(0);
  }

  boolean isSilent() {
    return silent;
  }

  boolean isTwice() {
    return twice;
  }

  Duration delay() {
    return delay;
  }

  synchronized boolean takeUnavailable() {
    if (unavailable <= 0) {
      return false;
    }
    unavailable--;
    return true;
  }
}
