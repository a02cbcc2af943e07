package dev.sund.kube.object;

import dev.sund.model.Condition;
import dev.sund.model.Severity;

/**
 * What is wrong with a field of an object, and where it stands in its text.
 *
 * @param condition object, field, value and remedy
 * @param line from 1; 0 when the object comes from no text
 * @param column from 1; 0 when the object comes from no text
 */
public record Problem(Condition condition, int line, int column) {
  /** Whether the object cannot be used. */
  public boolean isError() {
    return condition.severity() == Severity.ERROR;
  }
}
