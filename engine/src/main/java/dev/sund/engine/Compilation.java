package dev.sund.engine;

import dev.sund.engine.program.ProgramDelta;
import dev.sund.engine.program.Serving;
import dev.sund.model.Condition;
import dev.sund.model.ServiceKey;
import java.util.List;
import java.util.Set;

/**
 * What a batch of events led to.
 *
 * @param delta what changed in the node's program
 * @param conditions all conditions now true of the cluster's objects, sorted; not only the new ones
 * @param serving of UDP frontends whose endpoints that serve changed: who they are now
 * @param synced whether the first full list has been told: before it nothing may be swept
 * @param services the Services of which something may have changed, those that are gone included:
 *     their rows, who answers for them, or the state of those who do not. Few after a change of
 *     few; all after a change of this node or of the settings
 */
public record Compilation(
    ProgramDelta delta,
    List<Condition> conditions,
    List<Serving> serving,
    boolean synced,
    Set<ServiceKey> services) {
  public Compilation {
    conditions = List.copyOf(conditions);
    serving = List.copyOf(serving);
    services = Set.copyOf(services);
  }
}
