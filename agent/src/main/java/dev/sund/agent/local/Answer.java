package dev.sund.agent.local;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What goes back over the local socket.
 *
 * @param exitCode 0 when all went well, 1 otherwise
 * @param json the text for standard output
 */
public record Answer(int exitCode, String json) {
  /** All went well, and there is nothing to say. */
  public static final Answer DONE = new Answer(0, "");

  /** All went well; {@code value} is written as JSON. */
  public static Answer success(Map<String, ?> value) {
    return new Answer(0, Json.write(value));
  }

  /**
   * It did not go well: CNI's error object (specification 1.1.0, "Error").
   *
   * @param cniVersion the version of the object's form
   * @param code CNI's number of the error
   * @param message what is wrong, with the value
   * @param remedy what to do
   */
  public static Answer error(String cniVersion, int code, String message, String remedy) {
    Map<String, Object> error = new LinkedHashMap<>();
    error.put("cniVersion", cniVersion);
    error.put("code", code);
    error.put("msg", message);
    error.put("details", remedy);
    return new Answer(1, Json.write(error));
  }
}
