package dev.sund.engine.cluster;

import dev.sund.model.Checks;
import dev.sund.model.Ip;
import dev.sund.model.PodKey;
import java.util.List;
import java.util.Optional;

/**
 * A container's link to a bridge of this node, as another plugin's network asked for it.
 *
 * @param key the container's id and interface, {@code ID/eth0}
 * @param device the node's end, a port of the bridge
 * @param bridge the bridge's device
 * @param pod the pod that it is, when the runtime says that it is one of a cluster
 * @param uid the pod's uid, empty when nobody said
 * @param addresses the container's, at least one; kept sorted
 * @param hairpin whether the bridge gives back to the port what came by it
 */
public record PortOnBridge(
    String key,
    String device,
    String bridge,
    Optional<PodKey> pod,
    String uid,
    List<Ip> addresses,
    boolean hairpin) {
  public PortOnBridge {
    Checks.notEmpty("key", key);
    Checks.notEmpty("device", device);
    Checks.that(!addresses.isEmpty(), "a container on a bridge that is known has an address");
    addresses = addresses.stream().sorted().toList();
  }
}
