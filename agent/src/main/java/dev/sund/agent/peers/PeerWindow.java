package dev.sund.agent.peers;

import dev.sund.model.Percentile;
import java.util.Arrays;

/**
 * What was asked of one peer lately, and what came of it: the last questions, as many as the window
 * has places. One thread; it knows no time but what it is told.
 */
final class PeerWindow {
  private static final long NEVER = -1;
  private static final long WAITS = -2;
  private static final long LOST = -3;
  private static final long REFUSED = -4;

  private final long patienceNanos;
  private final long[] sent;

  /** Round trips in nanoseconds, or one of the words above. */
  private final long[] outcome;

  private long next;

  /**
   * An empty one.
   *
   * @param places how many questions it remembers
   * @param patienceNanos what comes later than this counts as lost
   */
  PeerWindow(int places, long patienceNanos) {
    this.patienceNanos = patienceNanos;
    this.sent = new long[places];
    this.outcome = new long[places];
    Arrays.fill(outcome, NEVER);
  }

  /** A question leaves; its number. */
  long ask(long now) {
    int place = place(next);
    sent[place] = now;
    outcome[place] = WAITS;
    return next++;
  }

  /** The answer to a question is here; one that nobody waits for any more is nothing. */
  void answered(long number, long now) {
    if (waits(number)) {
      int place = place(number);
      long took = now - sent[place];
      outcome[place] = took > patienceNanos ? LOST : Math.max(0, took);
    }
  }

  /** A question could not be sent: on this way nothing arrives. */
  void lost(long number) {
    if (waits(number)) {
      outcome[place(number)] = LOST;
    }
  }

  /** The peer's kernel has said that nobody listens: the way is there, its agent is not. */
  void refused() {
    refusedBefore(next);
  }

  /** The same, of the question before this one. */
  void refusedBefore(long number) {
    if (waits(number - 1)) {
      outcome[place(number - 1)] = REFUSED;
    }
  }

  private boolean waits(long number) {
    return number >= 0
        && number < next
        && number >= next - sent.length
        && outcome[place(number)] == WAITS;
  }

  private int place(long number) {
    return (int) (number % sent.length);
  }

  /** What the window says now. */
  PeerFigures figures(long now) {
    int lost = 0;
    int refused = 0;
    int answered = 0;
    long[] trips = new long[sent.length];
    double jitter = 0;
    for (long number = Math.max(0, next - sent.length); number < next; number++) {
      int place = place(number);
      long said = outcome[place];
      if (said == REFUSED) {
        refused++;
      } else if (said == LOST || said == WAITS && now - sent[place] > patienceNanos) {
        lost++;
      } else if (said >= 0) {
        if (answered > 0) {
          // RFC 3550, 6.4.1, with round trips in place of transit times: clocks differ.
          jitter += (Math.abs(said - trips[answered - 1]) - jitter) / 16;
        }
        trips[answered++] = said;
      }
    }
    long[] sorted = Arrays.copyOf(trips, answered);
    Arrays.sort(sorted);
    return new PeerFigures(
        answered,
        lost,
        refused,
        Percentile.of(sorted, 50) / 1e6,
        Percentile.of(sorted, 99) / 1e6,
        jitter / 1e6);
  }
}
