package dev.sund.engine.policy;

import dev.sund.engine.cluster.Policy;
import dev.sund.model.RuleId;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A policy as it was told; another one under its name is another object. */
final class Stated implements Comparable<Stated> {
  private static final Comparator<Stated> ORDER =
      Comparator.<Stated, Policy.Tier>comparing(one -> one.policy.tier())
          .thenComparingInt(one -> one.policy.priority())
          .thenComparing(Stated::namespace)
          .thenComparing(one -> one.policy.ref())
          .thenComparingLong(one -> one.serial);

  final Policy policy;

  /** How many of this node's pods it is about. */
  int pods;

  /** Tells it from the one that it replaces: for a moment there are both. */
  private final long serial;

  private @Nullable List<StatedRule> ingress;
  private @Nullable List<StatedRule> egress;

  Stated(Policy policy, long serial) {
    this.serial = serial;
    this.policy = policy;
  }

  /** The namespace whose pods alone it can be about; empty when it can be about all. */
  String namespace() {
    return policy.subject().namespace().orElse("");
  }

  /**
   * Whether it is about a pod.
   *
   * @param namespaceLabels null while the namespace is not known
   */
  boolean isAbout(
      String namespace, @Nullable Map<String, String> namespaceLabels, Map<String, String> labels) {
    return policy.subject().has(namespace, namespaceLabels, labels);
  }

  /** Whether its pods are closed in a direction but for what rules allow. */
  boolean isolates(RuleId.Direction direction) {
    return policy.isolates().contains(direction);
  }

  /** By which it is named where it isolates and no rule decided. */
  RuleId isolation(RuleId.Direction direction) {
    return policy.ruleId(direction, 0);
  }

  /** Its rules of a direction that are asked and can fit something, in their order. */
  List<StatedRule> rules(RuleId.Direction direction) {
    return switch (direction) {
      case NONE -> List.of();
      case INGRESS -> ingress == null ? ingress = made(direction) : ingress;
      case EGRESS -> egress == null ? egress = made(direction) : egress;
    };
  }

  private List<StatedRule> made(RuleId.Direction direction) {
    if (policy.tier() == Policy.Tier.NAMESPACE && !isolates(direction)) {
      return List.of();
    }
    return policy.rules().stream()
        .filter(rule -> rule.direction() == direction)
        .sorted(Comparator.comparingInt(Policy.Rule::index))
        .map(rule -> new StatedRule(this, rule))
        .filter(StatedRule::fitsSomething)
        .toList();
  }

  @Override
  public int compareTo(Stated other) {
    return ORDER.compare(this, other);
  }
}
