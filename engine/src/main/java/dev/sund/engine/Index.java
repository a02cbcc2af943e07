package dev.sund.engine;

import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Several values by each key, sorted; a key without values takes no room, and a value hardly any:
 * they are few by each key.
 */
final class Index<K, V extends Comparable<? super V>> {
  private final Map<K, List<V>> values = new HashMap<>();

  void put(K key, V value) {
    values.merge(key, List.of(value), (all, one) -> SortedLists.with(all, one.getFirst()));
  }

  void remove(K key, V value) {
    values.computeIfPresent(
        key,
        (_, all) -> {
          List<V> rest = SortedLists.without(all, value);
          return rest.isEmpty() ? null : rest;
        });
  }

  /** The values of a key, sorted; later changes do not change it. */
  List<V> of(K key) {
    return values.getOrDefault(key, List.of());
  }

  /** The keys that have values. */
  Set<K> keys() {
    return Collections.unmodifiableSet(values.keySet());
  }
}
