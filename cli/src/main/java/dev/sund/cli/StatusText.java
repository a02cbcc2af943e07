package dev.sund.cli;

import dev.sund.agent.local.Json;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * An agent's status as ten lines for people, and more when everything is asked for.
 *
 * @param status as the agent answers it
 * @param now for how long something has been so
 * @param zone in which times are told
 */
record StatusText(Map<String, Object> status, Instant now, ZoneId zone, Colours colours) {
  private static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern("uuuu-MM-dd HH:mm:ss");
  private static final int MOST_RANGES = 4;

  /** Whether nothing is to be done; what the doctor warns of may be left as it is. */
  boolean well() {
    return ready()
        && conditions().stream()
            .allMatch(one -> isOfDoctor(one) && !text(one, "severity").equals("error"));
  }

  /** The ten lines. */
  List<String> lines() {
    return List.of(
        line("node", node()),
        line("agent", agent()),
        line("API", api()),
        line("pods", pods() + "; " + cni()),
        line("program", program() + "; " + services()),
        line("addresses", addresses()),
        line("repaired", repaired()),
        line("doctor", new WatchedText(status, colours).doctor()),
        line("peers", new WatchedText(status, colours).peers()),
        line("open", open()));
  }

  /** What else is to be told: every reason not to be ready, condition and pod. */
  List<String> details() {
    List<String> lines = new ArrayList<>();
    Json.texts(status, "notReady").forEach(why -> lines.add("not ready: " + why));
    for (Map<String, Object> condition : conditions()) {
      lines.add(paint(condition, text(condition, "severity")) + ": " + said(condition));
    }
    for (Map<String, Object> pod : Json.children(status, "attachments")) {
      lines.add(
          "%s  %s  %s"
              .formatted(
                  text(pod, "device"),
                  text(pod, "pod"),
                  String.join(" ", Json.texts(pod, "addresses"))));
    }
    return lines;
  }

  /** A line of the ten. */
  static String line(String subject, String text) {
    return "%-10s %s".formatted(subject, text);
  }

  private boolean ready() {
    return Boolean.TRUE.equals(status.get("ready"));
  }

  private List<Map<String, Object>> conditions() {
    return Json.children(status, "conditions");
  }

  private String node() {
    String addresses =
        Json.children(status, "uplinks").stream()
            .map(uplink -> text(uplink, "address"))
            .collect(Collectors.joining(", "));
    return text(status, "node") + (addresses.isEmpty() ? "" : ": " + addresses);
  }

  private String agent() {
    List<String> reasons = Json.texts(status, "notReady");
    String state = colours.good("ready");
    if (!ready()) {
      state = colours.bad("not ready");
    }
    String why = reasons.isEmpty() ? "" : "; " + reasons.getFirst();
    return state
        + ", version "
        + text(status, "version")
        + ", since "
        + since(text(status, "since"))
        + why;
  }

  private String api() {
    Map<String, Object> api = Json.child(status, "api");
    String server = text(api, "server");
    String since = text(api, "since");
    if (Boolean.TRUE.equals(api.get("reachable"))) {
      return server + " answers since " + since(since);
    }
    return since.isEmpty()
        ? server + " has not answered yet"
        : colours.bad("away") + " since " + since(since) + "; " + text(api, "problem");
  }

  private String pods() {
    long bridged = Json.number(status, "bridged");
    int attached = Json.children(status, "attachments").size();
    return attached
        + " with a network"
        + (bridged == 0 ? "" : ", " + count(bridged, "container") + " on bridges")
        + ", MTU "
        + mtu();
  }

  private String services() {
    Map<String, Object> services = Json.child(status, "services");
    if (services.isEmpty()) {
      return "Services not known: the agent is older than this program";
    }
    if (!Boolean.TRUE.equals(services.get("served"))) {
      return "Services left to somebody else: they are switched off here";
    }
    return "%s, node ports at %s"
        .formatted(count(Json.number(services, "count"), "Service"), where(services));
  }

  private static String where(Map<String, Object> services) {
    String where = text(services, "nodePorts");
    return switch (where) {
      case "all" -> "all addresses of the node";
      case "primary" -> "the node's own addresses";
      case "none" -> "no address";
      default -> where;
    };
  }

  private String program() {
    Map<String, Object> program = Json.child(status, "program");
    List<String> tunnels = Json.texts(program, "tunnels");
    String text = count(Json.number(program, "routes"), "route");
    text +=
        tunnels.isEmpty()
            ? ", no tunnel"
            : ", %s to %s"
                .formatted(
                    String.join(" ", tunnels), count(Json.number(program, "tunnelPeers"), "peer"));
    long frontends = Json.number(program, "frontends");
    if (frontends > 0) {
      text += ", " + count(frontends, "translated port");
    }
    long pending = Json.number(status, "pending");
    return pending == 0 ? text : text + "; " + colours.warning(count(pending, "change") + " due");
  }

  private String addresses() {
    List<Map<String, Object>> ranges = Json.children(status, "ranges");
    if (ranges.isEmpty()) {
      return "no range is known yet";
    }
    String shown =
        ranges.stream().limit(MOST_RANGES).map(this::range).collect(Collectors.joining(", "));
    int more = ranges.size() - MOST_RANGES;
    return more <= 0 ? shown : shown + ", and " + more + " more (sund ipam show)";
  }

  private String range(Map<String, Object> range) {
    long all = Json.number(range, "all");
    long used = Json.number(range, "used");
    String text = text(range, "range") + " ";
    if (all > 1_000_000) { // nobody fills that
      return text + used + " used";
    }
    long percent = all == 0 ? 100 : Math.round(100.0 * used / all);
    text += used + " of " + all + " (" + percent + "%)";
    return percent >= 100 ? colours.bad(text) : percent >= 90 ? colours.warning(text) : text;
  }

  private String mtu() {
    Map<String, Object> pods = Json.child(status, "podMtu");
    if (pods.isEmpty()) {
      return "not known yet";
    }
    String ofPods =
        pods.entrySet().stream()
            .map(entry -> entry.getValue() + " (" + entry.getKey() + ")")
            .collect(Collectors.joining(", "));
    String uplinks =
        Json.children(status, "uplinks").stream()
            .map(uplink -> text(uplink, "device") + " " + text(uplink, "mtu"))
            .distinct()
            .collect(Collectors.joining(", "));
    return ofPods + "; " + uplinks;
  }

  private String cni() {
    Map<String, Object> cni = Json.child(status, "cni");
    if (cni.isEmpty()) {
      return "no conflist is asked for (--cni-conf-dir)";
    }
    String file = text(cni, "conflist");
    return Boolean.TRUE.equals(cni.get("written"))
        ? file + " is written"
        : colours.warning(file + " is not written");
  }

  private String repaired() {
    String counts =
        Json.child(status, "repaired").entrySet().stream()
            .map(entry -> entry.getValue() + " in " + entry.getKey())
            .collect(Collectors.joining(", "));
    return counts.isEmpty() ? "nothing since the agent's start" : counts;
  }

  private String open() {
    List<Map<String, Object>> conditions =
        conditions().stream().filter(one -> !isOfDoctor(one)).toList();
    if (conditions.isEmpty()) {
      return colours.good("nothing");
    }
    Map<String, Object> gravest =
        conditions.stream()
            .filter(condition -> text(condition, "severity").equals("error"))
            .findFirst()
            .orElse(conditions.getFirst());
    String all = conditions.size() == 1 ? "" : conditions.size() + ", the first: ";
    return paint(gravest, all + text(gravest, "severity") + ": ") + said(gravest);
  }

  /** Whether it is a finding of the doctor's checks, which have a line of their own. */
  static boolean isOfDoctor(Map<String, Object> condition) {
    return text(Json.child(condition, "object"), "kind").equals("check");
  }

  private static String said(Map<String, Object> condition) {
    if (isOfDoctor(condition)) {
      return WatchedText.said(condition);
    }
    Map<String, Object> object = Json.child(condition, "object");
    return "%s %s: %s %s [%s]"
        .formatted(
            text(object, "kind"),
            text(object, "name"),
            text(condition, "text"),
            text(condition, "remedy"),
            text(condition, "reason"));
  }

  private String paint(Map<String, Object> condition, String text) {
    return text(condition, "severity").equals("error") ? colours.bad(text) : colours.warning(text);
  }

  private String since(String time) {
    Instant then = Instant.parse(time);
    return TIME.format(then.atZone(zone)) + " (" + length(Duration.between(then, now)) + ")";
  }

  /** A length of time by its greatest unit. */
  private static String length(Duration time) {
    if (time.toDays() > 0) {
      return count(time.toDays(), "day");
    }
    if (time.toHours() > 0) {
      return count(time.toHours(), "hour");
    }
    return time.toMinutes() > 0
        ? count(time.toMinutes(), "minute")
        : count(Math.max(0, time.toSeconds()), "second");
  }

  private static String count(long number, String noun) {
    return number + " " + noun + (number == 1 ? "" : "s");
  }

  private static String text(Map<String, Object> fields, String field) {
    return String.valueOf(fields.getOrDefault(field, ""));
  }
}
