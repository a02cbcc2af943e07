package dev.sund.cli;

import dev.sund.agent.local.Json;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What an agent sees of its node and of the ways to others, a line each.
 *
 * @param status as the agent answers it
 */
record WatchedText(Map<String, Object> status, Colours colours) {
  private static final List<String> SEVERITIES = List.of("error", "warning", "note");

  /** What the doctor's checks found, the worst in whole. */
  String doctor() {
    Map<String, Object> doctor = Json.child(status, "doctor");
    if (doctor.isEmpty()) {
      return "no checks run (--doctor-period)";
    }
    if (text(doctor, "ran").isEmpty()) {
      return "no check has run yet";
    }
    Map<String, Object> findings = Json.child(doctor, "findings");
    List<String> counts = new ArrayList<>();
    for (String severity : SEVERITIES) {
      long count = Json.number(findings, severity);
      if (count > 0) {
        counts.add(count + " " + severity + (count == 1 ? "" : "s"));
      }
    }
    int unread = Json.children(doctor, "unread").size();
    String said =
        Json.number(doctor, "checks")
            + " checks: "
            + (counts.isEmpty() ? "nothing found" : String.join(", ", counts))
            + (unread == 0 ? "" : ", " + unread + " could not read what they need");
    Optional<Map<String, Object>> worst =
        Json.children(status, "conditions").stream().filter(StatusText::isOfDoctor).findFirst();
    return worst
        .map(one -> paint(one, said + "; " + text(one, "severity") + ": ") + said(one))
        .orElse(said);
  }

  /** A finding in one line. */
  static String said(Map<String, Object> finding) {
    return "%s: %s (sund doctor --explain %s)"
        .formatted(text(finding, "field"), text(finding, "text"), text(finding, "reason"));
  }

  private String paint(Map<String, Object> finding, String text) {
    return text(finding, "severity").equals("error") ? colours.bad(text) : colours.warning(text);
  }

  /** The ways to other nodes, the worst in whole. */
  String peers() {
    Map<String, Object> peers = Json.child(status, "peers");
    if (peers.isEmpty()) {
      return "none is measured (--peer-port)";
    }
    String problem = text(peers, "problem");
    List<Map<String, Object>> ways = Json.children(peers, "ways");
    if (!problem.isEmpty()) {
      return colours.warning("cannot be measured in full: " + problem);
    }
    if (ways.isEmpty()) {
      return "there is no other node to measure";
    }
    Map<String, Object> worst =
        ways.stream()
            .max(
                Comparator.comparingDouble((Map<String, Object> way) -> number(way, "lossPercent"))
                    .thenComparingDouble(way -> number(way, "medianMillis")))
            .orElseThrow();
    return "%d ways measured, the worst: %s".formatted(ways.size(), way(worst));
  }

  private static String way(Map<String, Object> way) {
    String to = text(way, "node") + " by " + text(way, "family");
    return switch (text(way, "state")) {
      case "asked" -> to + " has not answered yet";
      case "refuses" -> to + " refuses: its agent is away, or measures nobody";
      default ->
          "%s loses %s %%, round trip %s ms, jitter %s ms"
              .formatted(
                  to, way.get("lossPercent"), way.get("medianMillis"), way.get("jitterMillis"));
    };
  }

  private static double number(Map<String, Object> fields, String field) {
    return fields.get(field) instanceof Number number ? number.doubleValue() : 0;
  }

  private static String text(Map<String, Object> fields, String field) {
    return String.valueOf(fields.getOrDefault(field, ""));
  }
}
