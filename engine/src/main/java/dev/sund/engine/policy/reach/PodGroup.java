package dev.sund.engine.policy.reach;

import dev.sund.model.Family;
import dev.sund.model.PodKey;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;

/**
 * Pods that no policy tells apart: what one of them may, all of them may, with the same peers, by
 * the same rules.
 *
 * @param index its place in {@link Reachability#groups}
 * @param pods sorted, at least one; they may be of several namespaces
 * @param classes of its addresses as peers of others, by the families that its pods have
 * @param ingress the profile of connections to it; empty when no policy concerns them
 * @param egress the profile of connections from it; empty when no policy concerns them
 */
public record PodGroup(
    int index,
    List<PodKey> pods,
    Map<Family, Integer> classes,
    OptionalLong ingress,
    OptionalLong egress)
    implements Party {
  public PodGroup {
    pods = List.copyOf(pods);
    Map<Family, Integer> sorted = new EnumMap<>(Family.class);
    sorted.putAll(classes);
    classes = Collections.unmodifiableMap(sorted);
  }

  /** {@code shop/web-1 and 4 others}. */
  @Override
  public String toString() {
    String first = pods.getFirst().toString();
    int others = pods.size() - 1;
    return others == 0 ? first : first + " and " + others + (others == 1 ? " other" : " others");
  }
}
