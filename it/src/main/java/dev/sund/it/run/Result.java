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

  /** {@link #detail} without its stack, in one line. */
  String reason() {
    int stack = detail.indexOf("\n\tat ");
    String text = (stack < 0 ? detail : detail.substring(0, stack)).replaceAll("\\s+", " ").strip();
    return text.length() > 400 ? text.substring(0, 400) + " ..." : text;
  }
}
