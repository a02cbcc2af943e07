package dev.sund.kube.tree;

import java.io.IOException;

/** A text is not well-formed YAML or JSON: where, and what is wrong there. */
public final class MalformedException extends IOException {
  private static final long serialVersionUID = 1;

  private final int line;
  private final int column;

  /**
   * A fault at a place of a text.
   *
   * @param line from 1
   * @param column from 1
   * @param message one sentence without a full stop
   */
  public MalformedException(int line, int column, String message) {
    super(message);
    this.line = line;
    this.column = column;
  }

  /** The line of the fault, from 1. */
  public int line() {
    return line;
  }

  /** The column of the fault, from 1. */
  public int column() {
    return column;
  }
}
