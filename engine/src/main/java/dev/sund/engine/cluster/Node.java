package dev.sund.engine.cluster;

import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.NodeName;
import dev.sund.model.Prefix;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * A node of the cluster, as far as its network is concerned.
 *
 * @param name {@code metadata.name}
 * @param uid {@code metadata.uid}; the seed of its tunnels' MAC addresses
 * @param created {@code metadata.creationTimestamp} in seconds since 1970; the older of two objects
 *     in conflict holds
 * @param addresses by which it is reached, at most one a family: what it says in annotations, else
 *     its {@code InternalIP}; without any, no packets go to it
 * @param podCidrs {@code spec.podCIDRs}, at most one a family; may be empty
 * @param labels {@code metadata.labels}; pools select nodes by them
 * @param internal the first {@code InternalIP} of each family
 * @param notice what it says of its addresses in annotations
 * @param others all further IP addresses of {@code status.addresses}, of whatever type: policies
 *     know the node by them too
 */
public record Node(
    NodeName name,
    String uid,
    long created,
    List<Ip> addresses,
    List<Prefix> podCidrs,
    Map<String, String> labels,
    List<Ip> internal,
    AddressNotice notice,
    List<Ip> others) {
  public Node {
    addresses = List.copyOf(addresses);
    podCidrs = List.copyOf(podCidrs);
    labels = Map.copyOf(labels);
    internal = List.copyOf(internal);
    others = List.copyOf(others);
  }

  /** A node without labels. */
  public Node(NodeName name, String uid, long created, List<Ip> addresses, List<Prefix> podCidrs) {
    this(name, uid, created, addresses, podCidrs, Map.of());
  }

  /** A node that is reached by its {@code InternalIP}s. */
  public Node(
      NodeName name,
      String uid,
      long created,
      List<Ip> addresses,
      List<Prefix> podCidrs,
      Map<String, String> labels) {
    this(name, uid, created, addresses, podCidrs, labels, addresses, AddressNotice.NONE, List.of());
  }

  /** A node as its object has it: where the notice says something, that counts. */
  public static Node told(
      NodeName name,
      String uid,
      long created,
      List<Ip> internal,
      AddressNotice notice,
      List<Prefix> podCidrs,
      Map<String, String> labels) {
    List<Ip> addresses = new ArrayList<>();
    for (Family family : Family.values()) {
      Optional<Ip> said = notice.said().get(family);
      (said != null ? said : first(internal, family)).ifPresent(addresses::add);
    }
    return new Node(name, uid, created, addresses, podCidrs, labels, internal, notice, List.of());
  }

  /** The same node with all IP addresses that its status names. */
  public Node withAll(List<Ip> named) {
    List<Ip> more = named.stream().distinct().filter(ip -> !internal.contains(ip)).toList();
    return new Node(name, uid, created, addresses, podCidrs, labels, internal, notice, more);
  }

  /** The same node, reached by other addresses and with other pod ranges. */
  public Node with(List<Ip> otherAddresses, List<Prefix> otherCidrs) {
    return new Node(
        name, uid, created, otherAddresses, otherCidrs, labels, internal, notice, others);
  }

  /** All addresses that are its own, by which it is reached or not. */
  public List<Ip> everyAddress() {
    return Stream.concat(addresses.stream(), internal.stream()).distinct().toList();
  }

  /**
   * All addresses by which policies know it: its own, all that its status names, and those of its
   * tunnels: the first of each pod range, or what they have taken from pools. A pod that has one of
   * the last is nobody's node.
   */
  public List<Ip> peerAddresses() {
    Stream<Ip> ofTunnels = podCidrs.stream().map(Prefix::address);
    return Stream.of(
            addresses.stream(),
            internal.stream(),
            others.stream(),
            ofTunnels,
            notice.tunnels().stream())
        .flatMap(each -> each)
        .distinct()
        .toList();
  }

  /** Its {@code InternalIP} of this family. */
  public Optional<Ip> internal(Family family) {
    return first(internal, family);
  }

  /** Its address of this family. */
  public Optional<Ip> address(Family family) {
    return first(addresses, family);
  }

  private static Optional<Ip> first(List<Ip> among, Family family) {
    for (Ip ip : among) {
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
