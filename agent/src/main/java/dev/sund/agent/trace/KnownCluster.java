package dev.sund.agent.trace;

import dev.sund.agent.local.Json;
import dev.sund.agent.local.RecordJson;
import dev.sund.engine.FabricSettings;
import dev.sund.engine.LastWords;
import dev.sund.model.NodeName;
import java.util.Map;

/**
 * What an agent knows of its cluster.
 *
 * @param node the agent's
 * @param fabric what it has been told of the fabric
 * @param words all that still counts of what it has been told since
 * @param program the number of the program that it has made of these
 */
public record KnownCluster(NodeName node, FabricSettings fabric, LastWords words, long program) {

  /** What an agent is asked for it. */
  public static Map<String, Object> question() {
    return Map.of("command", "TRACE", "verb", "known");
  }

  /** As it crosses the socket. */
  public Map<String, Object> fields() {
    return Map.of("known", RecordJson.write(this, KnownCluster.class));
  }

  /**
   * Reads an agent's answer.
   *
   * @throws Json.MalformedException when the agent is of another version than the asker
   */
  public static KnownCluster of(Map<String, Object> fields) throws Json.MalformedException {
    return RecordJson.read(Json.child(fields, "known"), KnownCluster.class);
  }
}
