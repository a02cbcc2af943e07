package dev.sund.agent.peers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

/** What the last questions to a peer came to. */
class PeerWindowTest {
  private static final long MILLI = 1_000_000L;
  private static final long SECOND = 1_000 * MILLI;

  private final PeerWindow window = new PeerWindow(60, SECOND);
  private long now = Long.MAX_VALUE - 30 * SECOND; // a monotonic clock may begin anywhere

  /** Asks, and has the answer after so many milliseconds; a second passes. */
  private void trip(double millis) {
    long number = window.ask(now);
    window.answered(number, now + (long) (millis * MILLI));
    now += SECOND;
  }

  private void nothing() {
    window.ask(now);
    now += SECOND;
  }

  private PeerFigures figures() {
    return window.figures(now + 2 * SECOND);
  }

  @Test
  void anEmptyOneSaysNothing() {
    assertThat(figures()).isEqualTo(new PeerFigures(0, 0, 0, 0, 0, 0));
    assertThat(figures().state()).isEqualTo("asked");
    assertThat(figures().lossRatio()).isZero();
  }

  @Test
  void percentilesAreOfTheRoundTrips() {
    for (int i = 1; i <= 50; i++) {
      trip(i);
    }
    assertThat(figures().median()).isEqualTo(25);
    assertThat(figures().p99()).isEqualTo(50);
    assertThat(figures().state()).isEqualTo("answers");
  }

  @Test
  void evenTripsHaveNoJitterAndUnevenOnesWhatTheRfcSays() {
    for (int i = 0; i < 30; i++) {
      trip(5);
    }
    assertThat(figures().jitter()).isZero();
    // RFC 3550, 6.4.1: J += (|D| - J) / 16, by hand for D = 3, 3.
    trip(8);
    trip(5);
    double first = 3 / 16.0;
    assertThat(figures().jitter()).isCloseTo(first + (3 - first) / 16, within(1e-9));
  }

  @Test
  void whatIsNotAnsweredInTimeIsLostAndWhatStillMayBeIsNot() {
    trip(1);
    nothing();
    window.ask(now);
    assertThat(window.figures(now).lost()).as("the second is not over").isZero();
    assertThat(window.figures(now + 1).lost()).isEqualTo(1);
    assertThat(window.figures(now + SECOND + 1).lost()).isEqualTo(2);
    assertThat(window.figures(now + SECOND + 1).lossRatio()).isCloseTo(2 / 3.0, within(1e-9));
  }

  @Test
  void anAnswerThatComesTooLateOrTwiceOrForNothingChangesNothing() {
    long number = window.ask(now);
    window.answered(number, now + SECOND + 1);
    assertThat(figures().lost()).isEqualTo(1);
    window.answered(number, now + MILLI);
    assertThat(figures().answered()).isZero();
    window.answered(number + 1, now);
    window.answered(-1, now);
    window.answered(Long.MIN_VALUE, now);
    assertThat(figures()).isEqualTo(new PeerFigures(0, 1, 0, 0, 0, 0));
  }

  @Test
  void refusalsAreNoLoss() {
    for (int i = 0; i < 10; i++) {
      nothing();
      window.refused();
    }
    assertThat(figures()).isEqualTo(new PeerFigures(0, 0, 10, 0, 0, 0));
    assertThat(figures().state()).isEqualTo("refuses");
  }

  @Test
  void onlyTheLastSixtyCount() {
    for (int i = 0; i < 60; i++) {
      nothing();
    }
    assertThat(figures().lossRatio()).isEqualTo(1);
    assertThat(figures().state()).isEqualTo("silent");
    long old = window.ask(now);
    for (int i = 0; i < 60; i++) {
      trip(2);
    }
    window.answered(old, now); // its place is another's by now
    assertThat(figures()).isEqualTo(new PeerFigures(60, 0, 0, 2, 2, 0));
  }
}
