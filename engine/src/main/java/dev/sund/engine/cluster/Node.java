package dev.sund.engine.cluster;

import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.NodeName;
import dev.sund.model.Prefix;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A node of the cluster, as far as its network is concerned.
 *
 * @param name {@code metadata.name}
 * @param uid {@code metadata.uid}; the seed of its tunnels' MAC addresses
 * @param created {@code metadata.creationTimestamp} in seconds since 1970; the older of two objects
 *     in conflict holds
 * @param addresses the first {@code InternalIP} of each family; without any, no packets go to it
 * @param podCidrs {@code spec.podCIDRs}, at most one a family; may be empty
 * @param labels {@code metadata.labels}; pools select nodes by them
 */
public record Node(
    NodeName name,
    String uid,
    long created,
    List<Ip> addresses,
    List<Prefix> podCidrs,
    Map<String, String> labels) {
  public Node {
    addresses = List.copyOf(addresses);
    podCidrs = List.copyOf(podCidrs);
    labels = Map.copyOf(labels);
  }

  /** A node without labels. */
  public Node(NodeName name, String uid, long created, List<Ip> addresses, List<Prefix> podCidrs) {
    this(name, uid, created, addresses, podCidrs, Map.of());
  }

  /** Its address of this family. */
  public Optional<Ip> address(Family family) {
    for (Ip ip : addresses) {
      if (ip.family() == family) {
        return Optional.of(ip);
      }
    }
    return Optional.empty();
  }

  /** Its pod range of this family. */
  public Optional<Prefix> podCidr(Family family) {
    return podCidrs.stream().filter(cidr -> cidr.family() == family).findFirst();
  }
}
