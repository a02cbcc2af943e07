package dev.sund.engine;

import dev.sund.engine.program.Change;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** One table of a program while it is kept up to date. */
final class Table<K extends Comparable<K>, V> {
  private final NavigableMap<K, V> rows = new TreeMap<>();

  /**
   * Makes the rows of {@code keys} anew and tells what changed, in the order of keys.
   *
   * @param row what a key's row is by the state as it is now; empty when it has none
   */
  List<Change<K, V>> refresh(Collection<K> keys, Function<K, Optional<V>> row) {
    List<Change<K, V>> changes = new ArrayList<>();
    List<K> sorted = new ArrayList<>(keys);
    sorted.sort(null);
    @Nullable K before = null;
    for (K key : sorted) {
      if (key.equals(before)) {
        continue;
      }
      before = key;
      V was = rows.get(key);
      Optional<V> now = row.apply(key);
      if (now.isPresent()) {
        if (!now.get().equals(was)) {
          rows.put(key, now.get());
          changes.add(new Change.Put<>(key, now.get(), Optional.ofNullable(was)));
        }
      } else if (was != null) {
        rows.remove(key);
        changes.add(new Change.Remove<>(key, was));
      }
    }
    return changes;
  }

  /** What changes when all of these rows go. */
  static <K extends Comparable<K>, V> List<Change<K, V>> removals(SortedMap<K, V> rows) {
    List<Change<K, V>> changes = new ArrayList<>(rows.size());
    rows.forEach((key, row) -> changes.add(new Change.Remove<>(key, row)));
    return changes;
  }

  /** The rows as they are. */
  NavigableMap<K, V> rows() {
    return rows;
  }
}
