package dev.sund.agent.local;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * From a request's bytes to its answer: serves what is asked about the agent itself, and hands on
 * what is CNI's.
 */
final class Requests {
  private static final String ERROR_FORM = "1.0.0";
  private static final int UNDECODABLE = 6;
  private static final int INVALID = 4;

  private final LocalCalls calls;

  Requests(LocalCalls calls) {
    this.calls = calls;
  }

  /** The answer to a request. Errors are answers too. */
  Answer answer(byte[] text) throws InterruptedException {
    Map<String, Object> request;
    try {
      request = Json.object(text);
    } catch (Json.MalformedException e) {
      return undecodable("The request is " + e.getMessage() + ".");
    }
    return switch (String.valueOf(request.getOrDefault("command", ""))) {
      case "LOG" -> log(request);
      case "IPAM" -> calls.ipam(request);
      case "SERVICE" -> calls.service(request);
      case "TRACE" -> calls.trace(request);
      case "DROPS" -> calls.drops(request);
      case "RECORD" -> calls.record(request);
      case "STATUS" ->
          request.containsKey("config") ? calls.cni(request) : Answer.success(calls.status());
      default -> calls.cni(request);
    };
  }

  /** The answer to what is no JSON object of a bearable length. */
  static Answer undecodable(String message) {
    return Answer.error(
        ERROR_FORM,
        UNDECODABLE,
        message,
        "Mend the network configuration there; what asks by hand sends one JSON object, then ends the"
            + " writing side.");
  }

  private Answer log(Map<String, Object> request) {
    String level = String.valueOf(request.getOrDefault("level", ""));
    String part = String.valueOf(request.getOrDefault("part", ""));
    if (!calls.logLevel(part, level)) {
      return Answer.error(
          ERROR_FORM,
          INVALID,
          "level '" + level + "' is not known.",
          "Use debug, info, warn or error.");
    }
    Map<String, Object> set = new LinkedHashMap<>();
    set.put("level", level);
    set.put("part", part);
    return Answer.success(set);
  }
}
