package dev.sund.engine.cluster;

import dev.sund.model.Checks;
import java.util.Map;

/**
 * A namespace of the cluster. Nothing of the fabric depends on one; what selects by namespaces
 * does.
 *
 * @param name {@code metadata.name}
 * @param uid {@code metadata.uid}
 * @param created {@code metadata.creationTimestamp} in seconds since 1970
 * @param labels {@code metadata.labels}
 */
public record Namespace(String name, String uid, long created, Map<String, String> labels) {
  public Namespace {
    Checks.notEmpty("namespace", name);
    labels = Map.copyOf(labels);
  }

  /** A namespace without labels. */
  public Namespace(String name, String uid, long created) {
    this(name, uid, created, Map.of());
  }
}
