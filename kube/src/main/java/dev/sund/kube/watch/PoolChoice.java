package dev.sund.kube.watch;

import dev.sund.engine.cluster.ClusterEvent;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * A cluster with Calico's own API server shows each pool, and each reservation, in two groups. The
 * preferred group's word counts; the other's is kept for when the preferred one falls silent about
 * a pool. Not for several threads.
 */
final class PoolChoice {
  private final List<Map<String, ClusterEvent>> groups = new ArrayList<>();

  /**
   * No pools yet.
   *
   * @param count how many groups there are, the preferred first
   */
  PoolChoice(int count) {
    for (int i = 0; i < count; i++) {
      groups.add(new TreeMap<>());
    }
  }

  /** What is to be told when a group says this of a pool, {@code PoolGone} included. */
  Optional<ClusterEvent> said(int group, ClusterEvent event) {
    String name = event.key().name();
    boolean gone =
        event instanceof ClusterEvent.PoolGone || event instanceof ClusterEvent.ReservationGone;
    if (gone) {
      groups.get(group).remove(name);
    } else {
      groups.get(group).put(name, event);
    }
    for (int preferred = 0; preferred < group; preferred++) {
      if (groups.get(preferred).containsKey(name)) {
        return Optional.empty();
      }
    }
    for (int next = group + 1; gone && next < groups.size(); next++) {
      ClusterEvent other = groups.get(next).get(name);
      if (other != null) {
        return Optional.of(other);
      }
    }
    return Optional.of(event);
  }
}
