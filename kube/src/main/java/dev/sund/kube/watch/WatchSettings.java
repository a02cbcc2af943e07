package dev.sund.kube.watch;

import java.time.Duration;

/**
 * How patiently the API server is followed.
 *
 * @param page how many objects a list asks for at once
 * @param quiet how long a server may say nothing before the connection counts as broken; a server
 *     sends a bookmark each minute
 * @param watch how long a watch is asked to last; each asks for this to twice this, so that the
 *     watches of many agents do not end together
 * @param firstRetry the wait after a first failure; each further wait is twice as long
 * @param lastRetry the longest wait; each wait is shortened by up to a half at random
 * @param absent how often it is looked whether a resource that the server did not have has come
 */
public record WatchSettings(
    int page,
    Duration quiet,
    Duration watch,
    Duration firstRetry,
    Duration lastRetry,
    Duration absent) {
  /** For a cluster. */
  public static final WatchSettings DEFAULT =
      new WatchSettings(
          500,
          Duration.ofSeconds(90),
          Duration.ofMinutes(5),
          Duration.ofMillis(200),
          Duration.ofSeconds(20),
          Duration.ofMinutes(1));
}
