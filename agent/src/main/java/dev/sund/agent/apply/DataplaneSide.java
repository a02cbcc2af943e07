package dev.sund.agent.apply;

import dev.sund.dataplane.ApplyReport;
import dev.sund.dataplane.Dataplane;
import dev.sund.dataplane.Driver;
import dev.sund.dataplane.SysctlDriver;
import dev.sund.engine.cluster.ConntrackSettings;
import dev.sund.engine.program.ProgramDelta;
import dev.sund.engine.program.Serving;
import dev.sund.kernel.KernelException;
import dev.sund.model.Condition;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** What every {@link KernelSide} over a {@link Dataplane} says in the same way. */
public abstract class DataplaneSide implements KernelSide {
  /** The drivers; closed by whoever made them. */
  protected final Dataplane dataplane;

  /** Over these drivers. */
  protected DataplaneSide(Dataplane dataplane) {
    this.dataplane = dataplane;
  }

  @Override
  public List<String> parts() {
    return dataplane.drivers().stream().map(Driver::name).toList();
  }

  @Override
  public void want(ProgramDelta delta) {
    dataplane.want(delta);
  }

  /** Nothing: of connections the drivers know nothing. */
  @Override
  public void serving(Collection<Serving> changed) {}

  @Override
  public void connections(ConntrackSettings settings) {
    dataplane.driver(SysctlDriver.class).ifPresent(driver -> driver.connections(settings));
  }

  @Override
  public void allowSweep() {
    dataplane.allowSweep();
  }

  @Override
  public void resync(Set<String> parts) throws KernelException {
    dataplane.resync(parts);
  }

  @Override
  public void glance(Set<String> parts) throws KernelException {
    dataplane.glance(parts);
  }

  @Override
  public Map<String, ApplyReport> apply(int most) {
    return dataplane.applyEach(most);
  }

  @Override
  public void retry() {
    dataplane.retry();
  }

  @Override
  public int pending() {
    return dataplane.pending();
  }

  @Override
  public int pending(String part) {
    return dataplane.drivers().stream()
        .filter(driver -> driver.name().equals(part))
        .mapToInt(Driver::pending)
        .sum();
  }

  @Override
  public List<Condition> conditions() {
    return dataplane.conditions();
  }
}
