package dev.sund.engine.program;

import dev.sund.engine.cluster.Policy;
import dev.sund.model.Reason;
import dev.sund.model.RuleId;

/**
 * Whether peers of one class may have a connection. Key: {@code key}. A class without a row is
 * judged by the row of class {@link PolicyPeer#OTHERS}, which there always is.
 *
 * <p>In the kernel: an element of a set, one set for each {@code peers} number.
 *
 * @param key of which {@link PolicyPort#peers}, which class
 * @param allowed whether the connection goes on
 * @param rule the rule that decided: of several that allow it the first, in the order of policies'
 *     kinds, tiers, priorities, namespaces and names. Where no rule allows it and {@link
 *     PodPolicy#isolating} is not empty, the first of those, with index 0
 */
public record PolicyVerdict(Key key, boolean allowed, RuleId rule) {
  /**
   * Why a connection that is not allowed ends.
   *
   * @param direction in which the pod was asked about
   */
  public Reason refusal(RuleId.Direction direction) {
    boolean out = direction == RuleId.Direction.EGRESS;
    return switch (rule.object().kind()) {
      case Policy.NETWORK_POLICY -> out ? Reason.POLICY_EGRESS : Reason.POLICY_INGRESS;
      case Policy.CLUSTER_NETWORK_POLICY ->
          out ? Reason.CLUSTER_POLICY_EGRESS : Reason.CLUSTER_POLICY_INGRESS;
      default -> Reason.POLICY_POD_UNKNOWN;
    };
  }

  /** Which number of peers, which class. */
  public record Key(long peers, int peerClass) implements Comparable<Key> {
    /** The row for classes that have none. */
    public static Key others(long peers) {
      return new Key(peers, PolicyPeer.OTHERS);
    }

    @Override
    public int compareTo(Key other) {
      int order = Long.compareUnsigned(peers, other.peers);
      return order == 0 ? Integer.compareUnsigned(peerClass, other.peerClass) : order;
    }

    /** {@code 7d21f09b2d4e55aa class 81f3c2d0}. */
    @Override
    public String toString() {
      return "%016x class %08x".formatted(peers, peerClass);
    }
  }
}
