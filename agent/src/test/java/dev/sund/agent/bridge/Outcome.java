package dev.sund.agent.bridge;

import java.util.Map;

/** How a plugin's call ended: exit code, and result or error. */
record Outcome(int exit, Map<String, Object> json) {
  /** The error's code, 0 without one. */
  long code() {
    return json.get("code") instanceof Long code ? code : 0;
  }
}
