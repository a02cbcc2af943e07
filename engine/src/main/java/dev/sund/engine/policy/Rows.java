package dev.sund.engine.policy;

import dev.sund.engine.program.Change;
import java.util.ArrayList;
import java.util.List;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** One table, and what its rows were when its changes were last told. */
final class Rows<K extends Comparable<K>, V> {
  private final NavigableMap<K, V> rows = new TreeMap<>();
  private final NavigableMap<K, Optional<V>> before = new TreeMap<>();

  void put(K key, V row) {
    @Nullable V was = rows.put(key, row);
    if (was == null || !was.equals(row)) {
      before.putIfAbsent(key, Optional.ofNullable(was));
    }
  }

  void remove(K key) {
    @Nullable V was = rows.remove(key);
    if (was != null) {
      before.putIfAbsent(key, Optional.of(was));
    }
  }

  /** Removes the rows from one key to another, both included. */
  void remove(K first, K last) {
    var range = rows.subMap(first, true, last, true);
    range.forEach((key, was) -> before.putIfAbsent(key, Optional.of(was)));
    range.clear();
  }

  @Nullable V get(K key) {
    return rows.get(key);
  }

  /** The rows as they are; not to be changed. */
  NavigableMap<K, V> all() {
    return rows;
  }

  /** What has changed since this was last asked, in the order of keys. */
  List<Change<K, V>> changes() {
    List<Change<K, V>> changes = new ArrayList<>(before.size());
    before.forEach((key, was) -> {
      @Nullable V now = rows.get(key);
      if (now != null) {
        if (was.isEmpty() || !was.get().equals(now)) {
          changes.add(new Change.Put<>(key, now, was));
        }
      } else if (was.isPresent()) {
        changes.add(new Change.Remove<>(key, was.get()));
      }
    });
    before.clear();
    return changes;
  }
}
