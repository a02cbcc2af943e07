package dev.sund.agent.state;

import dev.sund.model.Condition;
import java.io.IOException;

/** The state directory cannot be used; nothing in it was changed. The agent must not start. */
public final class StateException extends IOException {
  private static final long serialVersionUID = 1;

  private final transient Condition condition;

  StateException(Condition condition) {
    super(condition.toString());
    this.condition = condition;
  }

  /** What is wrong, and what to do. */
  public Condition condition() {
    return condition;
  }
}
