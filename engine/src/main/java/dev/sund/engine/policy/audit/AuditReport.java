package dev.sund.engine.policy.audit;

import dev.sund.engine.policy.reach.Outside;
import dev.sund.engine.policy.reach.PodGroup;
import dev.sund.engine.policy.reach.PortSet;
import dev.sund.engine.policy.reach.Reachability;
import dev.sund.model.Condition;
import dev.sund.model.ObjectRef;
import dev.sund.model.Severity;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * What an audit of a cluster's policies comes to.
 *
 * @param findings the worst first
 * @param namespaces what is open from each namespace's pods to each one's, where something is
 * @param workloads the same of workloads; empty where there are more than {@link #DRAWN}
 * @param fromInternet the workloads that addresses of the Internet may connect to
 * @param toInternet the workloads that may connect to addresses of the Internet
 * @param sizes how many pods each workload has
 * @param pods how many pods policies can be about
 * @param groups how many groups of them policies tell apart
 * @param policies how many there are
 * @param openPairs of how many pairs of different pods one may connect to the other on some port
 * @param assumptions what the objects left open
 */
public record AuditReport(
    List<AuditFinding> findings,
    SortedMap<Crossing<String>, Paths> namespaces,
    SortedMap<Crossing<ObjectRef>, Paths> workloads,
    SortedMap<ObjectRef, PortSet> fromInternet,
    SortedMap<ObjectRef, PortSet> toInternet,
    SortedMap<ObjectRef, Long> sizes,
    int pods,
    int groups,
    int policies,
    long openPairs,
    List<String> assumptions) {
  /** Of more workloads no paths are kept one by one. */
  public static final int DRAWN = 200;

  public AuditReport {
    findings = List.copyOf(findings);
    namespaces = Collections.unmodifiableSortedMap(namespaces);
    workloads = Collections.unmodifiableSortedMap(workloads);
    fromInternet = Collections.unmodifiableSortedMap(fromInternet);
    toInternet = Collections.unmodifiableSortedMap(toInternet);
    sizes = Collections.unmodifiableSortedMap(sizes);
    assumptions = List.copyOf(assumptions);
  }

  /** How many pairs of different pods there are. */
  public long allPairs() {
    return (long) pods * (pods - 1);
  }

  /** Audits a cluster. */
  public static AuditReport of(PolicyScene scene) {
    return new Making(scene).report();
  }

  private static final class Making {
    private final PolicyScene scene;
    private final Reachability reach;
    private final Workloads workloads;
    private final List<AuditFinding> findings = new ArrayList<>();
    private final SortedMap<Crossing<String>, Paths> namespaces = new TreeMap<>();
    private final SortedMap<Crossing<ObjectRef>, Paths> paths = new TreeMap<>();
    private final SortedMap<ObjectRef, PortSet> fromInternet = new TreeMap<>();
    private final SortedMap<ObjectRef, PortSet> toInternet = new TreeMap<>();
    private long openPairs;

    Making(PolicyScene scene) {
      this.scene = scene;
      this.reach = scene.reachability();
      this.workloads = new Workloads(scene, reach);
    }

    AuditReport report() {
      scene.conditions().forEach(this::faulty);
      new Exposure(scene, reach, workloads, findings).review();
      new RuleReview(scene, findings).review();
      walk();
      crossings();
      List<AuditFinding> sorted = new ArrayList<>(new TreeSet<>(findings));
      return new AuditReport(
          sorted,
          namespaces,
          paths,
          fromInternet,
          toInternet,
          new TreeMap<>(workloads.all()),
          reach.groups().stream().mapToInt(group -> group.pods().size()).sum(),
          reach.groups().size(),
          scene.policies().size(),
          openPairs,
          assumptions());
    }

    private List<String> assumptions() {
      List<String> all = new ArrayList<>(scene.assumptions());
      if (!reach.unplaced().isEmpty()) {
        all.add(
            "another pod has the address of %s, and they are left out"
                .formatted(
                    reach.unplaced().stream()
                        .map(Object::toString)
                        .collect(Collectors.joining(", "))));
      }
      return all;
    }

    private void faulty(Condition condition) {
      if (condition.severity() != Severity.ERROR) {
        return;
      }
      findings.add(
          new AuditFinding(
              Check.POLICY_FAULTY,
              Severity.ERROR,
              condition.object(),
              condition.field(),
              condition.text(),
              List.of(),
              Map.of(),
              condition.remedy(),
              ""));
    }

    /** All pairs of groups once. */
    private void walk() {
      boolean drawn = workloads.all().size() <= DRAWN;
      List<Map<String, Long>> spaces = new ArrayList<>();
      List<Map<ObjectRef, Long>> loads = new ArrayList<>();
      for (PodGroup group : reach.groups()) {
        spaces.add(Workloads.namespaces(group.pods()));
        loads.add(workloads.of(group));
        internet(group);
      }
      for (PodGroup from : reach.groups()) {
        for (PodGroup to : reach.groups()) {
          PortSet open = reach.open(from, to);
          if (open.isEmpty()) {
            continue;
          }
          boolean same = from.index() == to.index();
          long own = same ? from.pods().size() : 0;
          openPairs += (long) from.pods().size() * to.pods().size() - own;
          spread(spaces.get(from.index()), spaces.get(to.index()), same, open, namespaces);
          if (drawn) {
            spread(loads.get(from.index()), loads.get(to.index()), same, open, paths);
          }
        }
      }
    }

    private static <T extends Comparable<? super T>> void spread(
        Map<T, Long> from,
        Map<T, Long> to,
        boolean same,
        PortSet open,
        SortedMap<Crossing<T>, Paths> all) {
      from.forEach((one, pods) ->
          to.forEach((other, others) -> {
            // a pod is not asked about itself
            long pairs = pods * others - (same && one.equals(other) ? pods : 0);
            if (pairs > 0) {
              all.merge(new Crossing<>(one, other), new Paths(open, pairs), Paths::and);
            }
          }));
    }

    private void internet(PodGroup group) {
      for (Outside outside : reach.outside()) {
        if (outside.internet()) {
          PortSet in = reach.open(outside, group, outside.family());
          PortSet out = reach.open(group, outside, outside.family());
          for (ObjectRef workload : workloads.of(group).keySet()) {
            if (!in.isEmpty()) {
              fromInternet.merge(workload, in, PortSet::union);
            }
            if (!out.isEmpty()) {
              toInternet.merge(workload, out, PortSet::union);
            }
          }
        }
      }
    }

    private void crossings() {
      Map<String, SortedMap<String, Paths>> into = new TreeMap<>();
      namespaces.forEach((crossing, open) -> {
        if (!crossing.from().equals(crossing.to())) {
          into.computeIfAbsent(crossing.to(), _ -> new TreeMap<>()).put(crossing.from(), open);
        }
      });
      into.forEach((namespace, from) -> {
        Paths all = from.values().stream().reduce(Paths::and).orElseThrow();
        String some =
            from.keySet().stream().limit(5).collect(Collectors.joining(", "))
                + (from.size() > 5 ? " and " + (from.size() - 5) + " more" : "");
        findings.add(
            new AuditFinding(
                Check.CROSSES_NAMESPACES,
                Severity.INFO,
                new ObjectRef("Namespace", namespace),
                "",
                "pods of %s may connect to its pods on %s: %,d pairs."
                    .formatted(some, Exposure.words(all.ports()), all.pairs()),
                from.keySet().stream().map(name -> new ObjectRef("Namespace", name)).toList(),
                Map.of("namespaces", (long) from.size(), "pairs", all.pairs()),
                "Allow those that need it, and no others.",
                Remedies.sameNamespace(namespace)));
      });
    }
  }
}
