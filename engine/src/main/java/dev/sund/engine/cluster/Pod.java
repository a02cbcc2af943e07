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
 * @param annotations those that say something of its network, and {@link #MIRROR}
 * @param labels by which policies know it
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
    Map<String, String> annotations,
    Map<String, String> labels) {
  /** The annotation by which a static pod's mirror says what uid its kubelet knows it by. */
  public static final String MIRROR = "kubernetes.io/config.mirror";

  public Pod {
    annotations = Map.copyOf(annotations);
    labels = Map.copyOf(labels);
    ips = List.copyOf(ips);
    ports = List.copyOf(ports);
    hostPorts = List.copyOf(hostPorts);
  }

  /** A pod without labels. */
  public Pod(
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
    this(
        key,
        uid,
        created,
        node,
        hostNetwork,
        finished,
        ips,
        ports,
        hostPorts,
        annotations,
        Map.of());
  }

  /** The same pod with these labels. */
  public Pod with(Map<String, String> others) {
    return new Pod(
        key, uid, created, node, hostNetwork, finished, ips, ports, hostPorts, annotations, others);
  }

  /** The same pod with these addresses. */
  public Pod at(List<Ip> addresses) {
    return new Pod(
        key,
        uid,
        created,
        node,
        hostNetwork,
        finished,
        addresses,
        ports,
        hostPorts,
        annotations,
        labels);
  }

  /** Whether this is the pod that a kubelet knows by {@code id}; empty for one that says none. */
  public boolean isKnownAs(String id) {
    return id.isEmpty() || uid.equals(id) || id.equals(annotations.get(MIRROR));
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
