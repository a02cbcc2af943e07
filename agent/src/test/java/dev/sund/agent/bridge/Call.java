package dev.sund.agent.bridge;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.sund.agent.cni.CniDispatch;
import dev.sund.agent.local.Answer;
import dev.sund.agent.local.Json;
import java.util.LinkedHashMap;
import java.util.Map;

/** A runtime's call of a plugin. */
record Call(
    String plugin,
    String command,
    String containerId,
    String interfaceName,
    String netns,
    String args,
    String config) {
  /** Has it served as the agent's socket does. */
  Outcome serve(CniDispatch dispatch) {
    try {
      Map<String, Object> request = new LinkedHashMap<>();
      request.put("command", command);
      request.put("plugin", plugin);
      request.put("containerId", containerId);
      request.put("ifname", interfaceName);
      request.put("netns", netns);
      request.put("args", args);
      request.put("path", "/opt/cni/bin");
      request.put("config", Json.object(config.getBytes(UTF_8)));
      Answer answer = dispatch.serve(request);
      return new Outcome(
          answer.exitCode(),
          answer.json().isEmpty() ? Map.of() : Json.object(answer.json().getBytes(UTF_8)));
    } catch (Json.MalformedException | InterruptedException e) {
      throw new AssertionError(e);
    }
  }
}
