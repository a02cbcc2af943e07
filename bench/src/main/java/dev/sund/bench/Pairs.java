package dev.sund.bench;

import dev.sund.model.Checks;

/**
 * Ours and the baseline measured in turns, so that what disturbs the machine disturbs both. The
 * order changes with every pair (A B, B A, ...), and the first pair is a warm-up that is not
 * counted.
 *
 * @param ours of our samples
 * @param baseline of the baseline's samples
 * @param ratio of the ratios ours / baseline of each pair
 */
public record Pairs(Estimate ours, Estimate baseline, Estimate ratio) {
  /** Takes one sample. */
  @FunctionalInterface
  public interface Sample {
    /** Measures once and returns the figure, which is greater than 0. */
    double take() throws Exception;
  }

  /**
   * Runs the pairs.
   *
   * @param count how many, at least 30 for what is compared to within 10 %
   */
  public static Pairs run(int count, Sample ours, Sample baseline) throws Exception {
    ours.take();
    baseline.take();
    double[] first = new double[count];
    double[] second = new double[count];
    double[] ratios = new double[count];
    for (int i = 0; i < count; i++) {
      if (i % 2 == 0) {
        first[i] = ours.take();
        second[i] = baseline.take();
      } else {
        second[i] = baseline.take();
        first[i] = ours.take();
      }
      Checks.that(first[i] > 0 && second[i] > 0, "a sample is greater than 0");
      ratios[i] = first[i] / second[i];
    }
    return new Pairs(
        Estimate.ofMedian(first), Estimate.ofMedian(second), Estimate.ofMedian(ratios));
  }
}
