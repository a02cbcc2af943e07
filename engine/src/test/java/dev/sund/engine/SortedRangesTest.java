package dev.sund.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.model.Ip;
import dev.sund.model.Prefix;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

class SortedRangesTest {
  private static final Prefix RANGE = Prefix.parse("10.0.0.0/24");

  @Test
  void itHoldsWhatATreeHolds() {
    Property.forAll(
        200,
        random -> random,
        random -> {
          SortedRanges ranges = new SortedRanges();
          TreeSet<Prefix> tree = new TreeSet<>();
          for (int i = 0; i < 2_000; i++) {
            Prefix range = range(random);
            if (random.nextInt(5) < (i < 1_200 ? 4 : 1)) {
              ranges.add(range);
              tree.add(range);
            } else {
              Prefix gone = tree.isEmpty() ? range : tree.ceiling(range);
              ranges.remove(gone == null ? range : gone);
              tree.remove(gone == null ? range : gone);
            }
          }
          assertThat(ranges.all()).containsExactlyElementsOf(tree).hasSameSizeAs(tree);
          for (int i = 0; i < 50; i++) {
            Prefix at = range(random);
            assertThat(ranges.higher(at).orElse(null)).isEqualTo(tree.higher(at));
            Prefix wide = Prefix.around(at.address(), 8 + random.nextInt(at.length() - 7));
            List<Prefix> inside = new ArrayList<>(tree);
            inside.removeIf(one -> !wide.contains(one));
            assertThat(ranges.inside(wide)).containsExactlyElementsOf(inside);
          }
        });
  }

  @Test
  void whatComesInOrderIsThereInOrder() {
    SortedRanges ranges = new SortedRanges();
    List<Prefix> all = new ArrayList<>();
    for (int i = 0; i < 1_000; i++) {
      all.add(Prefix.host(Ip.parse("10.0.0.0").plus(i)));
    }
    all.forEach(ranges::add);
    all.forEach(ranges::add);
    assertThat(ranges.all()).containsExactlyElementsOf(all);
    assertThat(ranges.inside(RANGE)).hasSize(256);
    all.forEach(ranges::remove);
    assertThat(ranges.all()).isEmpty();
    assertThat(ranges.inside(RANGE)).isEmpty();
    assertThat(ranges.higher(RANGE)).isEmpty();
  }

  private static Prefix range(Random random) {
    boolean v4 = random.nextInt(4) > 0;
    Ip address =
        v4
            ? Ip.parse("10.0.0.0").plus(random.nextInt(2_000))
            : Ip.parse("fd00::").plus(random.nextInt(500));
    int bits = address.family().bits();
    return Prefix.around(address, random.nextBoolean() ? bits : bits - random.nextInt(12));
  }
}
