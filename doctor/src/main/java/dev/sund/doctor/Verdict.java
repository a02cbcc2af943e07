package dev.sund.doctor;

import java.util.List;

/** What a check says of what it has read. */
public sealed interface Verdict {
  /**
   * All is well.
   *
   * @param read what was read, in short, with the numbers
   */
  record Right(String read) implements Verdict {}

  /**
   * Something is wrong.
   *
   * @param findings at least one
   */
  record Wrong(List<Finding> findings) implements Verdict {
    public Wrong {
      findings = List.copyOf(findings);
      if (findings.isEmpty()) {
        throw new IllegalArgumentException("nothing is wrong");
      }
    }
  }

  /**
   * There is nothing here that the check is about.
   *
   * @param why what is not there, without a full stop
   */
  record NotHere(String why) implements Verdict {}

  /** Right when nothing was found. */
  static Verdict of(List<Finding> findings, String read) {
    return findings.isEmpty() ? new Right(read) : new Wrong(findings);
  }
}
