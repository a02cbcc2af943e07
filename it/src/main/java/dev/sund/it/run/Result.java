package dev.sund.it.run;

/**
 * How one test ended.
 *
 * @param status passed, failed or skipped
 * @param test its class and method, with the arguments when it has some
 * @param millis how long it took
 * @param detail the failure with its stack, or the reason of the skip; empty when it passed
 */
record Result(Status status, String test, long millis, String detail) {
  enum Status {
    PASSED,
    FAILED,
    SKIPPED
  }

  /** The first line of {@link #detail}. */
  String reason() {
    return detail.lines().findFirst().orElse("");
  }
}
