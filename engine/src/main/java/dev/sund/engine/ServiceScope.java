package dev.sund.engine;

import dev.sund.engine.cluster.Node;
import dev.sund.engine.cluster.ServiceSettings;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.NodeName;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * All that a Service's rows have of this node. While it stays the same, nothing that happens to the
 * node touches a Service; when it changes, all of them are looked at.
 *
 * @param settings how Services are served
 * @param self this node
 * @param zone the zone that its label {@code topology.kubernetes.io/zone} names
 * @param addresses its addresses in the cluster
 * @param nodePorts where node ports are, of each family, sorted; a family is not in it while they
 *     are at all of the node's addresses
 * @param lent the address of each family that endpoints here see when a packet's own source will
 *     not do
 */
record ServiceScope(
    ServiceSettings settings,
    NodeName self,
    Optional<String> zone,
    List<Ip> addresses,
    Map<Family, List<Ip>> nodePorts,
    Map<Family, Ip> lent) {
  /** The label by which nodes say their zone. */
  static final String ZONE = "topology.kubernetes.io/zone";

  ServiceScope {
    addresses = List.copyOf(addresses);
    nodePorts = Map.copyOf(nodePorts);
    lent = Map.copyOf(lent);
  }

  /** The zone that a node says it is in. */
  static Optional<String> zone(Node node) {
    return Optional.ofNullable(node.labels().get(ZONE));
  }

  /** Of a node of which nothing is known yet. */
  static ServiceScope initial(NodeName self) {
    return new ServiceScope(
        ServiceSettings.DEFAULT, self, Optional.empty(), List.of(), Map.of(), Map.of());
  }

  /** Whether Services ask for the same places as in another scope. */
  boolean hasPlacesOf(ServiceScope other) {
    return settings.enabled() == other.settings.enabled() && nodePorts.equals(other.nodePorts);
  }
}
