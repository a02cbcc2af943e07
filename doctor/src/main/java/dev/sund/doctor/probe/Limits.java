package dev.sund.doctor.probe;

import dev.sund.doctor.Line;
import dev.sund.doctor.LineText;
import dev.sund.doctor.UnreadException;

/**
 * From where on a way is slow or lossy. Round trips are judged by their median, jitter by its mean
 * in one direction.
 *
 * @param rttNoteMicros worth a note
 * @param rttWarningMicros a warning
 * @param rttErrorMicros an error
 * @param jitterMicros a warning
 * @param lossWarning lost packets of one direction in a thousand: a warning; fewer are a note
 * @param lossError an error
 */
public record Limits(
    long rttNoteMicros,
    long rttWarningMicros,
    long rttErrorMicros,
    long jitterMicros,
    long lossWarning,
    long lossError) {
  /** 2, 5 and 20 ms; 3 ms; 1 % and 5 %. */
  public static final Limits DEFAULT = new Limits(2_000, 5_000, 20_000, 3_000, 10, 50);

  void write(LineText text) {
    text.word("limits", 1)
        .word("rtt-note-us", rttNoteMicros)
        .word("rtt-warning-us", rttWarningMicros)
        .word("rtt-error-us", rttErrorMicros)
        .word("jitter-us", jitterMicros)
        .word("loss-warning", lossWarning)
        .word("loss-error", lossError)
        .end();
  }

  /**
   * Reads them from a line of the fact.
   *
   * @throws UnreadException when one is no number
   */
  public static Limits of(Line line) throws UnreadException {
    return new Limits(
        line.number("rtt-note-us"),
        line.number("rtt-warning-us"),
        line.number("rtt-error-us"),
        line.number("jitter-us"),
        line.number("loss-warning"),
        line.number("loss-error"));
  }
}
