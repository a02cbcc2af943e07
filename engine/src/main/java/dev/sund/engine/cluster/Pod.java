package dev.sund.engine.cluster;

import dev.sund.model.Ip;
import dev.sund.model.NodeName;
import dev.sund.model.PodKey;
import dev.sund.model.Port;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A pod, as far as its network is concerned.
 *
 * @param key namespace and name
 * @param uid {@code metadata.uid}
 * @param created {@code metadata.creationTimestamp} in seconds since 1970
 * @param node {@code spec.nodeName}, empty while it is not scheduled
 * @param hostNetwork {@code spec.hostNetwork}: the pod has its node's addresses and no own
 * @param finished phase {@code Succeeded} or {@code Failed}: its addresses are free again
 * @param ips {@code status.podIPs}, at most one a family; empty while it has none
 * @param ports what its containers declare and probe, sorted, without repeats; a port with several
 *     names is there with each
 * @param hostPorts which of them are to be reached at the node's addresses too ({@code hostPort}),
 *     sorted; empty on the node's network
 * @param annotations those that say something of its network
 */
public record Pod(
    PodKey key,
    String uid,
    long created,
    Optional<NodeName> node,
    boolean hostNetwork,
    boolean finished,
    List<Ip> ips,
    List<Port> ports,
    List<PortMapping> hostPorts,
    Map<String, String> annotations) {
  public Pod {
    annotations = Map.copyOf(annotations);
    ips = List.copyOf(ips);
    ports = List.copyOf(ports);
    hostPorts = List.copyOf(hostPorts);
  }

  /** A pod without annotations. */
  public Pod(
      PodKey key,
      String uid,
      long created,
      Optional<NodeName> node,
      boolean hostNetwork,
      boolean finished,
      List<Ip> ips,
      List<Port> ports,
      List<PortMapping> hostPorts) {
    this(key, uid, created, node, hostNetwork, finished, ips, ports, hostPorts, Map.of());
  }

  /** A pod without host ports. */
  public Pod(
      PodKey key,
      String uid,
      long created,
      Optional<NodeName> node,
      boolean hostNetwork,
      boolean finished,
      List<Ip> ips,
      List<Port> ports) {
    this(key, uid, created, node, hostNetwork, finished, ips, ports, List.of());
  }
}
