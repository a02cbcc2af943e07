package dev.sund.kube.manifest;

import dev.sund.model.Condition;
import dev.sund.model.Severity;

/**
 * Something worth saying about a manifest.
 *
 * @param file the file as the user named it; {@code standard input} for {@code -}
 * @param line from 1; 0 when it is about the file as a whole
 * @param column from 1; 0 when it is about the file as a whole
 * @param condition object, field, value and remedy
 * @param excerpt the line and a mark below it, ending in a newline; empty for a note about many
 *     places
 */
public record Finding(String file, int line, int column, Condition condition, String excerpt) {
  /** Whether an object or a file could not be used. */
  public boolean isError() {
    return condition.severity() == Severity.ERROR;
  }

  /** {@code FILE:LINE: CONDITION} without the excerpt: one line, whatever the file holds. */
  public String headline() {
    String place = line == 0 ? file : file + ":" + line;
    return (place + ": " + condition).replace("\n", "\\n").replaceAll("\\p{Cntrl}", "?");
  }

  /** The headline, and below it the excerpt. */
  @Override
  public String toString() {
    return excerpt.isEmpty() ? headline() : headline() + "\n" + excerpt.stripTrailing();
  }
}
