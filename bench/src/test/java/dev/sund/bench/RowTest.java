package dev.sund.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.DoubleStream;
import org.junit.jupiter.api.Test;

class RowTest {
  @Test
  void theIntervalOfAMedianLeavesOutAsManySamplesAsTheBinomialAllows() {
    double[] samples = DoubleStream.iterate(1, x -> x + 1).limit(31).toArray();
    assertThat(Estimate.ofMedian(samples)).isEqualTo(new Estimate(16, 10, 22, 31));
  }

  @Test
  void fewSamplesGiveAllOfTheirRange() {
    assertThat(Estimate.ofMedian(3, 1, 2)).isEqualTo(new Estimate(2, 1, 3, 3));
  }

  @Test
  void aTargetBindsTheWorseEndOfTheInterval() {
    Estimate ratio = new Estimate(0.99, 0.96, 1.02, 31);
    assertThat(row(ratio, Target.ratioAtLeast(0.97)).met()).contains(false);
    assertThat(row(ratio, Target.ratioAtLeast(0.95)).met()).contains(true);
    assertThat(row(ratio, Target.ratioAtMost(1.0)).met()).contains(false);
  }

  @Test
  void pairsRunInTurnsAndChangeTheirOrder() throws Exception {
    List<String> order = new ArrayList<>();
    Pairs pairs =
        Pairs.run(
            3,
            () -> {
              order.add("A");
              return 2;
            },
            () -> {
              order.add("B");
              return 4;
            });
    assertThat(String.join("", order)).isEqualTo("AB" + "AB" + "BA" + "AB");
    assertThat(pairs.ratio()).isEqualTo(new Estimate(0.5, 0.5, 0.5, 3));
  }

  @Test
  void aTableNamesFigureBaselineRatioAndTarget() {
    String text =
        BenchOutput.text(
            List.of(row(new Estimate(0.99, 0.98, 1.02, 31), Target.ratioAtLeast(0.97))));
    assertThat(text)
        .isEqualTo(
            """
            what  figure  unit    baseline          ratio [95 %]  target         met
            tcp     12.3  Gbit/s      12.5  0.990 [0.980, 1.020]  ratio >= 0.97  met
            1 rows, 1 of 1 targets met
            """);
  }

  @Test
  void jsonHoldsTheSame() {
    String json =
        BenchOutput.json(
            List.of(row(new Estimate(0.99, 0.98, 1.02, 31), Target.ratioAtLeast(0.97))),
            List.of("x: \"y\""));
    assertThat(json)
        .contains("\"name\":\"tcp\"", "\"met\":true", "\"samples\":31", "[\"x: \\\"y\\\"\"]");
  }

  private static Row row(Estimate ratio, Target target) {
    return new Row(
        "tcp",
        "Gbit/s",
        Estimate.single(12.34),
        Optional.of(Estimate.single(12.46)),
        Optional.of(ratio),
        Optional.of(target),
        "");
  }
}
