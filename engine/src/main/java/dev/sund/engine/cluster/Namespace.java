package dev.sund.engine.cluster;

import dev.sund.model.Checks;

/**
 * A namespace of the cluster. Nothing of the fabric depends on one; what selects by namespaces
 * does.
 *
 * @param name {@code metadata.name}
 * @param uid {@code metadata.uid}
 * @param created {@code metadata.creationTimestamp} in seconds since 1970
 */
public record Namespace(String name, String uid, long created) {
  public Namespace {
    Checks.notEmpty("namespace", name);
  }
}
