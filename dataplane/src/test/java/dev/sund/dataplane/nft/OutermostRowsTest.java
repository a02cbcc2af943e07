package dev.sund.dataplane.nft;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.engine.program.Masquerade;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class OutermostRowsTest {
  private static final long SEED = Long.getLong("sund.seed", 20260104);

  @Test
  void afterAnyChangesTheElementsAreTheRowsThatNoOtherContains() {
    RandomRows random = new RandomRows(SEED);
    OutermostRows outermost = new OutermostRows();
    SortedMap<Masquerade.Key, Masquerade> rows = new TreeMap<>();
    SortedMap<Masquerade.Key, Masquerade> elements = new TreeMap<>();
    OutermostRows.Sink sink =
        new OutermostRows.Sink() {
          @Override
          public void put(Masquerade row) {
            elements.put(row.key(), row);
          }

          @Override
          public void remove(Masquerade row) {
            elements.remove(row.key());
          }
        };
    for (int i = 0; i < 2000; i++) {
      if (rows.isEmpty() || random.below(5) < 3) {
        Masquerade row = random.row();
        rows.put(row.key(), row);
        outermost.put(row, sink);
      } else {
        Masquerade.Key gone =
            rows.keySet().stream().skip(random.below(rows.size())).findFirst().orElseThrow();
        rows.remove(gone);
        outermost.remove(gone, sink);
      }
      assertThat(elements).as("seed %d, step %d", SEED, i).isEqualTo(naive(rows));
      if (rows.size() > 30) {
        rows.values().forEach(row -> outermost.remove(row.key(), sink));
        rows.clear();
        assertThat(elements).isEmpty();
      }
    }
  }

  private static SortedMap<Masquerade.Key, Masquerade> naive(Map<Masquerade.Key, Masquerade> rows) {
    SortedMap<Masquerade.Key, Masquerade> outermost = new TreeMap<>();
    for (Masquerade row : rows.values()) {
      boolean contained =
          rows.values().stream()
              .anyMatch(other ->
                  other.part() == row.part()
                      && !other.range().equals(row.range())
                      && other.range().contains(row.range()));
      if (!contained) {
        outermost.put(row.key(), row);
      }
    }
    return outermost;
  }
}
