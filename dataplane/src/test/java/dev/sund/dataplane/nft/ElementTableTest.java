package dev.sund.dataplane.nft;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.dataplane.DeltaTable;
import dev.sund.engine.program.Change;
import dev.sund.kernel.nft.Bytes;
import dev.sund.kernel.nft.Data;
import dev.sund.model.RuleId;
import java.util.Comparator;
import java.util.List;
import java.util.NavigableMap;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Wanted and seen elements, and what is to be done: as {@link DeltaTable}, by its rules. */
class ElementTableTest {
  private static final List<String> SETS =
      List.of("answers", "cluster-v4", "endpoints-v4", "frontends-v4", "nat-outgoing-v4");

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4})
  void saysTheSameAsTheTableOfOtherDrivers(long seed) {
    Random random = new Random(seed);
    DeltaTable<RangeKey, Entry> model = new DeltaTable<>();
    ElementTable table = new ElementTable();
    for (int i = 0; i < 2_000; i++) {
      RangeKey key = key(random);
      Entry entry = entry(random);
      switch (random.nextInt(100)) {
        case 0 -> {
          model.retry();
          table.retry();
        }
        case 1 -> {
          NavigableMap<RangeKey, Entry> all = new TreeMap<>();
          for (int j = random.nextInt(60); j > 0; j--) {
            all.put(key(random), entry(random));
          }
          model.seeAll(all);
          table.seeAll(all);
        }
        case 2 -> {
          if (i > 1_000) {
            model.allowSweep();
            table.allowSweep();
          }
        }
        case 3, 4, 5, 6 -> {
          model.hold(key);
          table.hold(key);
        }
        default -> change(random, key, entry, model, table);
      }
      if (i % 7 == 0) {
        check(model, table);
      }
    }
  }

  private static void change(
      Random random,
      RangeKey key,
      Entry entry,
      DeltaTable<RangeKey, Entry> model,
      ElementTable table) {
    switch (random.nextInt(5)) {
      case 0, 1 -> {
        model.want(key, entry);
        table.want(key, entry);
      }
      case 2 -> {
        model.unwant(key);
        table.unwant(key);
      }
      case 3 ->
          table
              .puts(1 + random.nextInt(9))
              .forEach(put -> {
                model.done(put);
                table.done(put);
              });
      default ->
          table
              .removes(1 + random.nextInt(9))
              .forEach(remove -> {
                model.done(remove);
                table.done(remove);
              });
    }
  }

  private static void check(DeltaTable<RangeKey, Entry> model, ElementTable table) {
    assertThat(table.pending()).isEqualTo(model.pending());
    assertThat(table.wanted()).isEqualTo(model.wanted());
    assertThat(table.seen()).isEqualTo(model.seen());
    assertThat(table.seenCount()).isEqualTo(model.seen().size());
    List<Change.Put<RangeKey, Entry>> puts = table.puts(1_000);
    assertThat(puts).containsExactlyInAnyOrderElementsOf(model.puts(1_000));
    assertThat(puts)
        .extracting(put -> put.key().set())
        .isSortedAccordingTo(Comparator.naturalOrder());
    List<Change.Remove<RangeKey, Entry>> removes = table.removes(1_000);
    assertThat(removes).containsExactlyInAnyOrderElementsOf(model.removes(1_000));
    assertThat(removes)
        .extracting(remove -> remove.key().set())
        .isSortedAccordingTo(Comparator.reverseOrder());
    for (String set : SETS) {
      assertThat(table.seenCount(set))
          .isEqualTo(
              (int) model.seen().keySet().stream().filter(at -> at.set().equals(set)).count());
    }
  }

  private static RangeKey key(Random random) {
    String set = SETS.get(random.nextInt(SETS.size()));
    Bytes low = Bytes.u16(random.nextInt(40));
    return MasqueradeLowering.partOf(set).isEmpty()
        ? RangeKey.single(set, low)
        : new RangeKey(set, low, Bytes.u16(low.at(1) + random.nextInt(3)));
  }

  private static Entry entry(Random random) {
    int number = random.nextInt(3);
    return random.nextBoolean()
        ? Entry.of(RuleId.of("Service", "shop/web", "uid" + number), Bytes.u16(number))
        : Entry.of("Service:shop/web:uid" + number + ":none:0", new Data.Value(Bytes.u16(number)));
  }

  @Test
  void whatIsSeenAsItIsWantedIsKeptOnce() {
    ElementTable table = new ElementTable();
    RangeKey key = RangeKey.single("frontends-v4", Bytes.u16(1));
    Entry wanted = Entry.of(RuleId.builtin("one"), Bytes.u16(2));
    TreeMap<RangeKey, Entry> read = new TreeMap<>();
    read.put(key, Entry.of("Builtin:one::none:0", new Data.Value(Bytes.u16(2))));
    table.seeAll(read);
    table.want(key, wanted);
    assertThat(table.pending()).isZero();
    assertThat(table.seen().get(key)).isSameAs(wanted);
  }

  @Test
  void rangesThatShareAKeyAreFound() {
    ElementTable table = new ElementTable();
    TreeMap<RangeKey, Entry> read = new TreeMap<>();
    for (int low = 0; low < 100; low += 10) {
      read.put(
          new RangeKey("cluster-v4", Bytes.u16(low), Bytes.u16(low + 4)), Entry.of("range " + low));
    }
    table.seeAll(read);
    assertThat(table.overlapping(new RangeKey("cluster-v4", Bytes.u16(14), Bytes.u16(30))).values())
        .extracting(Entry::comment)
        .containsExactly("range 10", "range 20", "range 30");
  }
}
