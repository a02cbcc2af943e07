package dev.sund.engine;

import java.util.Collections;
import java.util.HashMap;
import java.util.Map;
import java.util.NavigableSet;
import java.util.Set;
import java.util.TreeSet;

/** Several values by each key, sorted; a key without values takes no room. */
final class Index<K, V> {
  private final Map<K, NavigableSet<V>> values = new HashMap<>();

  void put(K key, V value) {
    values.computeIfAbsent(key, _ -> new TreeSet<>()).add(value);
  }

  void remove(K key, V value) {
    values.computeIfPresent(
        key,
        (_, of) -> {
          of.remove(value);
          return of.isEmpty() ? null : of;
        });
  }

  /** The values of a key. */
  NavigableSet<V> of(K key) {
    return values.getOrDefault(key, Collections.emptyNavigableSet());
  }

  /** The keys that have values. */
  Set<K> keys() {
    return Collections.unmodifiableSet(values.keySet());
  }
}
