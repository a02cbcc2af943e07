package dev.sund.kube.manifest;

import dev.sund.engine.FabricSettings;
import dev.sund.engine.cluster.ClusterEvent;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What a set of manifests says.
 *
 * @param objects the objects of the kinds that Sund reads, in the order of the files; refused ones
 *     too
 * @param fabric what a {@code sund.dev/v1alpha1 Fabric} sets, when there is a usable one
 * @param findings errors first, each group in the order of the files
 */
public record Manifests(
    List<ManifestObject> objects, Optional<FabricSettings> fabric, List<Finding> findings) {
  public Manifests {
    objects = List.copyOf(objects);
    findings = List.copyOf(findings);
  }

  /** Whether some file or object could not be used. */
  public boolean hasErrors() {
    return findings.stream().anyMatch(Finding::isError);
  }

  /** What the engine is told: the objects, then {@link ClusterEvent.Synced}. */
  public List<ClusterEvent> events() {
    List<ClusterEvent> events = new ArrayList<>();
    objects.forEach(object -> object.event().ifPresent(events::add));
    events.add(new ClusterEvent.Synced());
    return events;
  }
}
