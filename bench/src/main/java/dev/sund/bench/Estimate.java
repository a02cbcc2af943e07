package dev.sund.bench;

import dev.sund.model.Checks;
import java.util.Arrays;

/**
 * A median with its 95 % confidence interval.
 *
 * @param median the middle of the samples
 * @param low the interval's lower end
 * @param high the interval's upper end
 * @param samples how many samples it is from
 */
public record Estimate(double median, double low, double high, int samples) {
  /**
   * The median of samples, with the interval that order statistics give: it assumes nothing of the
   * samples' distribution. Below 6 samples the interval is all of their range.
   */
  public static Estimate ofMedian(double... samples) {
    Checks.that(samples.length > 0, "a median needs a sample");
    double[] sorted = samples.clone();
    Arrays.sort(sorted);
    int outside = outside(sorted.length);
    return new Estimate(
        percentile(sorted, 50),
        sorted[outside],
        sorted[sorted.length - 1 - outside],
        sorted.length);
  }

  /** A figure that was measured once. */
  public static Estimate single(double value) {
    return new Estimate(value, value, value, 1);
  }

  /**
   * The value below which this share of the samples lies, by linear interpolation.
   *
   * @param percent 0 to 100
   */
  public static double percentile(double[] samples, double percent) {
    double[] sorted = samples.clone();
    Arrays.sort(sorted);
    double at = percent / 100 * (sorted.length - 1);
    int below = (int) at;
    int above = Math.min(below + 1, sorted.length - 1);
    return sorted[below] + (at - below) * (sorted[above] - sorted[below]);
  }

  /** How many samples at each end lie outside: the largest k with P(Bin(n, 1/2) <= k) <= 2.5 %. */
  private static int outside(int n) {
    double term = Math.pow(0.5, n);
    double sum = 0;
    int k = 0;
    while (true) {
      sum += term;
      if (sum > 0.025) {
        return Math.max(0, k - 1);
      }
      term = term * (n - k) / (k + 1);
      k++;
    }
  }

  /** This figure in another unit. */
  public Estimate times(double factor) {
    return new Estimate(median * factor, low * factor, high * factor, samples);
  }
}
