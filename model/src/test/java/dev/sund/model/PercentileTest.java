package dev.sund.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/** A percentile is a value that was measured. */
class PercentileTest {
  @Test
  void ofAHundredValuesItIsTheOneOfThatRank() {
    long[] values = LongStream.rangeClosed(1, 100).toArray();
    assertThat(Percentile.of(values, 0)).isEqualTo(1);
    assertThat(Percentile.of(values, 1)).isEqualTo(1);
    assertThat(Percentile.of(values, 50)).isEqualTo(50);
    assertThat(Percentile.of(values, 99)).isEqualTo(99);
    assertThat(Percentile.of(values, 100)).isEqualTo(100);
  }

  @Test
  void betweenTwoRanksItIsTheLargerValue() {
    assertThat(Percentile.of(new long[] {10, 20, 30}, 50)).isEqualTo(20);
    assertThat(Percentile.of(new long[] {10, 20}, 50)).isEqualTo(10);
    assertThat(Percentile.of(new long[] {10, 20}, 51)).isEqualTo(20);
  }

  @Test
  void ofOneValueItIsThatAndOfNoneZero() {
    assertThat(Percentile.of(new long[] {7}, 1)).isEqualTo(7);
    assertThat(Percentile.of(new long[] {7}, 99)).isEqualTo(7);
    assertThat(Percentile.of(new long[0], 50)).isZero();
  }

  @Test
  void aShareThatIsNoneIsRefused() {
    assertThatThrownBy(() -> Percentile.of(new long[] {7}, 101))
        .hasMessage("percent must be from 0 to 100, but is 101");
  }
}
