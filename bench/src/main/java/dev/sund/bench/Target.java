package dev.sund.bench;

import java.util.Locale;

/**
 * What a figure, or its ratio to the baseline, has to be.
 *
 * @param of what is bound
 * @param bound from which side
 * @param value the bound, in the figure's unit or as a ratio
 */
public record Target(Of of, Bound bound, double value) {
  /** What is bound. */
  public enum Of {
    FIGURE,
    RATIO
  }

  /** From which side. */
  public enum Bound {
    AT_LEAST,
    AT_MOST
  }

  /** The ratio ours / baseline is at least this. */
  public static Target ratioAtLeast(double value) {
    return new Target(Of.RATIO, Bound.AT_LEAST, value);
  }

  /** The ratio ours / baseline is at most this. */
  public static Target ratioAtMost(double value) {
    return new Target(Of.RATIO, Bound.AT_MOST, value);
  }

  /** The figure is at most this. */
  public static Target atMost(double value) {
    return new Target(Of.FIGURE, Bound.AT_MOST, value);
  }

  /** The figure is at least this. */
  public static Target atLeast(double value) {
    return new Target(Of.FIGURE, Bound.AT_LEAST, value);
  }

  /** Whether the worse end of the interval keeps it. */
  boolean metBy(Estimate estimate) {
    return switch (bound) {
      case AT_LEAST -> estimate.low() >= value;
      case AT_MOST -> estimate.high() <= value;
    };
  }

  @Override
  public String toString() {
    String side =
        switch (bound) {
          case AT_LEAST -> ">= ";
          case AT_MOST -> "<= ";
        };
    return switch (of) {
      case FIGURE -> side + Row.number(value);
      case RATIO -> String.format(Locale.ROOT, "ratio %s%.2f", side, value);
    };
  }
}
