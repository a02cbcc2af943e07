package dev.sund.engine.policy.audit;

import dev.sund.engine.policy.reach.PodGroup;
import dev.sund.engine.policy.reach.Reachability;
import dev.sund.model.ObjectRef;
import dev.sund.model.PodKey;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Which workload and namespace each pod of a group is of. */
final class Workloads {
  private final Map<PodKey, ScenePod> pods = new HashMap<>();
  private final Map<ObjectRef, Long> sizes = new TreeMap<>();

  Workloads(PolicyScene scene, Reachability reach) {
    for (ScenePod pod : scene.pods()) {
      if (reach.group(pod.pod().key()).isPresent()) {
        pods.put(pod.pod().key(), pod);
        sizes.merge(pod.workload(), 1L, Long::sum);
      }
    }
  }

  ScenePod pod(PodKey key) {
    @Nullable ScenePod pod = pods.get(key);
    if (pod == null) {
      throw new IllegalStateException(key + " is no pod of the scene");
    }
    return pod;
  }

  /** How many pods each workload of a group has in it, by name. */
  Map<ObjectRef, Long> of(PodGroup group) {
    Map<ObjectRef, Long> counts = new TreeMap<>();
    for (PodKey key : group.pods()) {
      counts.merge(pod(key).workload(), 1L, Long::sum);
    }
    return counts;
  }

  /** How many pods each namespace has in a group. */
  static Map<String, Long> namespaces(List<PodKey> pods) {
    Map<String, Long> counts = new TreeMap<>();
    for (PodKey key : pods) {
      counts.merge(key.namespace(), 1L, Long::sum);
    }
    return counts;
  }

  /** How many pods a workload has. */
  long size(ObjectRef workload) {
    return sizes.getOrDefault(workload, 0L);
  }

  /** All, with how many pods each has. */
  Map<ObjectRef, Long> all() {
    return sizes;
  }
}
