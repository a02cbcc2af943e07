package dev.sund.engine.policy.audit;

import dev.sund.engine.policy.WorkloadLabels;
import dev.sund.engine.policy.seen.SeenParty;
import dev.sund.model.Ip;
import dev.sund.model.Prefix;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Which pods of a scene an end of a connection that was seen stands for. */
final class SeenEnds {
  private final Map<String, List<ScenePod>> byName = new HashMap<>();
  private final Map<SeenParty.Pods, List<ScenePod>> byLabels = new LinkedHashMap<>();
  private final Map<Ip, ScenePod> byAddress = new HashMap<>();

  /** Ends among pods that policies are about; of several with one address the first has it. */
  SeenEnds(Collection<ScenePod> pods) {
    for (ScenePod pod : pods) {
      if (pod.pod().counts()) {
        String name = pod.pod().key().toString();
        String workload = pod.workload().toString();
        put(byName, name, pod);
        if (!workload.equals(name)) {
          put(byName, workload, pod);
        }
        SeenParty.Pods labels =
            new SeenParty.Pods(pod.namespace(), WorkloadLabels.of(pod.pod().labels()));
        put(byLabels, labels, pod);
        pod.pod().addresses().forEach(ip -> byAddress.putIfAbsent(ip, pod));
      }
    }
  }

  private static <K> void put(Map<K, List<ScenePod>> map, K key, ScenePod pod) {
    map.computeIfAbsent(key, _ -> new ArrayList<>()).add(pod);
  }

  /**
   * The pods of a party. By labels they are those with just these, or, where a workload has got
   * more labels since, those that have them all.
   */
  List<ScenePod> pods(SeenParty party) {
    return switch (party) {
      case SeenParty.OwnNode() -> List.of();
      case SeenParty.Named(String name) -> byName.getOrDefault(name, List.of());
      case SeenParty.Range(Prefix prefix) ->
          prefix.isHost() ? at(prefix.address()).map(List::of).orElse(List.of()) : List.of();
      case SeenParty.Pods pods -> {
        List<ScenePod> found = byLabels.getOrDefault(pods, List.of());
        yield found.isEmpty() && !pods.labels().isEmpty() ? withAll(pods) : found;
      }
    };
  }

  private Optional<ScenePod> at(Ip address) {
    return Optional.ofNullable(byAddress.get(address));
  }

  private List<ScenePod> withAll(SeenParty.Pods wanted) {
    List<ScenePod> found = new ArrayList<>();
    byLabels.forEach((labels, pods) -> {
      if (labels.namespace().equals(wanted.namespace())
          && labels.labels().entrySet().containsAll(wanted.labels().entrySet())) {
        found.addAll(pods);
      }
    });
    return found;
  }
}
