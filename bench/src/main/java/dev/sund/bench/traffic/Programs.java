package dev.sund.bench.traffic;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Runs the programs by which baselines are set up. */
public final class Programs {
  private Programs() {}

  /**
   * Runs a program to its end.
   *
   * @param line words without spaces inside, separated by spaces
   * @return what it printed
   * @throws IOException with what it printed, when it fails
   */
  public static String run(String line) throws IOException {
    Process process =
        new ProcessBuilder(List.of(line.split(" +"))).redirectErrorStream(true).start();
    String output =
        new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
    try {
      if (!process.waitFor(30, TimeUnit.SECONDS) || process.exitValue() != 0) {
        throw new IOException(line + ": " + output);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException(line + ": interrupted", e);
    }
    return output;
  }
}
