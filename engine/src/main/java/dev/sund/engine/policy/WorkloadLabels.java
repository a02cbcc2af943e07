package dev.sund.engine.policy;

import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What of a pod's labels is its workload's: without those that tell the pods of one workload from
 * each other, or its older pods from its newer ones.
 */
public final class WorkloadLabels {
  private static final Set<String> PASSING =
      Set.of(
          "app.kubernetes.io/version",
          "apps.kubernetes.io/pod-index",
          "batch.kubernetes.io/controller-uid",
          "batch.kubernetes.io/job-completion-index",
          "batch.kubernetes.io/job-name",
          "controller-revision-hash",
          "controller-uid",
          "helm.sh/chart",
          "job-name",
          "pod-template-generation",
          "pod-template-hash",
          "statefulset.kubernetes.io/pod-name");

  private WorkloadLabels() {}

  /** Those of a pod's labels that all pods of its workload have; a copy. */
  public static SortedMap<String, String> of(Map<String, String> labels) {
    SortedMap<String, String> kept = new TreeMap<>(labels);
    kept.keySet().removeAll(PASSING);
    return kept;
  }
}
