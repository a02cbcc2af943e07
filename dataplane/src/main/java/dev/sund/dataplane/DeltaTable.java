package dev.sund.dataplane;

import dev.sund.engine.program.Change;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.NavigableSet;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * What is wanted beside what was last seen in the kernel, and the difference: the only memory of a
 * driver.
 *
 * <p>Wanting and seeing are cheap and touch nothing; {@link #puts} and {@link #removes} say what
 * would have to be done now, and {@link #done} or {@link #see} record that it was. The cost of a
 * change is the logarithm of the table's size; nothing lists the table but {@link #seeAll}.
 *
 * <p>What was seen and never wanted is a stray: it is removed only after {@link #allowSweep}, since
 * before the cluster's first full list nobody knows what will be wanted. What was wanted and is no
 * more is removed at once.
 *
 * <p>A key that is {@link #hold held} is left out until its entry or what was seen of it changes,
 * or until {@link #retry}: so that a refused entry costs nothing while other entries change.
 *
 * <p>Not for several threads.
 *
 * @param <K> the key, ordered
 * @param <V> the entry as the kernel can hold it, compared by {@code equals}
 */
public final class DeltaTable<K extends Comparable<K>, V> {
  private final NavigableMap<K, V> wanted = new TreeMap<>();
  private final NavigableMap<K, V> seen = new TreeMap<>();
  private final NavigableSet<K> released = new TreeSet<>();
  private final NavigableSet<K> held = new TreeSet<>();
  private final NavigableSet<K> puts;
  private final NavigableSet<K> removes = new TreeSet<>();
  private boolean sweep;

  /** An empty table that puts in the keys' order. */
  public DeltaTable() {
    this(Comparator.naturalOrder());
  }

  /**
   * An empty table.
   *
   * @param putOrder which entries are put first; never equal for different keys
   */
  public DeltaTable(Comparator<? super K> putOrder) {
    puts = new TreeSet<>(putOrder);
  }

  /** From now on {@code key} is to be {@code value}. */
  public void want(K key, V value) {
    V before = wanted.put(key, value);
    V have = seen.isEmpty() ? null : seen.get(key);
    Todo was = todo(key, before, have);
    if (!released.isEmpty()) {
      released.remove(key);
    }
    if (!value.equals(before)) {
      release(key);
    }
    note(key, was, todo(key, value, have));
  }

  /** From now on {@code key} is to be gone, whether or not it was ever wanted. */
  public void unwant(K key) {
    V have = seen.get(key);
    Todo was = todo(key, wanted.remove(key), have);
    if (have == null) {
      released.remove(key);
    } else {
      released.add(key);
    }
    release(key);
    note(key, was, todo(key, null, have));
  }

  /** The kernel has {@code value} at {@code key}. */
  public void see(K key, V value) {
    V before = seen.put(key, value);
    V want = wanted.get(key);
    Todo was = todo(key, want, before);
    if (!value.equals(before)) {
      release(key);
    }
    note(key, was, todo(key, want, value));
  }

  /** The kernel has nothing at {@code key}. */
  public void unsee(K key) {
    V before = seen.remove(key);
    V want = wanted.get(key);
    Todo was = todo(key, want, before);
    if (before != null || want == null) {
      release(key);
    }
    if (want == null) {
      released.remove(key);
    }
    note(key, was, todo(key, want, null));
  }

  /**
   * The kernel has nothing at any key whose seen entry passes {@code test}.
   *
   * @return how many these are
   */
  public int unseeIf(Predicate<V> test) {
    List<K> gone = new ArrayList<>();
    seen.forEach((key, value) -> {
      if (test.test(value)) {
        gone.add(key);
      }
    });
    gone.forEach(this::unsee);
    return gone.size();
  }

  /** The kernel has exactly these; what was held is tried again. */
  public void seeAll(NavigableMap<K, V> all) {
    seen.clear();
    // What is as it should be is kept once.
    all.forEach((key, value) -> {
      Map.Entry<K, V> same = wanted.ceilingEntry(key);
      if (same != null && same.getKey().equals(key) && same.getValue().equals(value)) {
        seen.put(same.getKey(), same.getValue());
      } else {
        seen.put(key, value);
      }
    });
    held.clear();
    classifyAll();
  }

  /** The change has been made. */
  public void done(Change<K, V> change) {
    switch (change) {
      case Change.Put<K, V>(K key, V value, Optional<V> _) -> see(key, value);
      case Change.Remove<K, V>(K key, V _) -> unsee(key);
    }
  }

  /** From now on strays are removed. */
  public void allowSweep() {
    if (!sweep) {
      sweep = true;
      seen.forEach((key, have) -> {
        if (!wanted.containsKey(key) && !released.contains(key)) {
          note(key, Todo.NOTHING, todo(key, null, have));
        }
      });
    }
  }

  /** Whether strays are removed. */
  public boolean sweepAllowed() {
    return sweep;
  }

  /** Leaves {@code key} out of what is pending until something about it changes. */
  public void hold(K key) {
    V want = wanted.get(key);
    V have = seen.get(key);
    if (want != null || have != null) {
      Todo was = todo(key, want, have);
      held.add(key);
      note(key, was, Todo.NOTHING);
    }
  }

  /** Takes all held keys up again. */
  public void retry() {
    List<K> keys = List.copyOf(held);
    held.clear();
    keys.forEach(key -> note(key, Todo.NOTHING, todo(key, wanted.get(key), seen.get(key))));
  }

  /** The first {@code most} entries to write, in the order of putting. */
  public List<Change.Put<K, V>> puts(int most) {
    List<Change.Put<K, V>> changes = new ArrayList<>();
    for (K key : puts) {
      if (changes.size() == most) {
        break;
      }
      V value = wanted.get(key);
      if (value != null) {
        changes.add(new Change.Put<>(key, value, Optional.ofNullable(seen.get(key))));
      }
    }
    return changes;
  }

  /** The first {@code most} entries to remove, in the reverse of the keys' order. */
  public List<Change.Remove<K, V>> removes(int most) {
    List<Change.Remove<K, V>> changes = new ArrayList<>();
    for (K key : removes.descendingSet()) {
      if (changes.size() == most) {
        break;
      }
      V was = seen.get(key);
      if (was != null) {
        changes.add(new Change.Remove<>(key, was));
      }
    }
    return changes;
  }

  /** How many changes are pending, held ones left out. */
  public int pending() {
    return puts.size() + removes.size();
  }

  /** How many keys are held. */
  public int heldCount() {
    return held.size();
  }

  /** The wanted entry at {@code key}. */
  public Optional<V> wanted(K key) {
    return Optional.ofNullable(wanted.get(key));
  }

  /** The entry last seen at {@code key}. */
  public Optional<V> seen(K key) {
    return Optional.ofNullable(seen.get(key));
  }

  /** All that is wanted: a view. */
  public NavigableMap<K, V> wanted() {
    return Collections.unmodifiableNavigableMap(wanted);
  }

  /** All that was last seen: a view. */
  public NavigableMap<K, V> seen() {
    return Collections.unmodifiableNavigableMap(seen);
  }

  private void classifyAll() {
    puts.clear();
    removes.clear();
    wanted.forEach((key, want) -> note(key, Todo.NOTHING, todo(key, want, seen.get(key))));
    seen.forEach((key, have) -> {
      if (!wanted.containsKey(key)) {
        note(key, Todo.NOTHING, todo(key, null, have));
      }
    });
    released.removeIf(key -> !seen.containsKey(key));
  }

  private void release(K key) {
    if (!held.isEmpty()) {
      held.remove(key);
    }
  }

  /** What is to be done about a key. */
  private enum Todo {
    NOTHING,
    PUT,
    REMOVE
  }

  private Todo todo(K key, @Nullable V want, @Nullable V have) {
    boolean differs = want == null ? have != null : !want.equals(have);
    if (!differs || (!held.isEmpty() && held.contains(key))) {
      return Todo.NOTHING;
    }
    if (want != null) {
      return Todo.PUT;
    }
    return sweep || released.contains(key) ? Todo.REMOVE : Todo.NOTHING;
  }

  /** Writes down what is to be done now, where that is something else than before. */
  private void note(K key, Todo was, Todo now) {
    if (was == now) {
      return;
    }
    switch (was) {
      case NOTHING -> {}
      case PUT -> puts.remove(key);
      case REMOVE -> removes.remove(key);
    }
    switch (now) {
      case NOTHING -> {}
      case PUT -> puts.add(key);
      case REMOVE -> removes.add(key);
    }
  }
}
