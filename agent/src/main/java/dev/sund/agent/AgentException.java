package dev.sund.agent;

import dev.sund.model.Condition;

/** The agent could not be started; nothing in the kernel was changed. */
public final class AgentException extends Exception {
  private static final long serialVersionUID = 1;

  private final transient Condition condition;

  AgentException(Condition condition) {
    super(condition.toString());
    this.condition = condition;
  }

  /** Why, and what to do. */
  public Condition condition() {
    return condition;
  }
}
