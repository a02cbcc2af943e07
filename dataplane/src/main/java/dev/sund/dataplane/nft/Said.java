package dev.sund.dataplane.nft;

import dev.sund.engine.cluster.Policy;
import dev.sund.engine.program.PolicyVerdict;
import dev.sund.kernel.nft.Bytes;
import dev.sund.model.Marks;
import dev.sund.model.Reason;
import dev.sund.model.RuleId.Direction;
import java.util.Optional;

/**
 * What policies said about a packet: whether it may pass, and else why it may not. Between the
 * rules that decide and those that drop and count, it stands in the packet's priority.
 */
public enum Said {
  /** It may pass. */
  ALLOWED("allowed"),
  /** A NetworkPolicy isolates the pod, and no rule lets the packet pass. */
  ISOLATED("isolated"),
  /** A rule of a ClusterNetworkPolicy denies it. */
  DENIED("denied"),
  /** Nobody knows which policies concern the pod. */
  UNKNOWN("unknown");

  private final String label;

  Said(String label) {
    this.label = label;
  }

  /** Says why it may not pass, or that it may. */
  static Said of(PolicyVerdict verdict) {
    if (verdict.allowed()) {
      return ALLOWED;
    }
    return switch (verdict.rule().object().kind()) {
      case Policy.NETWORK_POLICY -> ISOLATED;
      case Policy.CLUSTER_NETWORK_POLICY -> DENIED;
      default -> UNKNOWN;
    };
  }

  /** What the packet's priority is when this has been said. */
  int priority() {
    return this == ALLOWED ? 0 : Marks.REFUSED_PRIORITY | ordinal();
  }

  /** {@link #priority} as the kernel keeps it. */
  Bytes bytes() {
    return Bytes.host32(priority());
  }

  /** What has this priority, if anything does. */
  static Optional<Said> ofPriority(int priority) {
    for (Said said : values()) {
      if (said.priority() == priority) {
        return Optional.of(said);
      }
    }
    return Optional.empty();
  }

  /**
   * The reason that people get.
   *
   * @throws IllegalStateException of what may pass
   */
  public Reason reason(Direction direction) {
    boolean out = direction == Direction.EGRESS;
    return switch (this) {
      case ALLOWED -> throw new IllegalStateException("what may pass needs no reason");
      case ISOLATED -> out ? Reason.POLICY_EGRESS : Reason.POLICY_INGRESS;
      case DENIED -> out ? Reason.CLUSTER_POLICY_EGRESS : Reason.CLUSTER_POLICY_INGRESS;
      case UNKNOWN -> Reason.POLICY_POD_UNKNOWN;
    };
  }

  /** {@code allowed}, {@code isolated}, {@code denied} or {@code unknown}. */
  public String label() {
    return label;
  }
}
