package dev.sund.agent.trace;

import dev.sund.agent.local.Json;
import dev.sund.agent.local.RecordJson;
import dev.sund.dataplane.probe.ProbeFinding;
import java.util.List;
import java.util.Map;

/**
 * What came of a probe.
 *
 * @param finding what the kernel did
 * @param differences where it did something else than was expected, a sentence each
 * @param between whether the cluster changed meanwhile: {@code differences} say nothing then, and
 *     it is to be asked again
 */
public record ProbeResult(ProbeFinding finding, List<String> differences, boolean between) {
  public ProbeResult {
    differences = List.copyOf(differences);
  }

  /** As it crosses the socket. */
  Map<String, Object> fields() {
    return Map.of("result", RecordJson.write(this, ProbeResult.class));
  }

  /** Reads an agent's answer. */
  public static ProbeResult of(Map<String, Object> fields) throws Json.MalformedException {
    return RecordJson.read(Json.child(fields, "result"), ProbeResult.class);
  }
}
