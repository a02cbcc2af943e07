package dev.sund.engine.policy;

import dev.sund.model.Ip;
import dev.sund.model.PodKey;
import dev.sund.model.RuleId;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** A pod that the watch or this node knows. */
final class KnownPod {
  final PodKey key;

  /** Null while the watch does not know it, or it counts for nothing. */
  @Nullable PolicyPod told;

  /** Its addresses on this node; empty when it is on another one. */
  List<Ip> attached = List.of();

  /** The policies that are about it, in their order, while it is on this node. */
  List<Stated> policies = List.of();

  /** What is said of connections to it; null when nothing is, as for pods of other nodes. */
  @Nullable Profile ingress;

  /** What is said of connections from it. */
  @Nullable Profile egress;

  KnownPod(PodKey key) {
    this.key = key;
  }

  boolean isHere() {
    return !attached.isEmpty();
  }

  /** Whether it is on this node and policies cannot be asked, since nobody knows its labels. */
  boolean isUnknown() {
    return isHere() && told == null;
  }

  @Nullable Profile profile(RuleId.Direction direction) {
    return switch (direction) {
      case NONE -> null;
      case INGRESS -> ingress;
      case EGRESS -> egress;
    };
  }

  /** All addresses that it says or is known to have. */
  Set<Ip> addresses() {
    Set<Ip> all = new LinkedHashSet<>(attached);
    if (told != null) {
      all.addAll(told.addresses());
    }
    return all;
  }

  RuleId rule() {
    return RuleId.of("Pod", key.toString(), told == null ? "" : told.uid());
  }
}
