package dev.sund.dataplane.nft;

import dev.sund.model.Reason;
import dev.sund.model.RuleId.Direction;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The places at which the tables {@code sund-policy} drop packets. Each has a name of its own: what
 * its rules show to the log begins with it, and its counters are in the set {@code drops-NAME}.
 */
public enum DropSite {
  /** What a pod sends, by what policies say. */
  EGRESS("egress", Direction.EGRESS, null),
  /** What is sent to a pod, by what policies say. */
  INGRESS("ingress", Direction.INGRESS, null),
  /** Sent from an address that is not the sender's. */
  SOURCE("source", Direction.EGRESS, Reason.SOURCE_NOT_OWN),
  /** A frame with a tag, from a container on a bridge. */
  TAGGED("tagged", Direction.EGRESS, Reason.TAGGED_FRAME),
  /** On a bridge, from a pod with policies, and seen by no rule of theirs. */
  UNSEEN_OUT("unseen-out", Direction.EGRESS, Reason.POLICY_UNSEEN),
  /** On a bridge, to a pod with policies, and seen by no rule of theirs. */
  UNSEEN_IN("unseen-in", Direction.INGRESS, Reason.POLICY_UNSEEN);

  private final String label;
  private final Direction direction;
  private final @Nullable Reason reason;

  DropSite(String label, Direction direction, @Nullable Reason reason) {
    this.label = label;
    this.direction = direction;
    this.reason = reason;
  }

  /** What the log's messages of this place begin with. */
  String label() {
    return label;
  }

  /** The set of counters of those that are counted by device. */
  String set() {
    return PolicyDrops.DROPS + label;
  }

  /** In which direction a pod of this node is asked about: whether it sent what is dropped. */
  public Direction direction() {
    return direction;
  }

  /** Why packets are dropped here; empty where policies say why. */
  public Optional<Reason> reason() {
    return Optional.ofNullable(reason);
  }

  /** The place whose rules show packets so; empty when there is none. */
  public static Optional<DropSite> ofPrefix(String prefix) {
    for (DropSite site : values()) {
      if (site.label.equals(prefix)) {
        return Optional.of(site);
      }
    }
    return Optional.empty();
  }
}
