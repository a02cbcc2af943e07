package dev.sund.cli;

import dev.sund.agent.local.Json;
import dev.sund.model.Marks;
import dev.sund.model.Reason;
import java.io.PrintWriter;
import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Dropped packets as people read them; the fields are those of the agent's answer. */
final class DropsText {
  private static final DateTimeFormatter CLOCK =
      DateTimeFormatter.ofPattern("HH:mm:ss.SSS", Locale.ROOT);

  private final ZoneId zone;

  /** Tells times as they are in this zone. */
  DropsText(ZoneId zone) {
    this.zone = zone;
  }

  /**
   * A line for each pod, direction and reason; columns are as wide as what is in them.
   *
   * @param nodes whether lines say whose they are, by the field {@code node}
   */
  void counters(PrintWriter out, List<Map<String, Object>> counters, boolean nodes) {
    if (counters.isEmpty()) {
      out.println("nothing was dropped");
      return;
    }
    List<List<String>> rows = new ArrayList<>();
    rows.add(
        row(nodes, "NODE", "POD", "ADDRESS", "WAY", "REASON", "PACKETS", "BYTES", "ISOLATED BY"));
    for (Map<String, Object> one : counters) {
      rows.add(
          row(
              nodes,
              String.valueOf(one.getOrDefault("node", "")),
              Json.text(one, "pod"),
              String.valueOf(one.getOrDefault("address", "-")),
              Json.text(one, "direction"),
              Json.text(one, "reason"),
              String.valueOf(one.get("packets")),
              String.valueOf(one.get("bytes")),
              String.join(", ", Json.texts(one, "policies"))));
    }
    Columns.print(rows, out);
  }

  private static List<String> row(boolean nodes, String... cells) {
    return nodes ? List.of(cells) : List.of(cells).subList(1, cells.length);
  }

  /** One packet, on one line. */
  String event(Map<String, Object> event, boolean nodes) {
    boolean out = Json.text(event, "direction").equals("out");
    String protocol = Json.text(event, "protocol");
    long port = Json.number(event, "port");
    return CLOCK.format(Instant.parse(Json.text(event, "time")).atZone(zone))
        + (nodes ? "  " + event.getOrDefault("node", "") : "")
        + "  "
        + Json.text(Json.child(event, "pod"), "name")
        + (out ? "  out  to " : "  in  from ")
        + party(Json.child(event, "peer"))
        + asked(event)
        + "  "
        + protocol
        + (port == 0 ? "" : " " + port)
        + "  "
        + why(event);
  }

  private static String party(Map<String, Object> party) {
    String name = Json.text(party, "name");
    String address = Json.text(party, "address");
    return name.equals(address)
        ? address
        : (Json.text(party, "kind").equals("pod") ? "" : Json.text(party, "kind") + " ")
            + name
            + " ("
            + address
            + ")";
  }

  private static String asked(Map<String, Object> event) {
    Map<String, Object> asked = Json.child(event, "asked");
    return asked.isEmpty() ? "" : " as " + party(asked) + " port " + asked.get("port");
  }

  private static String why(Map<String, Object> event) {
    String reason = Json.text(event, "reason");
    if (reason.isEmpty()) {
      return "policies have changed since: they would let it pass now";
    }
    if (reason.equals(Reason.SOURCE_NOT_OWN.code())) {
      return reason + ": it was sent from " + Json.text(event, "source");
    }
    if (reason.equals(Reason.TAGGED_FRAME.code())) {
      return reason + ": policies do not see what is in it";
    }
    if (event.containsKey("rule")) {
      return reason + ": " + event.get("rule");
    }
    List<String> policies = Json.texts(event, "policies");
    return policies.isEmpty() ? reason : reason + ": isolated by " + String.join(", ", policies);
  }

  /** What the log did not show, as sentences; empty when it is read and showed all. */
  List<String> log(Map<String, Object> log, String whose) {
    List<String> lines = new ArrayList<>();
    if (log.containsKey("trouble")) {
      lines.add(
          whose
              + "packets are counted and not shown: "
              + log.get("trouble")
              + ". Let no other program read nflog group "
              + Marks.DROP_LOG_GROUP
              + ".");
    }
    long untold = Json.number(log, "untold");
    if (untold > 0) {
      long lost = Json.number(log, "lost");
      lines.add(
          "%s%,d packets were shown since %s, and %,d more were dropped and not shown: the kernel shows at most 100 a second of a kind%s."
              .formatted(
                  whose,
                  Json.number(log, "told"),
                  CLOCK.format(Instant.parse(Json.text(log, "since")).atZone(zone)),
                  untold,
                  lost > 0 ? ", and %,d were lost on the way to the agent".formatted(lost) : ""));
    }
    return lines;
  }
}
