package dev.sund.engine.policy.audit;

import dev.sund.engine.policy.reach.Outside;
import dev.sund.engine.policy.reach.Party;
import dev.sund.engine.policy.reach.PodGroup;
import dev.sund.engine.policy.reach.PortSet;
import dev.sund.engine.policy.reach.Reachability;
import dev.sund.model.LabelSelector;
import dev.sund.model.ObjectRef;
import dev.sund.model.PodKey;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * What one pod can reach, or who can reach some pods: over all ports.
 *
 * @param pods it is about
 * @param workloads the other ends that are pods, by workload
 * @param outside the other ends that are not
 * @param reached how many other pods
 * @param others how many other pods there are
 */
public record Radius(
    List<PodKey> pods, List<Row> workloads, List<Row> outside, int reached, int others) {
  public Radius {
    pods = List.copyOf(pods);
    workloads = List.copyOf(workloads);
    outside = List.copyOf(outside);
  }

  /**
   * One other end.
   *
   * @param name a workload, or ranges of addresses
   * @param pods how many pods of the workload; 0 of addresses
   * @param of how many it has; 0 of addresses
   * @param ports on which some of them are open
   */
  public record Row(String name, long pods, long of, PortSet ports) {}

  /**
   * What a pod can reach.
   *
   * @throws IllegalArgumentException when there is no such pod, or none that policies are about
   */
  public static Radius from(PolicyScene scene, PodKey pod) {
    return new Search(scene).asked(List.of(pod), true);
  }

  /**
   * Who can reach pods.
   *
   * @param namespace the only one that is looked into; empty for all
   * @throws IllegalArgumentException when no pod has such labels
   */
  public static Radius to(PolicyScene scene, String namespace, LabelSelector labels) {
    List<PodKey> pods =
        scene.pods().stream()
            .filter(pod -> pod.pod().counts())
            .filter(pod -> namespace.isEmpty() || pod.namespace().equals(namespace))
            .filter(pod -> labels.matches(pod.pod().labels()))
            .map(pod -> pod.pod().key())
            .toList();
    if (pods.isEmpty()) {
      throw new IllegalArgumentException(
          "no pod%s has the labels %s"
              .formatted(namespace.isEmpty() ? "" : " of namespace " + namespace, labels));
    }
    return new Search(scene).asked(pods, false);
  }

  /**
   * Who can reach a pod.
   *
   * @throws IllegalArgumentException when there is no such pod, or none that policies are about
   */
  public static Radius to(PolicyScene scene, PodKey pod) {
    return new Search(scene).asked(List.of(pod), false);
  }

  private static final class Search {
    private final Reachability reach;
    private final Workloads workloads;

    Search(PolicyScene scene) {
      this.reach = scene.reachability();
      this.workloads = new Workloads(scene, reach);
    }

    Radius asked(List<PodKey> pods, boolean asking) {
      Set<PodGroup> groups = new LinkedHashSet<>();
      for (PodKey pod : pods) {
        groups.add(
            reach
                .group(pod)
                .orElseThrow(() ->
                    new IllegalArgumentException(
                        "there is no pod " + pod + " that policies can be about")));
      }
      Map<ObjectRef, Row> rows = new TreeMap<>();
      int reached = 0;
      int others = 0;
      for (PodGroup other : reach.groups()) {
        List<PodKey> members = new ArrayList<>(other.pods());
        if (pods.size() == 1) {
          members.removeAll(pods); // nobody asks of a pod whether it reaches itself
        }
        others += members.size();
        PortSet open = open(groups, other, asking);
        if (open.isEmpty()) {
          continue;
        }
        reached += members.size();
        for (PodKey member : members) {
          ObjectRef workload = workloads.pod(member).workload();
          rows.merge(
              workload,
              new Row(workload.toString(), 1, workloads.size(workload), open),
              (one, more) -> new Row(one.name, one.pods + 1, one.of, one.ports.union(more.ports)));
        }
      }
      List<Row> outside = new ArrayList<>();
      for (Outside other : reach.outside()) {
        PortSet open = open(groups, other, asking);
        if (!open.isEmpty()) {
          outside.add(new Row(other + (other.internet() ? " (Internet)" : ""), 0, 0, open));
        }
      }
      return new Radius(pods, List.copyOf(rows.values()), outside, reached, others);
    }

    private PortSet open(Set<PodGroup> groups, Party other, boolean asking) {
      PortSet open = PortSet.NONE;
      for (PodGroup group : groups) {
        open = open.union(asking ? reach.open(group, other) : reach.open(other, group));
      }
      return open;
    }
  }
}
