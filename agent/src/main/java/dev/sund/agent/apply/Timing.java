package dev.sund.agent.apply;

import java.time.Duration;

/**
 * When the data plane acts.
 *
 * @param minimum the least time between the ends of two cycles of bulk work; attaching and
 *     detaching pods does not wait for it
 * @param settle how long after an event of the kernel the part is read again: what comes in a burst
 *     is read once
 * @param firstRetry the wait after a cycle that failed or was deferred; doubles with each
 * @param lastRetry the longest such wait
 * @param maximum the longest time without reading all of the kernel again
 * @param slice how many changes a cycle makes at most, so that a pod that comes waits for no more
 * @param pace how long a cycle of bulk work may take: of one that took longer the next is half as
 *     large
 */
public record Timing(
    Duration minimum,
    Duration settle,
    Duration firstRetry,
    Duration lastRetry,
    Duration maximum,
    int slice,
    Duration pace) {
  /** What a node's agent uses. */
  public static final Timing DEFAULT =
      new Timing(
          Duration.ofMillis(5),
          Duration.ofMillis(20),
          Duration.ofMillis(100),
          Duration.ofSeconds(10),
          Duration.ofMinutes(1),
          512,
          Duration.ofMillis(8));
}
