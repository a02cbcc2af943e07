package dev.sund.agent.apply;

import dev.sund.dataplane.ApplyReport;
import dev.sund.engine.cluster.Attachment;
import dev.sund.engine.cluster.ConntrackSettings;
import dev.sund.engine.program.Change;
import dev.sund.engine.program.LocalPod;
import dev.sund.engine.program.Masquerade;
import dev.sund.engine.program.ProgramDelta;
import dev.sund.engine.program.Route;
import dev.sund.engine.program.Serving;
import dev.sund.kernel.KernelException;
import dev.sund.model.Condition;
import dev.sund.model.ObjectRef;
import dev.sund.model.Prefix;
import dev.sund.model.Reason;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/** A kernel of two tables, pods and routes, with a switch for each way to fail. */
final class FakeKernelSide implements KernelSide {
  final Map<String, LocalPod> wantedPods = new TreeMap<>();
  final Map<Prefix, Route> wantedRoutes = new TreeMap<>();
  final Set<Masquerade.Key> wantedMasquerade = new TreeSet<>();
  final Set<String> kernelPods = new TreeSet<>();
  final Map<Prefix, Route> kernelRoutes = new TreeMap<>();
  final Set<Prefix> held = new HashSet<>();
  final Map<String, Attachment> attachments = new TreeMap<>();
  final List<String> calls = new ArrayList<>();

  /** What happens while changes are made, such as time that passes. */
  Runnable work = () -> {};

  /** What happens while the kernel is read. */
  Runnable reading = () -> {};

  final List<Serving> serving = new ArrayList<>();

  /** What was last read; the kernel may have changed since. */
  Map<Prefix, Route> seenRoutes = new TreeMap<>();

  /** How many of the readings may have passed over what is known. */
  int looks;

  boolean sweep;
  boolean busy;
  boolean unreadable;
  Set<Prefix> refused = Set.of();

  @Override
  public List<String> parts() {
    return List.of("pods", "routes");
  }

  @Override
  public void attached(String device, Attachment attachment) {
    attachments.put(device, attachment);
  }

  @Override
  public void detached(String device) {
    attachments.remove(device);
  }

  @Override
  public void want(ProgramDelta delta) {
    delta.masquerade().forEach(change -> wantedMasquerade.add(change.key()));
    for (Change<String, LocalPod> change : delta.localPods()) {
      switch (change) {
        case Change.Put<String, LocalPod>(String key, LocalPod value, _) ->
            wantedPods.put(key, value);
        case Change.Remove<String, LocalPod>(String key, _) -> wantedPods.remove(key);
      }
    }
    for (Change<Prefix, Route> change : delta.routes()) {
      switch (change) {
        case Change.Put<Prefix, Route>(Prefix key, Route value, _) -> wantedRoutes.put(key, value);
        case Change.Remove<Prefix, Route>(Prefix key, _) -> wantedRoutes.remove(key);
      }
    }
  }

  @Override
  public void serving(Collection<Serving> changed) {
    serving.addAll(changed);
  }

  @Override
  public void connections(ConntrackSettings settings) {
    calls.add("connections " + settings.maxPerCore());
  }

  @Override
  public void allowSweep() {
    calls.add("allowSweep");
    sweep = true;
  }

  @Override
  public void glance(Set<String> parts) throws KernelException {
    looks++;
    resync(parts);
  }

  @Override
  public void resync(Set<String> parts) throws KernelException {
    calls.add("resync " + new TreeSet<>(parts));
    reading.run();
    if (unreadable) {
      throw new KernelException.DumpInterrupted("list routes", 20);
    }
    seenRoutes = new TreeMap<>(kernelRoutes);
    held.clear();
  }

  @Override
  public Map<String, ApplyReport> apply(int most) {
    calls.add("apply");
    work.run();
    List<String> pods = new ArrayList<>();
    List<String> routes = new ArrayList<>();
    List<ApplyReport.Failure> failures = new ArrayList<>();
    if (!busy) {
      for (String device : List.copyOf(wantedPods.keySet())) {
        if (pods.size() < most && kernelPods.add(device)) {
          pods.add("put " + device);
        }
      }
      kernelPods.removeIf(device -> !wantedPods.containsKey(device) && pods.add("del " + device));
      for (Prefix prefix : pendingRoutes()) {
        if (routes.size() == most) {
          break;
        }
        if (refused.contains(prefix)) {
          held.add(prefix);
          ObjectRef object = new ObjectRef("route", prefix.toString());
          failures.add(
              new ApplyReport.Failure(
                  object,
                  new Condition(Reason.KERNEL_REFUSED, object, "", "No.", "Ask."),
                  Optional.empty()));
        } else if (wantedRoutes.containsKey(prefix)) {
          kernelRoutes.put(prefix, wantedRoutes.get(prefix));
          seenRoutes.put(prefix, wantedRoutes.get(prefix));
          routes.add("put " + prefix);
        } else {
          kernelRoutes.remove(prefix);
          seenRoutes.remove(prefix);
          routes.add("del " + prefix);
        }
      }
    }
    return Map.of(
        "pods", new ApplyReport(pods, 0, List.of(), List.of(), 0, Set.of()),
        "routes", new ApplyReport(routes, 0, failures, List.of(), 0, Set.of()));
  }

  @Override
  public void retry() {
    calls.add("retry");
    held.clear();
  }

  @Override
  public int pending() {
    return parts().stream().mapToInt(this::pending).sum();
  }

  @Override
  public int pending(String part) {
    if (part.equals("routes")) {
      return pendingRoutes().size();
    }
    Set<String> missing = new TreeSet<>(wantedPods.keySet());
    missing.removeAll(kernelPods);
    Set<String> extra = new TreeSet<>(kernelPods);
    extra.removeAll(wantedPods.keySet());
    return missing.size() + extra.size();
  }

  @Override
  public List<Condition> conditions() {
    return List.of();
  }

  @Override
  public Progress attachProgress(LocalPod pod) {
    for (var ip : pod.addresses()) {
      if (refused.contains(Prefix.host(ip))) {
        ObjectRef object = new ObjectRef("route", Prefix.host(ip).toString());
        return new Progress.Failed(new Condition(Reason.KERNEL_REFUSED, object, "", "No.", "Ask."));
      }
    }
    return kernelPods.contains(pod.device())
            && pod.addresses().stream().allMatch(ip -> kernelRoutes.containsKey(Prefix.host(ip)))
        ? new Progress.Done()
        : new Progress.Pending();
  }

  @Override
  public Progress translationProgress() {
    return new Progress.Done();
  }

  @Override
  public Progress detachProgress(LocalPod pod) {
    return kernelPods.contains(pod.device()) ? new Progress.Pending() : new Progress.Done();
  }

  private Set<Prefix> pendingRoutes() {
    Set<Prefix> pending = new TreeSet<>();
    wantedRoutes.forEach((prefix, route) -> {
      if (!route.equals(seenRoutes.get(prefix)) && !held.contains(prefix)) {
        pending.add(prefix);
      }
    });
    if (sweep) {
      seenRoutes.keySet().stream()
          .filter(prefix -> !wantedRoutes.containsKey(prefix))
          .forEach(pending::add);
    }
    return pending;
  }
}
