package dev.sund.dataplane;

import dev.sund.engine.program.Change;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.NavigableMap;
import java.util.NavigableSet;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Predicate;

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
    released.remove(key);
    if (!value.equals(before)) {
      held.remove(key);
    }
    classify(key);
  }

  /** From now on {@code key} is to be gone, whether or not it was ever wanted. */
  public void unwant(K key) {
    wanted.remove(key);
    released.add(key);
    held.remove(key);
    classify(key);
  }

  /** The kernel has {@code value} at {@code key}. */
  public void see(K key, V value) {
    V before = seen.put(key, value);
    if (!value.equals(before)) {
      held.remove(key);
    }
    classify(key);
  }

  /** The kernel has nothing at {@code key}. */
  public void unsee(K key) {
    if (seen.remove(key) != null) {
      held.remove(key);
    }
    classify(key);
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
    seen.putAll(all);
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
      classifyAll();
    }
  }

  /** Whether strays are removed. */
  public boolean sweepAllowed() {
    return sweep;
  }

  /** Leaves {@code key} out of what is pending until something about it changes. */
  public void hold(K key) {
    held.add(key);
    classify(key);
  }

  /** Takes all held keys up again. */
  public void retry() {
    List<K> keys = List.copyOf(held);
    held.clear();
    keys.forEach(this::classify);
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
    wanted.keySet().forEach(this::classify);
    List.copyOf(seen.keySet()).forEach(this::classify);
    released.removeIf(key -> !seen.containsKey(key));
  }

  private void classify(K key) {
    puts.remove(key);
    removes.remove(key);
    V want = wanted.get(key);
    V have = seen.get(key);
    if (want == null && have == null) {
      released.remove(key);
      held.remove(key);
    } else if (!held.contains(key)) {
      if (want != null && !want.equals(have)) {
        puts.add(key);
      } else if (want == null && (sweep || released.contains(key))) {
        removes.add(key);
      }
    }
  }
}
