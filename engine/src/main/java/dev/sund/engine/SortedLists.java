package dev.sund.engine;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** Short sorted lists without doubles that never change: each change makes another list. */
final class SortedLists {
  private SortedLists() {}

  /** The list with a value; the same one when it has it. */
  static <V extends Comparable<? super V>> List<V> with(List<V> sorted, V value) {
    int at = Collections.binarySearch(sorted, value);
    if (at >= 0) {
      return sorted;
    }
    List<V> more = new ArrayList<>(sorted.size() + 1);
    more.addAll(sorted);
    more.add(-at - 1, value);
    return List.copyOf(more);
  }

  /** The list without a value; the same one when it has it not. */
  static <V extends Comparable<? super V>> List<V> without(List<V> sorted, V value) {
    int at = Collections.binarySearch(sorted, value);
    if (at < 0) {
      return sorted;
    }
    List<V> rest = new ArrayList<>(sorted);
    rest.remove(at);
    return List.copyOf(rest);
  }
}
