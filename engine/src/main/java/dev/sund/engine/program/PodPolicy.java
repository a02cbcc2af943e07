package dev.sund.engine.program;

import dev.sund.model.Ip;
import dev.sund.model.RuleId;
import java.util.List;

/**
 * What policy says of one direction of a pod's connections, on the pod's own node. Key: {@code
 * key}. A pod without a row for a direction is open in it.
 *
 * <p>Asked of connections that a node forwards, from or to its pods, after destinations were
 * translated and before sources are; and, for {@link RuleId.Direction#EGRESS}, of those from its
 * pods to itself. Never asked of what is born on the node (a pod's own node always reaches it), of
 * what a pod sends to itself, or of replies.
 *
 * <p>In the kernel: an element of a verdict map in the policy table, which has as many elements as
 * the node has pods.
 *
 * @param key which pod's address, which direction
 * @param profile which {@link PolicyPort} rows are asked: equal for all pods about whom policies
 *     say the same
 * @param isolating the policies that isolate the pod in this direction, sorted: each of them would
 *     open what one of its rules allows, and without a rule that does the connection ends here;
 *     empty when only policies of the cluster's tiers concern it
 */
public record PodPolicy(Key key, long profile, List<RuleId> isolating) {
  public PodPolicy {
    isolating = List.copyOf(isolating);
  }

  /**
   * Which pod, which direction.
   *
   * @param pod an address of a pod of this node
   * @param direction whether it is asked or asks; never {@code NONE}
   */
  public record Key(Ip pod, RuleId.Direction direction) implements Comparable<Key> {
    public Key {
      if (direction == RuleId.Direction.NONE) {
        throw new IllegalArgumentException(pod + ": a policy is about a direction");
      }
    }

    @Override
    public int compareTo(Key other) {
      int order = pod.compareTo(other.pod);
      return order == 0 ? direction.compareTo(other.direction) : order;
    }

    /** {@code 10.244.1.5 in}. */
    @Override
    public String toString() {
      return pod + " " + direction.label();
    }
  }
}
