package dev.sund.doctor.cluster;

import static dev.sund.doctor.cluster.ClusterObjects.at;
import static dev.sund.doctor.cluster.ClusterObjects.items;
import static dev.sund.doctor.cluster.ClusterObjects.name;
import static dev.sund.doctor.cluster.ClusterObjects.namespace;
import static dev.sund.doctor.cluster.ClusterObjects.pairs;
import static dev.sund.doctor.cluster.ClusterObjects.text;

import dev.sund.kube.tree.Tree;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;

/**
 * A cluster's pods as Services choose them. Each pod is found by any of its labels: thousands of
 * Services beside thousands of pods in one namespace are not compared one by one.
 */
final class ClusterPods {
  /**
   * A pod that has not ended.
   *
   * @param readySince in seconds since 1970, 0 when it does not say; nothing when it is not ready
   * @param ports that have a name
   */
  record One(String name, Map<String, String> labels, OptionalLong readySince, Set<String> ports) {}

  private record Label(String namespace, String key, String value) {}

  private final Set<String> names = new HashSet<>();
  private final Map<Label, List<One>> byLabel = new HashMap<>();

  ClusterPods(Collection<Tree.Mapping> pods) {
    for (Tree.Mapping pod : pods) {
      String name = name(pod);
      names.add(name);
      if (text(pod, "status", "phase").matches("Succeeded|Failed")) {
        continue;
      }
      One one = new One(name, pairs(pod, "metadata", "labels"), readySince(pod), namedPorts(pod));
      one.labels.forEach((key, value) ->
          byLabel
              .computeIfAbsent(new Label(namespace(name), key, value), _ -> new ArrayList<>())
              .add(one));
    }
  }

  /** Whether no pod is known at all. */
  boolean isEmpty() {
    return names.isEmpty();
  }

  /** Whether there is a pod {@code NAMESPACE/NAME}, also one that has ended. */
  boolean has(String name) {
    return names.contains(name);
  }

  /**
   * The pods of a namespace that have all these labels.
   *
   * @param selector not empty
   */
  List<One> chosen(String namespace, Map<String, String> selector) {
    Optional<List<One>> fewest = Optional.empty();
    for (Map.Entry<String, String> wanted : selector.entrySet()) {
      List<One> having =
          byLabel.getOrDefault(new Label(namespace, wanted.getKey(), wanted.getValue()), List.of());
      if (fewest.isEmpty() || having.size() < fewest.get().size()) {
        fewest = Optional.of(having);
      }
    }
    return fewest.orElse(List.of()).stream()
        .filter(pod -> pod.labels.entrySet().containsAll(selector.entrySet()))
        .toList();
  }

  private static Set<String> namedPorts(Tree.Mapping pod) {
    Set<String> names = new HashSet<>();
    // Among the first containers are those that go on beside the others.
    for (String list : List.of("containers", "initContainers")) {
      for (Tree.Mapping container : items(pod, "spec", list)) {
        items(container, "ports").forEach(port -> names.add(text(port, "name")));
      }
    }
    return names;
  }

  static OptionalLong readySince(Tree.Mapping pod) {
    if (at(pod, "metadata", "deletionTimestamp").isPresent()
        || text(pod, "status", "podIP").isEmpty()) {
      return OptionalLong.empty();
    }
    return items(pod, "status", "conditions").stream()
        .filter(one -> text(one, "type").equals("Ready") && text(one, "status").equals("True"))
        .mapToLong(one -> seconds(text(one, "lastTransitionTime")).orElse(0L))
        .findFirst();
  }

  /** A time as objects write it, in seconds since 1970. */
  static Optional<Long> seconds(String time) {
    try {
      return time.isEmpty() ? Optional.empty() : Optional.of(Instant.parse(time).getEpochSecond());
    } catch (DateTimeParseException _) {
      return Optional.empty();
    }
  }
}
