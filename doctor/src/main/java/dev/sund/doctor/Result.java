package dev.sund.doctor;

import java.util.List;

/**
 * What came of a check.
 *
 * @param check which one
 * @param outcome its verdict, or why there is none
 * @param sources the files that it read, without those that are not there
 */
public record Result(Check<?> check, Outcome outcome, List<String> sources) {
  public Result {
    sources = List.copyOf(sources);
  }

  /** A verdict or none. */
  public sealed interface Outcome {}

  /** It could read all that it needs. */
  public record Judged(Verdict verdict) implements Outcome {}

  /**
   * It could not, and says nothing of the network.
   *
   * @param why without a full stop
   * @param remedy one sentence
   */
  public record Unread(String why, String remedy) implements Outcome {}

  /** What it found; nothing when all is well or nothing could be read. */
  public List<Finding> findings() {
    return outcome instanceof Judged(Verdict.Wrong(var findings)) ? findings : List.of();
  }
}
