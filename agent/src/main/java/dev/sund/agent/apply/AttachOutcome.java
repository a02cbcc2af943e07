package dev.sund.agent.apply;

import dev.sund.engine.program.LocalPod;
import dev.sund.model.Condition;
import java.util.List;
import java.util.Optional;

/** How an attach or detach ended. */
public sealed interface AttachOutcome {
  /** The kernel holds what was asked; the pod's row is empty after a detach. */
  record Done(Optional<LocalPod> pod) implements AttachOutcome {}

  /** It was refused. */
  record Refused(List<Condition> conditions) implements AttachOutcome {
    public Refused {
      conditions = List.copyOf(conditions);
    }
  }

  /** A later call about the same attachment took its place. */
  record Overtaken() implements AttachOutcome {}

  /** It is still under way after the given time. */
  record TooLong() implements AttachOutcome {}
}
