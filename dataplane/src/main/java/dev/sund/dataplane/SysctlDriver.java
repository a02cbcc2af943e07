package dev.sund.dataplane;

import dev.sund.engine.cluster.ConntrackSettings;
import dev.sund.engine.cluster.NodeFacts;
import dev.sund.engine.program.Change;
import dev.sund.engine.program.LocalPod;
import dev.sund.engine.program.ProgramDelta;
import dev.sund.engine.program.Route;
import dev.sund.engine.program.Tunnel;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.Sysctl;
import dev.sund.model.Condition;
import dev.sund.model.Family;
import dev.sund.model.ObjectRef;
import dev.sund.model.Prefix;
import dev.sund.model.Reason;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeSet;

/**
 * Writes the node's settings that forwarding pods' packets needs: see {@link SysctlPlan}; and those
 * of the table of connections that were asked for: see {@link ConntrackPlan}.
 *
 * <p><b>How does a restarted agent know that a setting is ours?</b> It does not need to: a setting
 * is right or it is not. What {@code sund cleanup} puts back stands in {@link SysctlRecord}; a
 * setting that someone has changed since is left as it is.
 *
 * <p><b>What happens to packets if we die right here?</b> Routers' advice is kept before forwarding
 * goes on, so the node does not lose its default route; each setting is whole by itself.
 */
public final class SysctlDriver implements Driver {
  private final KernelRoutes kernel;
  private final Path stateDirectory;
  private final Map<Prefix, String> directDevices = new HashMap<>();
  private final Map<String, Tunnel> tunnels = new HashMap<>();
  private final Map<String, Integer> users = new HashMap<>();
  private final Problems problems = new Problems();
  private final TreeSet<String> uplinks = new TreeSet<>();
  private Map<Sysctl, String> pending = new LinkedHashMap<>();
  private Map<Sysctl, String> values = Map.of();
  private boolean v4;
  private boolean v6;
  private ConntrackPlan connections = ConntrackPlan.NONE;

  /** Whether it was told how the table of connections is to be: until then nothing is put back. */
  private boolean told;

  /** Whether the machine's own settings are ours to write: a namespace has none of its own. */
  private boolean machine = true;

  /** Whether the kernel has no conntrack, which comes with the first rule that needs it. */
  private boolean withoutConntrack;

  private boolean stale = true;
  private boolean held;

  /**
   * A driver for the namespace of {@code kernel}.
   *
   * @param kernel closed by whoever opened it
   * @param stateDirectory where the old values are recorded
   */
  public SysctlDriver(KernelRoutes kernel, Path stateDirectory) {
    this.kernel = kernel;
    this.stateDirectory = stateDirectory;
  }

  @Override
  public String name() {
    return "sysctls";
  }

  /** From now on the table of connections is to be so. Touches nothing. */
  public void connections(ConntrackSettings settings) {
    ConntrackPlan plan = new ConntrackPlan(settings, ConntrackPlan.processorsOfTheMachine());
    stale |= !told || !plan.settings().equals(connections.settings());
    told = true;
    connections = plan;
  }

  @Override
  public void want(ProgramDelta delta) {
    stale |= withoutConntrack && !delta.isEmpty();
    for (Change<Prefix, Route> change : delta.routes()) {
      String before = directDevices.remove(change.key());
      if (before != null) {
        count(before, -1);
      }
      if (change instanceof Change.Put<Prefix, Route>(Prefix destination, Route route, var _)) {
        use(destination.family());
        if (route.way() instanceof Route.Direct(var _, String device)) {
          directDevices.put(destination, device);
          count(device, 1);
        }
      }
    }
    for (Change<String, Tunnel> change : delta.tunnels()) {
      Tunnel before = tunnels.remove(change.key());
      if (before != null) {
        count(before.device(), -1);
        count(before.underlayDevice(), -1);
      }
      if (change instanceof Change.Put<String, Tunnel>(var _, Tunnel tunnel, var _)) {
        tunnels.put(tunnel.device(), tunnel);
        count(tunnel.device(), 1);
        count(tunnel.underlayDevice(), 1);
        use(tunnel.local().family());
      }
    }
    for (Change<String, LocalPod> change : delta.localPods()) {
      if (change instanceof Change.Put<String, LocalPod>(var _, LocalPod pod, var _)) {
        pod.addresses().forEach(ip -> use(ip.family()));
      }
    }
  }

  private void count(String device, int by) {
    int before = users.getOrDefault(device, 0);
    if (before + by == 0) {
      users.remove(device);
    } else {
      users.put(device, before + by);
    }
    stale |= before == 0;
  }

  private void use(Family family) {
    stale |= family == Family.V4 ? !v4 : !v6;
    v4 |= family == Family.V4;
    v6 |= family == Family.V6;
  }

  /** What this node needs now. */
  SysctlPlan plan() {
    SortedSet<String> devices = new TreeSet<>(users.keySet());
    return new SysctlPlan(v4, v6, devices, uplinks);
  }

  @Override
  public ApplyReport resync() throws KernelException {
    uplinks.clear();
    for (NodeFacts.Device device : new FactsReader(kernel).read().devices()) {
      // What has an address may have it from a router; what has none yet may be waiting for one.
      // Containers are no routers.
      if (!device.isOfContainers()
          || (!device.name().equals("lo") && device.primary(Family.V6).isPresent())) {
        uplinks.add(device.name());
      }
    }
    look();
    return ApplyReport.of(problems.all());
  }

  private void look() throws KernelException {
    SysctlPlan plan = plan();
    Map<Sysctl, SysctlRecord.Entry> record;
    try {
      record = SysctlRecord.read(stateDirectory).entries();
    } catch (IOException _) {
      record = Map.of(); // said when something has to be recorded
    }
    SysctlRecord.Entry loose = record.get(ConntrackPlan.LOOSE);
    List<Sysctl> inputs = new ArrayList<>(plan.inputs());
    inputs.addAll(connections.inputs());
    if (loose != null) {
      inputs.add(ConntrackPlan.LOOSE);
    }
    values = kernel.sysctls(inputs);
    withoutConntrack = !connections.isKnown(values);
    pending = new LinkedHashMap<>(plan.needed(values, record.containsKey(SysctlPlan.FORWARD_V6)));
    pending.putAll(connections.needed(values, machine));
    if (told
        && loose != null
        && !connections.settings().tcpFromStart()
        && loose.ours().equals(values.get(ConntrackPlan.LOOSE))) {
      pending.put(ConntrackPlan.LOOSE, loose.before()); // the one that is asked for by turns
    }
    pending.entrySet().removeIf(entry -> entry.getValue().equals(values.get(entry.getKey())));
    stale = false;
    held = false;
  }

  @Override
  public ApplyReport apply(Step step, int most) {
    Problems.Log log = new Problems.Log();
    if (step == Step.PUT && pending() > 0) {
      write(log);
    }
    return log.report(pending(), problems);
  }

  private void write(Problems.Log log) {
    try {
      look();
      if (pending.isEmpty()) {
        return;
      }
      Map<Sysctl, SysctlRecord.Entry> record = new LinkedHashMap<>();
      pending.forEach((setting, value) -> {
        if (tunnels.keySet().stream().noneMatch(device -> isOf(setting, device))) {
          record.put(setting, new SysctlRecord.Entry(values.getOrDefault(setting, "0"), value));
        }
      });
      SysctlRecord.note(stateDirectory, record);
      problems.clear();
      log.sent(pending.size());
      for (KernelException failure : kernel.writeSysctls(pending)) {
        if (failure instanceof KernelException.Denied && isOfTheMachine(failure)) {
          machine = false; // this is not the machine's first namespace
        } else if (!(failure instanceof KernelException.NotFound)) {
          fail(Problems.refused(new ObjectRef("sysctl", failure.object()), failure), failure, log);
        }
      }
      pending.forEach((setting, value) -> {
        if ((machine || !ConntrackPlan.isOfTheMachine(setting))
            && problems.of(new ObjectRef("sysctl", setting + " = " + value)).isEmpty()) {
          log.done("set " + setting + " = " + value);
        }
      });
      pending = new LinkedHashMap<>();
    } catch (KernelException e) {
      fail(Problems.refused(new ObjectRef("sysctl", "net"), e), e, log);
    } catch (IOException e) {
      // Without a record of the old values they could not be put back: leave them.
      Condition condition =
          new Condition(
              Reason.STATE_UNREADABLE,
              new ObjectRef("file", stateDirectory + "/sysctls"),
              "",
              "The settings' old values cannot be recorded: " + e + ". They stay as they are.",
              "Make the directory writable.");
      problems.put(condition);
      log.failed(condition, Optional.empty());
    }
    held = !problems.all().isEmpty();
  }

  private boolean isOfTheMachine(KernelException failure) {
    return pending.keySet().stream()
        .filter(ConntrackPlan::isOfTheMachine)
        .anyMatch(setting -> failure.object().startsWith(setting.toString()));
  }

  /** Whether it is a setting of this device; those of our own go with it. */
  private static boolean isOf(Sysctl setting, String device) {
    return setting.key().contains("/" + device + "/");
  }

  private void fail(Condition condition, KernelException cause, Problems.Log log) {
    problems.put(condition);
    log.failed(condition, Optional.of(cause));
  }

  @Override
  public void allowSweep() {}

  @Override
  public void retry() {
    stale |= held;
    held = false;
  }

  @Override
  public int pending() {
    return held
        ? 0
        : Math.max(pending.size(), stale && (v4 || v6 || !connections.isEmpty()) ? 1 : 0);
  }

  /** A new device has the namespace's default settings. */
  @Override
  public void deviceReset(String device) {
    stale |= users.containsKey(device);
  }

  @Override
  public void close() {}
}
