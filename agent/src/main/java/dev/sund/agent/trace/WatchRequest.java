package dev.sund.agent.trace;

import dev.sund.agent.local.Json;
import dev.sund.agent.local.RecordJson;
import dev.sund.dataplane.probe.WatchedPacket;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What an agent is asked that shall watch for probes of other nodes. It does until they came, until
 * it is told to stop, or until nobody has asked for {@link #LEASE} what it saw.
 *
 * @param packets what is waited for
 * @param again see {@link ProbeRequest#again}
 * @param program see {@link ProbeRequest#program}
 */
public record WatchRequest(List<Watched> packets, boolean again, long program) {
  /** How long an agent watches for an asker that says nothing. */
  public static final Duration LEASE = Duration.ofSeconds(10);

  public WatchRequest {
    packets = List.copyOf(packets);
  }

  /**
   * One packet.
   *
   * @param packet by what it is known
   * @param expected what the trace says of it
   */
  public record Watched(WatchedPacket packet, Expectation expected) {}

  /** As it crosses the socket. */
  public Map<String, Object> fields() {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("command", "TRACE");
    fields.put("verb", "watch");
    fields.put("watch", RecordJson.write(this, WatchRequest.class));
    return fields;
  }

  /** Reads a request. */
  static WatchRequest of(Map<String, Object> fields) throws Json.MalformedException {
    return RecordJson.read(Json.child(fields, "watch"), WatchRequest.class);
  }

  /**
   * What is asked to hear what an agent has seen.
   *
   * @param last whether it shall stop watching, whatever it has seen
   */
  public static Map<String, Object> question(boolean last) {
    return Map.of("command", "TRACE", "verb", "watched", "last", last);
  }
}
