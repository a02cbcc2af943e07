package dev.sund.dataplane;

import dev.sund.engine.program.Change;
import dev.sund.engine.program.Endpoint;
import dev.sund.engine.program.Frontend.Place;
import dev.sund.engine.program.LocalPod;
import dev.sund.engine.program.ProgramDelta;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.Sysctl;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.ObjectRef;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.function.BooleanSupplier;

/**
 * Lets packets from the node's 127.0.0.1 go to pods that have a port there: {@code route_localnet}
 * of their devices. The kernel else refuses to send a packet with a loopback source anywhere, and
 * chooses the source before the destination is translated.
 *
 * <p>A device that lets them out lets them in as well: a pod could ask what listens on the node's
 * loopback only. Chain {@code guard} of our table stops that, so nothing is written here before it
 * stands.
 *
 * <p><b>How does a restarted agent know that it is ours?</b> The devices are ours, and the settings
 * go with them. <b>What happens to packets if we die right here?</b> What is set stays, and so does
 * the guard; what is not set yet fails from 127.0.0.1 alone.
 *
 * <p>On the dataplane thread.
 */
public final class LoopbackDriver implements Driver {
  private final KernelRoutes kernel;
  private final BooleanSupplier guardStands;
  private final Map<Endpoint.Key, Ip> endpoints = new HashMap<>();
  private final Map<Ip, String> deviceOf = new HashMap<>();
  private final SortedSet<String> set = new TreeSet<>();
  private final SortedSet<String> held = new TreeSet<>();
  private final Problems problems = new Problems();
  private SortedSet<String> wanted = new TreeSet<>();

  /**
   * A driver for the namespace of {@code kernel}.
   *
   * @param kernel closed by whoever opened it
   * @param guardStands whether our nf_tables table is in force
   */
  public LoopbackDriver(KernelRoutes kernel, BooleanSupplier guardStands) {
    this.kernel = kernel;
    this.guardStands = guardStands;
  }

  @Override
  public String name() {
    return "loopback";
  }

  @Override
  public void want(ProgramDelta delta) {
    for (Change<Endpoint.Key, Endpoint> change : delta.endpoints()) {
      endpoints.remove(change.key());
      if (change instanceof Change.Put<Endpoint.Key, Endpoint>(var key, Endpoint endpoint, var _)
          && isAskedAtLoopback(key.frontend().place())) {
        endpoints.put(key, endpoint.address());
      }
    }
    for (Change<String, LocalPod> change : delta.localPods()) {
      deviceOf.values().removeIf(change.key()::equals);
      if (change instanceof Change.Put<String, LocalPod>(String device, LocalPod pod, var _)) {
        pod.addresses().forEach(ip -> deviceOf.put(ip, device));
      }
    }
    if (!delta.endpoints().isEmpty() || !delta.localPods().isEmpty()) {
      wanted = new TreeSet<>();
      for (Ip ip : endpoints.values()) {
        Optional.ofNullable(deviceOf.get(ip)).ifPresent(wanted::add);
      }
      held.retainAll(wanted);
    }
  }

  private static boolean isAskedAtLoopback(Place place) {
    return switch (place) {
      case Place.At(var ip) -> ip.family() == Family.V4 && ip.isLoopback();
      case Place.AnyLocal(var family) -> family == Family.V4;
    };
  }

  @Override
  public ApplyReport resync() throws KernelException {
    Map<Sysctl, String> values =
        kernel.sysctls(wanted.stream().map(LoopbackDriver::setting).toList());
    set.clear();
    wanted.stream().filter(device -> "1".equals(values.get(setting(device)))).forEach(set::add);
    held.clear();
    problems.clear();
    return ApplyReport.of(List.of());
  }

  @Override
  public ApplyReport apply(Step step, int most) {
    Problems.Log log = new Problems.Log();
    switch (step) {
      case PUT -> toSet().stream().limit(most).forEach(device -> allow(device, log));
      case REMOVE -> toClear().stream().limit(most).forEach(device -> refuse(device, log));
    }
    return log.report(pending(), problems);
  }

  private void allow(String device, Problems.Log log) {
    ObjectRef object = new ObjectRef("sysctl", setting(device).toString());
    problems.clear(object);
    Optional<KernelException> failure = write(device, "1", log);
    if (failure.isEmpty()) {
      set.add(device);
      log.done("set " + setting(device) + " = 1");
      return;
    }
    held.add(device);
    if (!(failure.get() instanceof KernelException.NotFound)) { // else tried with the device
      problems.put(Problems.refused(object, failure.get()));
      log.failed(Problems.refused(object, failure.get()), failure);
    }
  }

  private void refuse(String device, Problems.Log log) {
    set.remove(device);
    if (write(device, "0", log).isEmpty()) {
      log.done("set " + setting(device) + " = 0");
    }
  }

  private Optional<KernelException> write(String device, String value, Problems.Log log) {
    log.sent(1);
    try {
      return kernel.writeSysctls(Map.of(setting(device), value)).stream().findFirst();
    } catch (KernelException e) {
      return Optional.of(e);
    }
  }

  private SortedSet<String> toSet() {
    SortedSet<String> devices = new TreeSet<>();
    if (guardStands.getAsBoolean()) {
      devices.addAll(wanted);
      devices.removeAll(set);
      devices.removeAll(held);
    }
    return devices;
  }

  private SortedSet<String> toClear() {
    SortedSet<String> devices = new TreeSet<>(set);
    devices.removeAll(wanted);
    return devices;
  }

  /** The setting of a pod's device. */
  static Sysctl setting(String device) {
    return Sysctl.ipv4Conf(device, "route_localnet");
  }

  @Override
  public void allowSweep() {}

  @Override
  public void retry() {
    held.clear();
  }

  @Override
  public int pending() {
    return toSet().size() + toClear().size();
  }

  /** A new device has the namespace's default settings. */
  @Override
  public void deviceReset(String device) {
    set.remove(device);
    held.remove(device);
  }

  @Override
  public void close() {}
}
