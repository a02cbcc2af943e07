package dev.sund.engine;

import dev.sund.engine.program.ProgramDelta;
import dev.sund.engine.program.Serving;
import dev.sund.model.Condition;
import java.util.List;

/**
 * What a batch of events led to.
 *
 * @param delta what changed in the node's program
 * @param conditions all conditions now true of the cluster's objects, sorted; not only the new ones
 * @param serving of UDP frontends whose endpoints that serve changed: who they are now
 * @param synced whether the first full list has been told: before it nothing may be swept
 */
public record Compilation(
    ProgramDelta delta, List<Condition> conditions, List<Serving> serving, boolean synced) {
  public Compilation {
    conditions = List.copyOf(conditions);
    serving = List.copyOf(serving);
  }
}
