package dev.sund.it.policy.oracle;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Which connections the policies of a cluster allow, told from the text of its objects. Of two
 * ClusterNetworkPolicies of one tier and priority, whose order Kubernetes leaves open, the one
 * whose name comes first is asked first: that is Sund's choice.
 */
public final class Oracle {
  private final Cluster cluster = new Cluster();
  private final List<NamespacePolicy> namespacePolicies = new ArrayList<>();
  private final List<ClusterPolicy> clusterPolicies = new ArrayList<>();

  private Oracle() {}

  /**
   * Reads a cluster.
   *
   * @param text a {@code kind: List} of namespaces, nodes, pods and policies
   */
  public static Oracle of(String text) {
    Oracle oracle = new Oracle();
    try {
      for (Map<String, Object> object : Json.objects(text)) {
        switch (Json.text(object.get("kind"))) {
          case "NetworkPolicy" ->
              oracle.namespacePolicies.add(new NamespacePolicy(oracle.cluster, object));
          case "ClusterNetworkPolicy" ->
              oracle.clusterPolicies.add(new ClusterPolicy(oracle.cluster, object));
          default -> oracle.cluster.add(object);
        }
      }
    } catch (NotUnderstood e) {
      throw new IllegalArgumentException(text, e);
    }
    oracle.clusterPolicies.sort(
        Comparator.comparingInt(ClusterPolicy::priority).thenComparing(ClusterPolicy::name));
    return oracle;
  }

  /**
   * What policies say of a connection.
   *
   * @param egress whether the sender's may leave
   * @param ingress whether the receiver's may enter
   */
  public record Answer(boolean egress, boolean ingress) {
    /** Both sides must allow it (N23). */
    public boolean allowed() {
      return egress && ingress;
    }
  }

  /**
   * Whether a connection is allowed.
   *
   * @param protocol TCP, UDP, SCTP or ICMP
   * @param port the destination's, after translation (N21); 0 for ICMP
   */
  public Answer mayConnect(End from, End to, String protocol, int port) {
    if (from.isPod() && from.pod().equals(to.pod())) {
      return new Answer(true, true); // N16, N17
    }
    Optional<Cluster.Pod> sender = cluster.pod(from);
    Optional<Cluster.Pod> receiver = cluster.pod(to);
    boolean egress = sender.isEmpty() || allows("Egress", sender.get(), to, to, protocol, port);
    boolean bornThere = // N15
        receiver.isPresent() && from.node().equals(receiver.get().node());
    boolean ingress =
        receiver.isEmpty()
            || bornThere
            || allows("Ingress", receiver.get(), from, to, protocol, port);
    return new Answer(egress, ingress);
  }

  /** N27: the cluster's first tier, NetworkPolicies, the cluster's last tier, and then all. */
  private boolean allows(
      String direction, Cluster.Pod pod, End other, End destination, String protocol, int port) {
    Optional<Boolean> first = tier("Admin", direction, pod, other, destination, protocol, port);
    if (first.isPresent()) {
      return first.get();
    }
    boolean isolated = false;
    boolean allowed = false; // N22: any rule of any policy
    for (NamespacePolicy policy : namespacePolicies) {
      if (policy.selects(pod) && policy.isolates(direction)) {
        isolated = true;
        allowed |= policy.allows(direction, other, destination, protocol, port);
      }
    }
    if (isolated) {
      return allowed;
    }
    return tier("Baseline", direction, pod, other, destination, protocol, port).orElse(true);
  }

  private Optional<Boolean> tier(
      String tier,
      String direction,
      Cluster.Pod pod,
      End other,
      End destination,
      String protocol,
      int port) {
    for (ClusterPolicy policy : clusterPolicies) {
      if (!policy.tier().equals(tier) || !policy.isAbout(pod)) {
        continue;
      }
      Optional<ClusterPolicy.Outcome> outcome =
          policy.judge(direction, other, destination, protocol, port);
      if (outcome.isPresent()) {
        return switch (outcome.get()) {
          case ACCEPT -> Optional.of(true);
          case DENY -> Optional.of(false);
          case PASS -> Optional.empty();
        };
      }
    }
    return Optional.empty();
  }
}
