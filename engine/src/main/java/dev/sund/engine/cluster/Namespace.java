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
 * @param annotations those that say something of its pods' network
 */
public record Namespace(
    String name,
    String uid,
    long created,
    Map<String, String> labels,
    Map<String, String> annotations) {
  public Namespace {
    Checks.notEmpty("namespace", name);
    labels = Map.copyOf(labels);
    annotations = Map.copyOf(annotations);
  }

  /** A namespace without annotations. */
  public Namespace(String name, String uid, long created, Map<String, String> labels) {
    this(name, uid, created, labels, Map.of());
  }

  /** A namespace without labels. */
  public Namespace(String name, String uid, long created) {
    this(name, uid, created, Map.of());
  }
}
