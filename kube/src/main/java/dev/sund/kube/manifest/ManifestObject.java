package dev.sund.kube.manifest;

import dev.sund.engine.cluster.ClusterEvent;
import dev.sund.kube.object.Kinds;
import dev.sund.kube.tree.Tree;
import dev.sund.model.ObjectRef;
import java.util.Optional;

/**
 * An object of a kind that Sund reads, as its file has it.
 *
 * @param kind its kind
 * @param apiVersion its version, such as {@code v1}
 * @param ref its name
 * @param tree the whole object, with {@code apiVersion} and {@code kind}
 * @param event what the engine is told of it: seen, or refused; nothing of a namespace
 */
public record ManifestObject(
    Kinds kind, String apiVersion, ObjectRef ref, Tree.Mapping tree, Optional<ClusterEvent> event) {

  /** Whether it can be used as written. */
  public boolean usable() {
    return !(event.isPresent() && event.get() instanceof ClusterEvent.Refused);
  }
}
