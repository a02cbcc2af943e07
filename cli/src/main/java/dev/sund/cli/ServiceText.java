package dev.sund.cli;

import dev.sund.agent.local.Json;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Services as people read them; the fields are those of the agent's answer. */
final class ServiceText {
  private ServiceText() {}

  /** A line for each; columns are as wide as what is in them. */
  static void list(PrintWriter out, List<Map<String, Object>> services) {
    List<List<String>> rows = new ArrayList<>();
    rows.add(List.of("NAMESPACE", "NAME", "TYPE", "ADDRESS", "PORTS", "ENDPOINTS", "NOTE"));
    for (Map<String, Object> one : services) {
      rows.add(
          List.of(
              Json.text(one, "namespace"),
              Json.text(one, "name"),
              Json.text(one, "type"),
              dash(String.join(",", Json.texts(one, "clusterIPs"))),
              dash(String.join(",", Json.texts(one, "ports"))),
              one.get("endpointsUsed") + "/" + one.get("endpointsAll"),
              note(one)));
    }
    Columns.print(rows, out);
  }

  private static String note(Map<String, Object> one) {
    String notServed = Json.text(one, "notServed");
    int conditions = Json.texts(one, "conditions").size();
    if (!notServed.isEmpty()) {
      return notServed;
    }
    if (conditions > 0) {
      return conditions + (conditions == 1 ? " condition" : " conditions") + ": sund service show";
    }
    return Json.number(one, "endpointsUsed") == 0 ? "nobody answers" : "";
  }

  /** One, with all that is known of it. */
  static void show(PrintWriter out, Map<String, Object> one) {
    out.printf("Service %s/%s (%s)%n", one.get("namespace"), one.get("name"), one.get("type"));
    String notServed = Json.text(one, "notServed");
    if (!notServed.isEmpty()) {
      out.println("  not served: " + notServed);
      conditions(out, one);
      return;
    }
    out.printf(
        "  policy      internal %s, external %s%n",
        one.get("internalTrafficPolicy"), one.get("externalTrafficPolicy"));
    if (one.containsKey("affinitySeconds")) {
      out.println(
          "  affinity    a client keeps its endpoint for " + one.get("affinitySeconds") + " s");
    }
    List<String> ranges = Json.texts(one, "sourceRanges");
    if (!ranges.isEmpty()) {
      out.println(
          "  sources     " + String.join(", ", ranges) + " at the load balancer's addresses");
    }
    if (one.containsKey("healthCheckNodePort")) {
      out.printf(
          "  health      port %s: %s ready here%n",
          one.get("healthCheckNodePort"), one.get("localReady"));
    }
    Json.texts(one, "loadBalancerIPs").stream()
        .filter(ip -> ip.endsWith(")"))
        .forEach(ip -> out.println("  elsewhere   " + ip + ": packets go by way of the balancer"));
    frontends(out, one);
    endpoints(out, one);
    conditions(out, one);
  }

  private static void conditions(PrintWriter out, Map<String, Object> one) {
    List<String> conditions = Json.texts(one, "conditions");
    if (!conditions.isEmpty()) {
      out.println();
    }
    conditions.forEach(condition -> out.println("! " + condition));
  }

  private static void frontends(PrintWriter out, Map<String, Object> one) {
    List<Map<String, Object>> frontends = Json.children(one, "frontends");
    if (frontends.isEmpty()) {
      return;
    }
    out.println();
    out.printf("%-38s %-17s %s%n", "FRONTEND", "ORIGIN", "WHAT BECOMES OF A CONNECTION");
    for (Map<String, Object> frontend : frontends) {
      String address =
          Json.text(frontend, "address")
              .replace("local-v4", "any IPv4 of the node")
              .replace("local-v6", "any IPv6 of the node");
      String where = address + " " + frontend.get("port") + "/" + frontend.get("protocol");
      out.printf("%-38s %-17s %s%n", where, frontend.get("origin"), becomes(frontend));
    }
  }

  private static String becomes(Map<String, Object> frontend) {
    String instead = Json.text(frontend, "instead");
    if (!instead.isEmpty()) {
      return "not here: " + instead + " has the place";
    }
    String inside = Json.text(frontend, "inside");
    String outside = Json.text(frontend, "outside");
    if (inside.isEmpty()) {
      return "not served";
    }
    String limited =
        Boolean.TRUE.equals(frontend.get("limited")) ? "; of the sources above only" : "";
    return (inside.equals(outside)
            ? inside
            : "from inside: " + inside + "; from outside: " + outside)
        + limited;
  }

  private static void endpoints(PrintWriter out, Map<String, Object> one) {
    List<Map<String, Object>> endpoints = Json.children(one, "endpoints");
    if (endpoints.isEmpty()) {
      return;
    }
    boolean counted = endpoints.stream().anyMatch(endpoint -> endpoint.containsKey("packets"));
    boolean known = Boolean.TRUE.equals(one.get("connectionsKnown"));
    out.println();
    out.printf(
        "%-32s %-14s %-30s %-12s %11s %s%n",
        "ENDPOINT", "NODE", "POD", "STATE", "CONNECTIONS", counted ? "PACKETS  NOTE" : "NOTE");
    for (Map<String, Object> endpoint : endpoints) {
      String where =
          endpoint.get("address") + " " + endpoint.get("port") + "/" + endpoint.get("protocol");
      String packets =
          counted
              ? endpoint.getOrDefault("packets", 0)
                  + "/"
                  + endpoint.getOrDefault("replyPackets", 0)
                  + "  "
              : "";
      String line =
          "%-32s %-14s %-30s %-12s %11s %s"
              .formatted(
                  where,
                  dash(Json.text(endpoint, "node")),
                  dash(Json.text(endpoint, "pod")),
                  state(endpoint),
                  known ? endpoint.get("connections") : "?",
                  packets + Json.text(endpoint, "why"));
      out.println(line.stripTrailing());
    }
    if (!known) {
      out.println("?: the kernel's table of connections cannot be read; the agent's log says why");
    }
  }

  private static String state(Map<String, Object> endpoint) {
    if (Boolean.TRUE.equals(endpoint.get("terminating"))) {
      return Boolean.TRUE.equals(endpoint.get("serving")) ? "ending" : "ended";
    }
    return Boolean.TRUE.equals(endpoint.get("ready")) ? "ready" : "not ready";
  }

  private static String dash(String text) {
    return text.isEmpty() ? "-" : text;
  }
}
