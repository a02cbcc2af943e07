package dev.sund.dataplane;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class FailPointTest {
  private final List<String> log = new ArrayList<>();

  private List<Integer> send(List<Integer> batch) {
    log.add(batch.toString());
    return batch;
  }

  @Test
  void aBatchIsSplitWhereTheProcessDies() {
    FailPoint point = FailPoint.parse("routes:3", () -> log.add("dead"));

    point.through("routes", List.of(1, 2), this::send);
    point.through("pods", List.of(7, 8, 9, 10), this::send);
    point.through("routes", List.of(3, 4, 5), this::send);

    assertThat(log).containsExactly("[1, 2]", "[7, 8, 9, 10]", "[3]", "dead", "[4, 5]");
  }

  @Test
  void itCanDieBeforeTheFirstAndAfterTheLastMessage() {
    FailPoint.parse("routes:0", () -> log.add("dead")).through("routes", List.of(1, 2), this::send);
    FailPoint.parse("routes:2", () -> log.add("dead")).through("routes", List.of(1, 2), this::send);

    assertThat(log).containsExactly("dead", "[1, 2]", "[1, 2]", "dead");
  }

  @Test
  void transactionsAreCountedWhenTheyHavePassed() {
    FailPoint point = FailPoint.parse("nft:2", () -> log.add("dead"));

    point.passed("nft");
    assertThat(log).isEmpty();
    point.passed("nft");
    assertThat(log).containsExactly("dead");
  }

  @Test
  void aWrongTextIsNamed() {
    assertThatThrownBy(() -> FailPoint.parse("routes", () -> {}))
        .hasMessage("sund.failpoint must be DRIVER:MESSAGES such as routes:3, but is 'routes'");
  }

  @Test
  void oneMessageOfADriverIsRefusedAndNoMore() {
    System.setProperty(FailPoint.REFUSE, "routes:3");
    try {
      assertThat(FailPoint.refused("pods", 9)).isEqualTo(-1);
      assertThat(FailPoint.refused("routes", 2)).isEqualTo(-1);
      assertThat(FailPoint.refused("routes", 5)).isEqualTo(1);
      assertThat(System.getProperty(FailPoint.REFUSE)).isNull();
      assertThat(FailPoint.refused("routes", 5)).isEqualTo(-1);
    } finally {
      System.clearProperty(FailPoint.REFUSE);
    }
  }
}
