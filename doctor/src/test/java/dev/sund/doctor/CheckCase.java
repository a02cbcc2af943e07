package dev.sund.doctor;

import java.util.function.UnaryOperator;

/**
 * A check, and what is done to a healthy node to see each of its answers.
 *
 * @param fault what makes it find something
 * @param finds what its finding says, a part of it
 * @param severity how bad that is
 * @param mended what its remedy leads to, from the fault on
 * @param needs a file that it cannot do without
 * @param neighbour what looks like the fault and is none
 */
record CheckCase(
    String id,
    UnaryOperator<RecordedNode> fault,
    Severity severity,
    String finds,
    UnaryOperator<RecordedNode> mended,
    String needs,
    UnaryOperator<RecordedNode> neighbour) {
  @Override
  public String toString() {
    return id;
  }
}
