package dev.sund.doctor.probe;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

/** The search for the largest packet of a way. */
class PathSearchTest {
  private final List<Integer> tried = new ArrayList<>();

  private int search(int carries, int least, int most, OptionalInt said) throws Exception {
    tried.clear();
    return PathSearch.largest(
        least,
        most,
        size -> {
          tried.add(size);
          return size <= carries;
        },
        () -> tried.isEmpty() || tried.getFirst() <= carries ? OptionalInt.empty() : said);
  }

  @Test
  void findsEverySizeInAFewSteps() throws Exception {
    for (int carries = 576; carries <= 1_500; carries++) {
      assertThat(search(carries, 576, 1_500, OptionalInt.empty())).isEqualTo(carries);
      assertThat(tried).hasSizeLessThanOrEqualTo(12);
    }
  }

  @Test
  void aWideWayIsTriedOnce() throws Exception {
    assertThat(search(9_000, 576, 9_000, OptionalInt.empty())).isEqualTo(9_000);
    assertThat(tried).containsExactly(9_000);
  }

  @Test
  void whatARouterSaysIsTriedFirstAndNotBelieved() throws Exception {
    assertThat(search(1_400, 576, 1_500, OptionalInt.of(1_400))).isEqualTo(1_400);
    assertThat(tried).containsExactly(1_500, 576, 1_400, 1_401);

    assertThat(search(1_450, 576, 1_500, OptionalInt.of(1_400))).isEqualTo(1_450);
    assertThat(search(1_300, 576, 1_500, OptionalInt.of(1_400))).isEqualTo(1_300);
    assertThat(search(1_300, 576, 1_500, OptionalInt.of(100))).isEqualTo(1_300);
  }

  @Test
  void nothingAtAllIsZero() throws Exception {
    assertThat(search(100, 576, 1_500, OptionalInt.empty())).isZero();
    assertThat(search(100, 1_280, 1_280, OptionalInt.empty())).isZero();
  }
}
