package dev.sund.bench;

import java.io.PrintWriter;
import java.nio.file.Path;

/**
 * What a benchmark is given.
 *
 * @param thorough whether to run more pairs and longer counts
 * @param root the checkout
 * @param progress where to say what is being done; never the rows
 */
public record Bench(boolean thorough, Path root, PrintWriter progress) {
  /** How many pairs a comparison runs: at least 30. */
  public int pairs() {
    return thorough ? 100 : 31;
  }

  /** The checkout's {@code ./sund}; start it with {@code SUND_BUILD=never} in the environment. */
  public Path launcher() {
    return root.resolve("sund");
  }

  /** Says one line of progress. */
  public void say(String text) {
    progress.println("  " + text);
    progress.flush();
  }
}
