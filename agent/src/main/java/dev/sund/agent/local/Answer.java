package dev.sund.agent.local;

import java.util.Map;

/**
 * What goes back over the local socket.
 *
 * @param exitCode 0 when all went well, 1 otherwise
 * @param json the text for standard output
 */
public record Answer(int exitCode, String json) {
  /** All went well; {@code value} is written as JSON. */
  static Answer success(Map<String, ?> value) {
    return new Answer(0, Json.write(value));
  }
}
