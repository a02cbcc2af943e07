package dev.sund.it.service;

/**
 * What becomes of a question, as its asker and whoever answers see it.
 *
 * @param end how it ended
 * @param by who answered: a pod's name; empty when nobody did
 * @param source the asker's address as the one who answered saw it; empty when nobody did
 */
record Heard(End end, String by, String source) implements Comparable<Heard> {
  /** How a question ends. */
  enum End {
    ANSWERED,
    /** The asker is told at once that nobody answers: a reset, or ICMP port unreachable. */
    REFUSED,
    /** Nothing comes back. */
    SILENCE,
    /** The asker is told that there is no way. */
    NO_WAY
  }

  static final Heard REFUSED = new Heard(End.REFUSED, "", "");
  static final Heard SILENCE = new Heard(End.SILENCE, "", "");
  static final Heard NO_WAY = new Heard(End.NO_WAY, "", "");

  static Heard answered(String by, String source) {
    return new Heard(End.ANSWERED, by, source);
  }

  @Override
  public int compareTo(Heard other) {
    return toString().compareTo(other.toString());
  }

  @Override
  public String toString() {
    return end == End.ANSWERED ? "answered by " + by + ", who saw " + source : end.toString();
  }
}
