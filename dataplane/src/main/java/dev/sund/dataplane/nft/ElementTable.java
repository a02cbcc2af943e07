package dev.sund.dataplane.nft;

import dev.sund.engine.program.Change;
import dev.sund.kernel.nft.Bytes;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The elements of our table that are wanted beside those that were last seen in the kernel: what
 * {@link dev.sund.dataplane.DeltaTable} is for other drivers, with the same rules, for hundreds of
 * thousands of entries.
 *
 * <p>An element is one small object, found by the hash of its key in its set; what is seen as it is
 * wanted is kept once. Only sets are ordered, by their names (see {@link RangeKey}), and the ranges
 * of sets of ranges; the elements of a set are put in the order in which they came to be wanted. A
 * change costs the same however many there are.
 *
 * <p>Not for several threads.
 */
final class ElementTable {
  private static final int SMALLEST = 16;

  private final TreeMap<String, Part> parts = new TreeMap<>();
  private final Map<String, Part> byName = new HashMap<>();
  private Part last = new Part("");
  private int putCount;
  private int removeCount;
  private int seenCount;
  private boolean sweep;

  // What is wanted.

  /** From now on {@code key} is to be {@code entry}. */
  void want(RangeKey key, Entry entry) {
    Part part = part(key.set());
    Element element = part.findOrAdd(key);
    if (element.held && !entry.equals(element.wanted)) {
      element.held = false;
    }
    element.released = false;
    element.wanted = entry;
    if (element.seen != null && entry.equals(element.seen)) {
      element.seen = entry;
    }
    update(part, element);
  }

  /** From now on {@code key} is to be gone, whether or not it was ever wanted. */
  void unwant(RangeKey key) {
    Part part = part(key.set());
    Element element = part.find(key);
    if (element != null) {
      element.wanted = null;
      element.released = element.seen != null;
      element.held = false;
      update(part, element);
    }
  }

  /** From now on what was seen and never wanted is removed. */
  void allowSweep() {
    if (!sweep) {
      sweep = true;
      updateAll();
    }
  }

  /** Whether what was seen and never wanted is removed. */
  boolean sweepAllowed() {
    return sweep;
  }

  /** Leaves {@code key} out of what is pending until something about it changes. */
  void hold(RangeKey key) {
    Part part = part(key.set());
    Element element = part.find(key);
    if (element != null) {
      element.held = true;
      update(part, element);
    }
  }

  /** Takes all held keys up again. */
  void retry() {
    parts.values().forEach(part -> part.forEach(element -> element.held = false));
    updateAll();
  }

  // What is there.

  /** The change has been made. */
  void done(Change<RangeKey, Entry> change) {
    if (change instanceof Change.Put<RangeKey, Entry> put) {
      see(put.key(), put.value());
    } else {
      unsee(change.key());
    }
  }

  private void see(RangeKey key, Entry entry) {
    Part part = part(key.set());
    // What is done is mostly what was first in line.
    Element element = part.puts.first;
    if (element == null || element.low != key.low() || element.high != key.high()) {
      element = part.findOrAdd(key);
    }
    if (element.held && !entry.equals(element.seen)) {
      element.held = false;
    }
    part.see(element, entry.equals(element.wanted) ? element.wanted : entry);
    update(part, element);
  }

  private void unsee(RangeKey key) {
    Part part = part(key.set());
    Element element = part.find(key);
    if (element != null) {
      if (element.seen != null || element.wanted == null) {
        element.held = false;
      }
      element.released = false;
      part.see(element, null);
      update(part, element);
    }
  }

  /** The kernel has exactly these; what was held is tried again. */
  void seeAll(NavigableMap<RangeKey, Entry> all) {
    parts
        .values()
        .forEach(part ->
            part.forEach(element -> {
              element.held = false;
              part.see(element, null);
            }));
    all.forEach((key, entry) -> {
      Part part = part(key.set());
      Element element = part.findOrAdd(key);
      part.see(element, entry.equals(element.wanted) ? element.wanted : entry);
    });
    parts
        .values()
        .forEach(part -> part.forEach(element -> element.released &= element.seen != null));
    updateAll();
  }

  /** How many elements were last seen. */
  int seenCount() {
    return seenCount;
  }

  /** How many elements of a set were last seen. */
  int seenCount(String set) {
    Part part = byName.get(set);
    return part == null ? 0 : part.seenCount;
  }

  /** The sets of which elements were last seen. */
  SortedSet<String> seenSets() {
    SortedSet<String> sets = new TreeSet<>();
    parts
        .values()
        .forEach(part -> {
          if (part.seenCount > 0) {
            sets.add(part.set);
          }
        });
    return sets;
  }

  /** A sorted copy of what was last seen. */
  NavigableMap<RangeKey, Entry> seen() {
    NavigableMap<RangeKey, Entry> all = new TreeMap<>();
    parts
        .values()
        .forEach(part ->
            part.forEach(element -> {
              if (element.seen != null) {
                all.put(element.key(part.set), element.seen);
              }
            }));
    return all;
  }

  /** A sorted copy of what is wanted. */
  NavigableMap<RangeKey, Entry> wanted() {
    NavigableMap<RangeKey, Entry> all = new TreeMap<>();
    parts
        .values()
        .forEach(part ->
            part.forEach(element -> {
              if (element.wanted != null) {
                all.put(element.key(part.set), element.wanted);
              }
            }));
    return all;
  }

  /** What was last seen in a set of ranges and shares a key with {@code key}. */
  Map<RangeKey, Entry> overlapping(RangeKey key) {
    Map<RangeKey, Entry> found = new TreeMap<>();
    Part part = byName.get(key.set());
    if (part != null) {
      for (Element element : part.ranges.values()) {
        if (element.low.compareTo(key.high()) > 0) {
          break;
        }
        if (element.seen != null && element.high.compareTo(key.low()) >= 0) {
          found.put(element.key(part.set), element.seen);
        }
      }
    }
    return found;
  }

  /** Whether this is wanted. */
  boolean isWanted(RangeKey key) {
    Part part = byName.get(key.set());
    Element element = part == null ? null : part.find(key);
    return element != null && element.wanted != null;
  }

  /** Whether this is as it is wanted: there, or gone. */
  boolean isSettled(RangeKey key) {
    Part part = byName.get(key.set());
    Element element = part == null ? null : part.find(key);
    return element == null
        || (element.wanted == null
            ? element.seen == null || !element.released
            : element.wanted.equals(element.seen));
  }

  // What is to be done.

  /** The first {@code most} entries to write, set by set. */
  List<Change.Put<RangeKey, Entry>> puts(int most) {
    List<Change.Put<RangeKey, Entry>> changes = new ArrayList<>(Math.min(most, putCount));
    for (Part part : parts.values()) {
      for (Element element = part.puts.first;
          element != null && changes.size() < most;
          element = element.next) {
        if (element.wanted != null) {
          changes.add(
              new Change.Put<>(
                  element.key(part.set), element.wanted, Optional.ofNullable(element.seen)));
        }
      }
    }
    return changes;
  }

  /** The first {@code most} entries to remove, the last set first. */
  List<Change.Remove<RangeKey, Entry>> removes(int most) {
    List<Change.Remove<RangeKey, Entry>> changes = new ArrayList<>(Math.min(most, removeCount));
    for (Part part : parts.descendingMap().values()) {
      for (Element element = part.removes.first;
          element != null && changes.size() < most;
          element = element.next) {
        if (element.seen != null) {
          changes.add(new Change.Remove<>(element.key(part.set), element.seen));
        }
      }
    }
    return changes;
  }

  /** How many changes are pending, held ones left out. */
  int pending() {
    return putCount + removeCount;
  }

  private Part part(String set) {
    // Neighbours in a run of changes are mostly of one set, and name it by the same object.
    if (!last.set.equals(set)) {
      Part part = byName.get(set);
      if (part == null) {
        part = new Part(set);
        byName.put(set, part);
        parts.put(set, part);
      }
      last = part;
    }
    return last;
  }

  private void updateAll() {
    for (Part part : parts.values()) {
      List<Element> all = new ArrayList<>();
      part.forEach(all::add);
      all.forEach(element -> update(part, element));
    }
  }

  /** Writes down what is to be done about an element now, and forgets one that is nothing. */
  private void update(Part part, Element element) {
    Todo now = todo(element);
    if (now != element.todo) {
      switch (element.todo) {
        case NOTHING -> {}
        case PUT -> {
          part.puts.remove(element);
          putCount--;
        }
        case REMOVE -> {
          part.removes.remove(element);
          removeCount--;
        }
      }
      switch (now) {
        case NOTHING -> {}
        case PUT -> {
          part.puts.add(element);
          putCount++;
        }
        case REMOVE -> {
          part.removes.add(element);
          removeCount++;
        }
      }
      element.todo = now;
    }
    if (element.wanted == null && element.seen == null) {
      part.forget(element);
    }
  }

  private Todo todo(Element element) {
    Entry want = element.wanted;
    Entry have = element.seen;
    if (want == have || element.held || (want != null && want.equals(have))) {
      return Todo.NOTHING;
    }
    if (want != null) {
      return Todo.PUT;
    }
    return sweep || element.released ? Todo.REMOVE : Todo.NOTHING;
  }

  /** What is to be done about an element. */
  private enum Todo {
    NOTHING,
    PUT,
    REMOVE
  }

  /** A key, what is wanted at it and what was seen. */
  private static final class Element {
    final Bytes low;
    final Bytes high;
    @Nullable Entry wanted;
    @Nullable Entry seen;
    @Nullable Element before;
    @Nullable Element next;
    Todo todo = Todo.NOTHING;
    boolean released;
    boolean held;

    Element(RangeKey key) {
      low = key.low();
      high = key.high();
    }

    RangeKey key(String set) {
      return new RangeKey(set, low, high);
    }
  }

  /** Elements about which the same is to be done, in the order in which that came about. */
  private static final class Line {
    @Nullable Element first;
    @Nullable Element end;

    void add(Element element) {
      element.before = end;
      if (end == null) {
        first = element;
      } else {
        end.next = element;
      }
      end = element;
    }

    void remove(Element element) {
      if (element.before == null) {
        first = element.next;
      } else {
        element.before.next = element.next;
      }
      if (element.next == null) {
        end = element.before;
      } else {
        element.next.before = element.before;
      }
      element.before = null;
      element.next = null;
    }
  }

  /**
   * The elements of one set: by hash, the next free place taken where one is taken; or by range,
   * where ranges may overlap.
   */
  private final class Part {
    final String set;
    final boolean single;
    final Line puts = new Line();
    final Line removes = new Line();
    final TreeMap<RangeKey, Element> ranges = new TreeMap<>();
    private @Nullable Element[] places = new @Nullable Element[SMALLEST];

    /** The hash of the key at each place: most looks end here, and touch no element. */
    private int[] hashes = new int[SMALLEST];

    private int size;
    int seenCount;

    Part(String set) {
      this.set = set;
      this.single = RangeKey.isSetOfSingles(set);
    }

    @Nullable Element find(RangeKey key) {
      return single ? places[place(key.low(), key.low().hashCode())] : ranges.get(key);
    }

    Element findOrAdd(RangeKey key) {
      if (!single) {
        return ranges.computeIfAbsent(key, Element::new);
      }
      int hash = key.low().hashCode();
      int place = place(key.low(), hash);
      Element element = places[place];
      if (element == null) {
        element = new Element(key);
        places[place] = element;
        hashes[place] = hash;
        if (++size > places.length - (places.length >> 2)) {
          grow();
        }
      }
      return element;
    }

    void forget(Element element) {
      if (!single) {
        ranges.remove(element.key(set));
        return;
      }
      int gap = place(element.low, element.low.hashCode());
      places[gap] = null;
      size--;
      // Who stands behind the gap and could not stand in front of it moves into it.
      int mask = places.length - 1;
      for (int i = (gap + 1) & mask; ; i = (i + 1) & mask) {
        Element other = places[i];
        if (other == null) {
          return;
        }
        int home = home(hashes[i]);
        if (((i - home) & mask) >= ((i - gap) & mask)) {
          places[gap] = other;
          hashes[gap] = hashes[i];
          places[i] = null;
          gap = i;
        }
      }
    }

    void see(Element element, @Nullable Entry entry) {
      int more = (entry == null ? 0 : 1) - (element.seen == null ? 0 : 1);
      element.seen = entry;
      seenCount += more;
      ElementTable.this.seenCount += more;
    }

    void forEach(Consumer<Element> action) {
      if (single) {
        for (Element element : places) {
          if (element != null) {
            action.accept(element);
          }
        }
      } else {
        ranges.values().forEach(action);
      }
    }

    /** Where the element of a key is, or where there is room for it. */
    private int place(Bytes key, int hash) {
      int mask = places.length - 1;
      int place = home(hash);
      for (Element there = places[place];
          there != null && (hashes[place] != hash || !there.low.equals(key));
          there = places[place]) {
        place = (place + 1) & mask;
      }
      return place;
    }

    private int home(int hash) {
      return (hash * 0x9e3779b9) >>> (Integer.numberOfLeadingZeros(places.length) + 1);
    }

    private void grow() {
      @Nullable Element[] before = places;
      int[] hashesBefore = hashes;
      places = new @Nullable Element[2 * before.length];
      hashes = new int[places.length];
      int mask = places.length - 1;
      for (int i = 0; i < before.length; i++) {
        if (before[i] != null) {
          int place = home(hashesBefore[i]);
          while (places[place] != null) {
            place = (place + 1) & mask;
          }
          places[place] = before[i];
          hashes[place] = hashesBefore[i];
        }
      }
    }
  }
}
