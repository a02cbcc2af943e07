package dev.sund.dataplane;

import dev.sund.dataplane.nft.NftDriver;
import dev.sund.dataplane.nft.PolicyDriver;
import dev.sund.engine.program.LocalPod;
import dev.sund.engine.program.ProgramDelta;
import dev.sund.kernel.KernelException;
import dev.sund.model.Condition;
import dev.sund.model.Prefix;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;

/**
 * All drivers of a node in their order: sysctls, masquerade, policies, tunnels, pods, routes. What
 * is referred to is put first (a set before its rule, a tunnel before the route through it) and
 * removed last.
 *
 * <p>On the dataplane thread. Owns its drivers.
 */
public final class Dataplane implements AutoCloseable {
  private final List<Driver> drivers;
  private final Map<String, List<Condition>> conditions = new LinkedHashMap<>();

  /**
   * Drivers in the order of writing.
   *
   * @param drivers with different names
   */
  public Dataplane(List<? extends Driver> drivers) {
    this.drivers = List.copyOf(drivers);
  }

  /**
   * The usual drivers of a node in their order.
   *
   * @param kernel the node's namespace; closed by whoever opened it
   * @param stateDirectory where the sysctls' old values are recorded
   * @param table the driver of translations
   * @param beside other drivers of nf_tables
   */
  public static Dataplane of(
      KernelRoutes kernel, Path stateDirectory, NftDriver table, Driver... beside) {
    TunnelDriver tunnels = new TunnelDriver(kernel);
    List<Driver> drivers = new ArrayList<>();
    drivers.add(new SysctlDriver(kernel, stateDirectory));
    drivers.add(new BridgeFilterDriver(kernel));
    drivers.add(table);
    drivers.addAll(List.of(beside));
    drivers.add(tunnels);
    drivers.add(new PodDriver(kernel));
    drivers.add(new RouteDriver(kernel, tunnels::isForeign));
    drivers.add(new LoopbackDriver(kernel, table::isInForce));
    return new Dataplane(drivers);
  }

  /** The drivers, in the order of writing. */
  public List<Driver> drivers() {
    return drivers;
  }

  /** Hands a delta to every driver; nothing is written yet. */
  public void want(ProgramDelta delta) {
    drivers.forEach(driver -> driver.want(delta));
  }

  /** The first full list has been told: what is ours and not wanted may be removed. */
  public void allowSweep() {
    drivers.forEach(Driver::allowSweep);
  }

  /**
   * Reads everything back.
   *
   * @return the conditions found
   * @throws KernelException when the kernel could not be read
   */
  public ApplyReport resync() throws KernelException {
    return resync(_ -> true, Driver::resync);
  }

  /** Reads back what the drivers of these names own; unknown names are ignored. */
  public ApplyReport resync(Set<String> names) throws KernelException {
    return resync(driver -> names.contains(driver.name()), Driver::resync);
  }

  /** As {@link #resync(Set)}, where there is no more than suspicion; see {@link Driver#glance}. */
  public ApplyReport glance(Set<String> names) throws KernelException {
    return resync(driver -> names.contains(driver.name()), Driver::glance);
  }

  /** One way to read. */
  @FunctionalInterface
  private interface Reading {
    ApplyReport read(Driver driver) throws KernelException;
  }

  /**
   * Does what is pending: writes in order, then removes in reverse order.
   *
   * @param most the most entries that a driver changes in each half
   * @return what all drivers did; {@code deferred} above 0 means: call again
   */
  public ApplyReport apply(int most) {
    ApplyReport all = ApplyReport.NOTHING;
    for (ApplyReport report : applyEach(most).values()) {
      all = all.plus(report);
    }
    return new ApplyReport(
        all.done(), pending(), all.failed(), conditions(), all.messages(), all.resetDevices());
  }

  /**
   * As {@link #apply}, told driver by driver.
   *
   * @return by driver's name, in the order of writing, what those did that had something to do
   */
  public Map<String, ApplyReport> applyEach(int most) {
    Map<String, ApplyReport> reports = new LinkedHashMap<>();
    for (Driver driver : drivers) {
      if (driver.pending() > 0 || !conditions.getOrDefault(driver.name(), List.of()).isEmpty()) {
        ApplyReport report = note(driver, driver.apply(Driver.Step.PUT, most));
        reports.merge(driver.name(), report, ApplyReport::plus);
        reset(report.resetDevices());
      }
    }
    for (Driver driver : drivers.reversed()) {
      if (driver.pending() > 0) {
        ApplyReport report = note(driver, driver.apply(Driver.Step.REMOVE, most));
        reports.merge(driver.name(), report, ApplyReport::plus);
      }
    }
    return reports;
  }

  /** Devices, addresses or routes that Sund did not make have changed. From any thread. */
  public void othersChanged() {
    drivers.forEach(Driver::othersChanged);
  }

  /** Takes up again what failed. */
  public void retry() {
    drivers.forEach(Driver::retry);
  }

  /** How many entries wait for {@link #apply}. */
  public int pending() {
    int pending = 0;
    for (Driver driver : drivers) {
      pending += driver.pending();
    }
    return pending;
  }

  /** Whether all of a pod's link and routes is in the kernel as wanted, or gone as wanted. */
  public boolean settled(LocalPod pod) {
    return driver(PodDriver.class).stream().allMatch(driver -> driver.settled(pod.device()))
        && driver(RouteDriver.class).stream()
            .allMatch(
                driver -> pod.addresses().stream().map(Prefix::host).allMatch(driver::settled))
        && driver(PolicyDriver.class).stream().allMatch(driver -> driver.settled(pod));
  }

  /** What is wrong with a pod's link or routes, if anything is. */
  public Optional<Condition> problem(LocalPod pod) {
    return driver(PodDriver.class)
        .flatMap(driver -> driver.problem(pod.device()))
        .or(() ->
            driver(RouteDriver.class)
                .flatMap(driver ->
                    pod.addresses().stream()
                        .map(Prefix::host)
                        .flatMap(prefix -> driver.problem(prefix).stream())
                        .findFirst()));
  }

  /** All conditions now true of the drivers' objects, sorted. */
  public List<Condition> conditions() {
    return conditions.values().stream().flatMap(List::stream).sorted().distinct().toList();
  }

  /** The driver of this class. */
  public <T extends Driver> Optional<T> driver(Class<T> type) {
    return drivers.stream().filter(type::isInstance).map(type::cast).findFirst();
  }

  /** Closes the drivers, the last first. */
  @Override
  public void close() {
    drivers.reversed().forEach(Driver::close);
  }

  private ApplyReport resync(Predicate<Driver> chosen, Reading reading) throws KernelException {
    List<Condition> found = new ArrayList<>();
    for (Driver driver : drivers) {
      if (chosen.test(driver)) {
        found.addAll(note(driver, reading.read(driver)).conditions());
      }
    }
    return new ApplyReport(List.of(), pending(), List.of(), found, 0, Set.of());
  }

  private ApplyReport note(Driver driver, ApplyReport report) {
    conditions.put(driver.name(), report.conditions());
    return report;
  }

  private void reset(Set<String> devices) {
    for (String device : devices) {
      drivers.forEach(driver -> driver.deviceReset(device));
    }
  }
}
