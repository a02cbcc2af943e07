package dev.sund.bench;

import dev.sund.model.Checks;
import java.util.Locale;
import java.util.Optional;

/**
 * One line of {@code sund bench}.
 *
 * @param name what was measured, such as {@code same-node throughput v4}
 * @param unit of figure and baseline, such as {@code Gbit/s}
 * @param figure ours
 * @param baseline the same of what stands beside it; empty when nothing does
 * @param ratio ours / baseline over pairs, or of the two figures; empty without a baseline
 * @param target what it has to be; empty for a row that only informs
 * @param note one line on how it was measured; may be empty
 */
public record Row(
    String name,
    String unit,
    Estimate figure,
    Optional<Estimate> baseline,
    Optional<Estimate> ratio,
    Optional<Target> target,
    String note) {
  public Row {
    Checks.that(
        target.isEmpty() || target.get().of() == Target.Of.FIGURE || ratio.isPresent(),
        name + ": a target on the ratio needs a ratio");
  }

  /** A figure with nothing beside it. */
  public static Row figure(
      String name, String unit, Estimate figure, Optional<Target> target, String note) {
    return new Row(name, unit, figure, Optional.empty(), Optional.empty(), target, note);
  }

  /** Ours beside the baseline, from pairs. */
  public static Row compared(String name, String unit, Pairs pairs, Target target, String note) {
    return new Row(
        name,
        unit,
        pairs.ours(),
        Optional.of(pairs.baseline()),
        Optional.of(pairs.ratio()),
        Optional.of(target),
        note);
  }

  /** Whether the target is met; empty when there is none. */
  public Optional<Boolean> met() {
    return target.map(wanted ->
        switch (wanted.of()) {
          case FIGURE -> wanted.metBy(figure);
          case RATIO -> wanted.metBy(ratio.orElseThrow());
        });
  }

  /** A number with three or more digits that mean something. */
  static String number(double value) {
    double size = Math.abs(value);
    String format =
        size >= 100 || value == Math.rint(value) ? "%.0f" : size >= 10 ? "%.1f" : "%.2f";
    return String.format(Locale.ROOT, format, value);
  }
}
