package dev.sund.engine;

import dev.sund.model.Condition;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The conditions that hold, by what was found about whom, and all of them in order. What changes
 * costs as much as it has, and where there is anything, one copy of the list of them all.
 */
final class ConditionBook {
  /** What each was found to have; nobody has an empty list. */
  private final Map<Object, List<Condition>> found = new HashMap<>();

  /** All of them in order, each once. */
  private final ArrayList<Condition> sorted = new ArrayList<>();

  /** How often one more than once is found. */
  private final Map<Condition, Integer> again = new HashMap<>();

  private List<Condition> all = List.of();
  private boolean changed;

  /** From now on these are found about {@code who}. */
  void note(Object who, List<Condition> now) {
    List<Condition> before = now.isEmpty() ? found.remove(who) : found.put(who, now);
    if (now.equals(before == null ? List.of() : before)) {
      return;
    }
    if (before != null) {
      before.forEach(this::drop);
    }
    now.forEach(this::add);
    changed = true;
  }

  /** What is found about somebody. */
  List<Condition> of(Object who) {
    return found.getOrDefault(who, List.of());
  }

  /** All that hold, sorted, each once; the same list until something changes. */
  List<Condition> all() {
    if (changed) {
      changed = false;
      all = List.copyOf(sorted);
    }
    return all;
  }

  private void add(Condition condition) {
    int at = Collections.binarySearch(sorted, condition);
    if (at < 0) {
      sorted.add(-at - 1, condition);
    } else {
      again.merge(condition, 1, Integer::sum);
    }
  }

  private void drop(Condition condition) {
    if (again.containsKey(condition)) {
      again.computeIfPresent(condition, (_, more) -> more == 1 ? null : more - 1);
    } else {
      sorted.remove(Collections.binarySearch(sorted, condition));
    }
  }
}
