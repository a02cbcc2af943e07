package dev.sund.kube.api;

import dev.sund.model.Condition;

/** A file that says how to reach the API server cannot be used: file, field, value and remedy. */
public final class ConfigException extends Exception {
  private static final long serialVersionUID = 1;

  private final transient Condition condition;

  ConfigException(Condition condition) {
    super(condition.toString());
    this.condition = condition;
  }

  /** What is wrong; the object is the file. */
  public Condition condition() {
    return condition;
  }
}
