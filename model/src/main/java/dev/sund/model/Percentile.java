package dev.sund.model;

/** Percentiles by nearest rank: each is one of the values that were measured. */
public final class Percentile {
  private Percentile() {}

  /**
   * The smallest value that so many of a hundred do not exceed; 0 where there is no value.
   *
   * @param sorted the values, smallest first
   * @param percent 0 (the smallest) to 100 (the largest)
   */
  public static long of(long[] sorted, int percent) {
    Checks.range("percent", percent, 0, 100);
    int rank = (int) ((sorted.length * (long) percent + 99) / 100);
    return sorted.length == 0 ? 0 : sorted[Math.max(0, rank - 1)];
  }
}
