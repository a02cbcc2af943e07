package dev.sund.agent.trace;

import dev.sund.agent.local.Json;
import dev.sund.agent.local.RecordJson;
import java.util.List;
import java.util.Map;

/**
 * What an agent saw that watched.
 *
 * @param over whether it watches no more; otherwise {@code seen} is empty, and it is to be asked
 *     again
 * @param seen the packets that came
 */
public record WatchResult(boolean over, List<Seen> seen) {
  public WatchResult {
    seen = List.copyOf(seen);
  }

  /**
   * One that came.
   *
   * @param packet which of the request's, from 0
   * @param result what became of it
   */
  public record Seen(int packet, ProbeResult result) {}

  /** As it crosses the socket. */
  Map<String, Object> fields() {
    return Map.of("watched", RecordJson.write(this, WatchResult.class));
  }

  /** Reads an agent's answer. */
  public static WatchResult of(Map<String, Object> fields) throws Json.MalformedException {
    return RecordJson.read(Json.child(fields, "watched"), WatchResult.class);
  }
}
