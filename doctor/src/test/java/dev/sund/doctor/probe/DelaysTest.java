package dev.sund.doctor.probe;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** Round trips and jitter of echoes between clocks that know nothing of each other. */
class DelaysTest {
  private static final long MILLI = 1_000_000;

  /** Another machine's clock, which may begin anywhere. */
  private static final long OTHER = -77_000_000_000L;

  private final Delays delays = new Delays();

  private void echo(long sent, long there, long stay, long back) {
    long came = OTHER + sent + there;
    delays.add(new Delays.Echo(sent, came, came + stay, sent + there + stay + back));
  }

  @Test
  void theAnswerersOwnTimeIsNotTheWays() {
    echo(0, 2 * MILLI, 50 * MILLI, 3 * MILLI);
    assertThat(delays.micros(50)).isEqualTo(5_000);
  }

  @Test
  void jitterIsToldOfEachDirection() {
    for (int i = 0; i < 11; i++) {
      echo(i * 20 * MILLI, (1 + i % 2) * MILLI, 0, 4 * MILLI);
    }
    assertThat(delays.jitterThereMicros()).isEqualTo(1_000);
    assertThat(delays.jitterBackMicros()).isZero();
    assertThat(delays.micros(0)).isEqualTo(5_000);
    assertThat(delays.micros(100)).isEqualTo(6_000);
  }

  @Test
  void withoutEchoesThereIsNothing() {
    assertThat(delays.micros(50)).isZero();
    assertThat(delays.jitterBackMicros()).isZero();
  }
}
