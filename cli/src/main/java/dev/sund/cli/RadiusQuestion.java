package dev.sund.cli;

import dev.sund.engine.policy.audit.PolicyScene;
import dev.sund.engine.policy.audit.Radius;
import dev.sund.engine.policy.audit.ScenePod;
import dev.sund.kube.policy.SceneObjects;
import dev.sund.model.LabelSelector;
import dev.sund.model.PodKey;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What {@code sund audit --from} and {@code --to} name: labels, a pod, a Service. */
final class RadiusQuestion {
  private static final String LABEL_SIGN = "=";

  private RadiusQuestion() {}

  /**
   * Who can reach what is named.
   *
   * @param namespace where it is; empty for all
   * @throws IllegalArgumentException when there is nothing of that name, or more than one
   */
  static Radius to(PolicyScene scene, SceneObjects objects, String namespace, String named) {
    Optional<String> service = service(named);
    if (service.isPresent()) {
      String where = namespace;
      String name = service.get();
      int slash = name.indexOf('/');
      if (slash >= 0) {
        where = name.substring(0, slash);
        name = name.substring(slash + 1);
      }
      String full = (where.isEmpty() ? "default" : where) + "/" + name;
      Map<String, String> labels =
          objects
              .selector(full)
              .orElseThrow(() -> new IllegalArgumentException("there is no Service " + full));
      if (labels.isEmpty()) {
        throw new IllegalArgumentException(
            "Service " + full + " has no selector: ask by the labels of its pods");
      }
      return Radius.to(scene, full.substring(0, full.indexOf('/')), LabelSelector.of(labels));
    }
    return named.contains(LABEL_SIGN)
        ? Radius.to(scene, namespace, labels(named))
        : Radius.to(scene, pod(scene, namespace, named));
  }

  private static Optional<String> service(String named) {
    for (String kind : List.of("service/", "services/", "svc/")) {
      if (named.startsWith(kind)) {
        return Optional.of(named.substring(kind.length()));
      }
    }
    return Optional.empty();
  }

  /** What was asked about, behind the number of its pods. */
  static String words(String named) {
    return named.contains(LABEL_SIGN)
        ? " with " + named
        : service(named).map(name -> " of service " + name).orElse(" " + named);
  }

  /**
   * The pod of a name: {@code NAMESPACE/NAME}, or a name that only one pod has.
   *
   * @param namespace where it is; empty for all
   * @throws IllegalArgumentException when there is none, or more than one
   */
  static PodKey pod(PolicyScene scene, String namespace, String named) {
    if (named.contains("/")) {
      return PodKey.parse(named);
    }
    List<PodKey> found =
        scene.pods().stream()
            .filter(pod -> namespace.isEmpty() || pod.namespace().equals(namespace))
            .map(ScenePod::pod)
            .map(pod -> pod.key())
            .filter(key -> key.name().equals(named))
            .toList();
    if (found.size() != 1) {
      throw new IllegalArgumentException(
          found.isEmpty()
              ? "there is no pod '" + named + "' (and labels are written LABEL=VALUE)"
              : "more than one pod is called '%s': %s".formatted(named, found));
    }
    return found.getFirst();
  }

  /** Labels as kubectl takes them with {@code -l}: {@code app=db,tier=back}. */
  private static LabelSelector labels(String selector) {
    Map<String, String> labels = new LinkedHashMap<>();
    for (String term : selector.split(",", -1)) {
      int equals = term.indexOf('=');
      if (equals <= 0) {
        throw new IllegalArgumentException("--to: '" + term + "' is not LABEL=VALUE");
      }
      boolean twice = term.startsWith("==", equals);
      labels.put(
          term.substring(0, equals).strip(), term.substring(equals + (twice ? 2 : 1)).strip());
    }
    return LabelSelector.of(labels);
  }
}
