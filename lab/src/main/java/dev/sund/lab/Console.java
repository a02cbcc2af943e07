package dev.sund.lab;

import dev.sund.agent.local.Json;
import dev.sund.lab.matrix.Matrix;
import dev.sund.lab.matrix.MatrixJson;
import java.io.PrintStream;
import java.time.Duration;

/**
 * What a lab says: the matrix to {@code out}, everything else to {@code err}.
 *
 * @param out for what was asked for
 * @param err for progress and warnings
 * @param colour whether lines that differ stand out
 */
public record Console(PrintStream out, PrintStream err, boolean colour) {
  private static final String RED = "\u001b[31m";
  private static final String GREEN = "\u001b[32m";
  private static final String PLAIN = "\u001b[0m";

  /** Tells what has been done, and how long it took since {@code begun} of the nano clock. */
  public void done(String what, long begun) {
    long millis = Duration.ofNanos(System.nanoTime() - begun).toMillis();
    err.printf("sund lab: %s (%d.%03d s)%n", what, millis / 1000, millis % 1000);
  }

  /** Tells something. */
  public void say(String text) {
    err.println("sund lab: " + text);
  }

  /** Prints a matrix, the counts last. */
  public void print(Matrix matrix, boolean everyPair, boolean json) {
    if (json) {
      out.println(Json.write(MatrixJson.of(matrix)));
      out.flush();
      return;
    }
    for (Matrix.Line line : matrix.lines(everyPair)) {
      out.println(colour && !line.agrees() ? RED + line.text() + PLAIN : line.text());
    }
    String summary = matrix.summary();
    out.println(colour ? (matrix.agrees() ? GREEN : RED) + summary + PLAIN : summary);
    out.flush();
  }
}
