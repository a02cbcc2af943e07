package dev.sund.agent.trace;

import dev.sund.agent.local.Json;
import dev.sund.agent.local.RecordJson;
import dev.sund.model.Ip;
import dev.sund.model.PodKey;
import dev.sund.model.Protocol;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * What an agent is asked for a probe.
 *
 * @param pod who sends it; empty for the node itself
 * @param to to whom
 * @param protocol TCP or UDP
 * @param port the destination's
 * @param patience how long an answer is waited for, at most {@link #LONGEST}
 * @param expected what the trace says
 * @param again whether a probe has found differences already: what this one finds is reported then,
 *     and passing states are not
 * @param program of which program of the agent's it says that, see {@link KnownCluster#program}
 */
public record ProbeRequest(
    Optional<PodKey> pod,
    Ip to,
    Protocol protocol,
    int port,
    Duration patience,
    Expectation expected,
    boolean again,
    long program) {
  /** The longest that an agent waits. */
  public static final Duration LONGEST = Duration.ofSeconds(10);

  /** As it crosses the socket. */
  public Map<String, Object> fields() {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("command", "TRACE");
    fields.put("verb", "probe");
    fields.put("probe", RecordJson.write(this, ProbeRequest.class));
    return fields;
  }

  /** Reads a request. */
  static ProbeRequest of(Map<String, Object> fields) throws Json.MalformedException {
    return RecordJson.read(Json.child(fields, "probe"), ProbeRequest.class);
  }
}
