package dev.sund.dataplane;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.engine.program.Change;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

class DeltaTableTest {
  private final DeltaTable<String, Integer> table = new DeltaTable<>();

  @Test
  void whatIsWantedAndNotSeenIsPut() {
    table.want("b", 2);
    table.want("a", 1);

    assertThat(table.puts(9))
        .containsExactly(
            new Change.Put<>("a", 1, Optional.empty()), new Change.Put<>("b", 2, Optional.empty()));
  }

  @Test
  void whatIsSeenAsWantedNeedsNothing() {
    table.see("a", 1);
    table.want("a", 1);

    assertThat(table.pending()).isZero();
  }

  @Test
  void aStrayStaysUntilTheSweepIsAllowed() {
    table.see("a", 1);
    assertThat(table.removes(9)).isEmpty();

    table.allowSweep();
    assertThat(table.removes(9)).containsExactly(new Change.Remove<>("a", 1));
  }

  @Test
  void whatWasWantedAndIsNoMoreIsRemovedBeforeAnySweep() {
    table.see("a", 1);
    table.want("a", 1);
    table.unwant("a");

    assertThat(table.removes(9)).containsExactly(new Change.Remove<>("a", 1));
  }

  @Test
  void aHeldEntryWaitsForAChangeOrARetry() {
    table.want("a", 1);
    table.hold("a");
    assertThat(table.pending()).isZero();

    table.want("a", 1);
    assertThat(table.pending()).as("the same again is no change").isZero();
    table.want("a", 2);
    assertThat(table.pending()).isOne();

    table.hold("a");
    table.retry();
    assertThat(table.pending()).isOne();
  }

  @Test
  void removalsComeInReverseOrderAndInPieces() {
    table.allowSweep();
    for (String key : List.of("a", "b", "c")) {
      table.see(key, 1);
    }

    assertThat(table.removes(2)).extracting(Change::key).containsExactly("c", "b");
  }

  /** Random histories against a model that compares two maps from scratch each time. */
  @Test
  void agreesWithComparingTwoMaps() {
    long seed = Long.getLong("sund.seed", System.nanoTime());
    for (int round = 0; round < 300; round++) {
      agreesWithComparingTwoMaps(seed + round);
    }
  }

  private static void agreesWithComparingTwoMaps(long seed) {
    Random random = new Random(seed);
    DeltaTable<Integer, Integer> table = new DeltaTable<>();
    Naive naive = new Naive();
    for (int i = 0; i < 120; i++) {
      int key = random.nextInt(6);
      int value = random.nextInt(3);
      switch (random.nextInt(9)) {
        case 0, 1 -> {
          table.want(key, value);
          naive.want(key, value);
        }
        case 2 -> {
          table.unwant(key);
          naive.unwant(key);
        }
        case 3 -> {
          table.see(key, value);
          naive.see(key, value);
        }
        case 4 -> {
          table.unsee(key);
          naive.unsee(key);
        }
        case 5 -> {
          TreeMap<Integer, Integer> all = new TreeMap<>(Map.of(key, value, key + 1, value));
          table.seeAll(all);
          naive.seeAll(all);
        }
        case 6 -> {
          if (random.nextInt(10) == 0) {
            table.allowSweep();
            naive.sweep = true;
          }
        }
        case 7 -> {
          if (!table.puts(1).isEmpty()) {
            var change = table.puts(1).getFirst();
            table.done(change);
            naive.see(change.key(), change.value());
          }
        }
        default -> {
          table.hold(key);
          naive.hold(key);
        }
      }
      assertThat(changes(table)).as("seed %d step %d", seed, i).isEqualTo(naive.changes());
      assertThat(table.pending()).isEqualTo(naive.changes().size());
    }
  }

  private static List<Change<Integer, Integer>> changes(DeltaTable<Integer, Integer> table) {
    List<Change<Integer, Integer>> all = new ArrayList<>(table.puts(100));
    all.addAll(table.removes(100).reversed());
    return all;
  }

  private static final class Naive {
    final Map<Integer, Integer> wanted = new TreeMap<>();
    final Map<Integer, Integer> seen = new TreeMap<>();
    final Set<Integer> released = new HashSet<>();
    final Set<Integer> held = new HashSet<>();
    boolean sweep;

    void want(int key, int value) {
      Integer before = wanted.put(key, value);
      released.remove(key);
      if (before == null || before != value) {
        held.remove(key);
      }
    }

    void unwant(int key) {
      wanted.remove(key);
      held.remove(key);
      if (seen.containsKey(key)) {
        released.add(key);
      }
    }

    void see(int key, int value) {
      Integer before = seen.put(key, value);
      if (before == null || before != value) {
        held.remove(key);
      }
    }

    void unsee(int key) {
      if (seen.remove(key) != null) {
        held.remove(key);
      }
      released.remove(key);
    }

    void seeAll(Map<Integer, Integer> all) {
      seen.clear();
      seen.putAll(all);
      released.retainAll(all.keySet());
      held.clear();
    }

    void hold(int key) {
      if (wanted.containsKey(key) || seen.containsKey(key)) {
        held.add(key);
      }
    }

    List<Change<Integer, Integer>> changes() {
      List<Change<Integer, Integer>> puts = new ArrayList<>();
      List<Change<Integer, Integer>> removes = new ArrayList<>();
      Set<Integer> keys = new TreeSet<>(wanted.keySet());
      keys.addAll(seen.keySet());
      for (int key : keys) {
        Integer want = wanted.get(key);
        Integer have = seen.get(key);
        if (held.contains(key)) {
          continue;
        }
        if (want != null && !want.equals(have)) {
          puts.add(new Change.Put<>(key, want, Optional.ofNullable(have)));
        } else if (want == null && have != null && (sweep || released.contains(key))) {
          removes.add(new Change.Remove<>(key, have));
        }
      }
      puts.addAll(removes);
      return puts;
    }
  }
}
