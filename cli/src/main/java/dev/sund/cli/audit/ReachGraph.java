package dev.sund.cli.audit;

import dev.sund.engine.policy.audit.AuditReport;
import dev.sund.engine.policy.audit.Crossing;
import dev.sund.engine.policy.audit.Paths;
import dev.sund.engine.policy.reach.PortSet;
import dev.sund.model.ObjectRef;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Who may reach whom, drawn: workloads on a circle, those of one namespace beside each other and in
 * one colour, with the Internet at the top; of many workloads only their namespaces.
 */
final class ReachGraph {
  /** Of more workloads namespaces are drawn. */
  static final int MOST = 60;

  private static final String INTERNET = "Internet";

  private final List<Node> nodes = new ArrayList<>();
  private final Map<String, Integer> places = new LinkedHashMap<>();
  private final List<Edge> edges = new ArrayList<>();

  private record Node(String name, String title, String group) {}

  private record Edge(int from, int to, String title, boolean crosses) {}

  private ReachGraph() {}

  /** The drawing as an element {@code svg}. */
  static String svg(AuditReport report) {
    ReachGraph graph = new ReachGraph();
    if (report.sizes().size() <= MOST) {
      graph.workloads(report);
    } else {
      graph.namespaces(report);
    }
    return graph.draw();
  }

  private void node(String name, String title, String group) {
    places.put(name, nodes.size());
    nodes.add(new Node(name, title, group));
  }

  private void edge(String from, String to, String ports) {
    @Nullable Integer one = places.get(from);
    @Nullable Integer other = places.get(to);
    if (one != null && other != null && !one.equals(other)) {
      boolean crosses = !nodes.get(one).group().equals(nodes.get(other).group());
      edges.add(new Edge(one, other, from + " to " + to + ": " + ports, crosses));
    }
  }

  private void workloads(AuditReport report) {
    node(INTERNET, "addresses of the Internet", "");
    SortedMap<String, Long> named = new TreeMap<>();
    report.sizes().forEach((workload, pods) -> named.put(Audited.brief(workload), pods));
    named.forEach((name, pods) ->
        node(name, name + ": " + pods + (pods == 1 ? " pod" : " pods"), space(name)));
    for (Map.Entry<Crossing<ObjectRef>, Paths> path : report.workloads().entrySet()) {
      edge(
          Audited.brief(path.getKey().from()),
          Audited.brief(path.getKey().to()),
          path.getValue().ports().toString());
    }
    report
        .fromInternet()
        .forEach((workload, ports) -> edge(INTERNET, Audited.brief(workload), ports.toString()));
    report
        .toInternet()
        .forEach((workload, ports) -> edge(Audited.brief(workload), INTERNET, ports.toString()));
  }

  private void namespaces(AuditReport report) {
    node(INTERNET, "addresses of the Internet", "");
    SortedMap<String, Long> spaces = new TreeMap<>();
    report
        .sizes()
        .forEach((workload, pods) -> spaces.merge(space(workload.name()), pods, Long::sum));
    spaces.forEach((name, pods) -> node(name, name + ": " + pods + " pods", name));
    report
        .namespaces()
        .forEach((path, open) -> edge(path.from(), path.to(), open.ports().toString()));
    summed(report.fromInternet())
        .forEach((space, ports) -> edge(INTERNET, space, ports.toString()));
    summed(report.toInternet()).forEach((space, ports) -> edge(space, INTERNET, ports.toString()));
  }

  private static SortedMap<String, PortSet> summed(Map<ObjectRef, PortSet> workloads) {
    SortedMap<String, PortSet> spaces = new TreeMap<>();
    workloads.forEach(
        (workload, ports) -> spaces.merge(space(workload.name()), ports, PortSet::union));
    return spaces;
  }

  private static String space(String name) {
    int slash = name.indexOf('/');
    return slash < 0 ? name : name.substring(0, slash);
  }

  private String draw() {
    double radius = Math.max(150, nodes.size() * 16 / (2 * Math.PI));
    double size = radius + 140;
    StringBuilder svg = new StringBuilder();
    svg.append(
        number(
            "<svg id=\"graph\" viewBox=\"%.0f %.0f %.0f %.0f\" role=\"img\""
                + " aria-label=\"who may reach whom\">\n",
            -size, -size * 0.9, 2 * size, 1.8 * size));
    svg.append(
        "<defs><marker id=\"tip\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"7\""
            + " markerHeight=\"7\" orient=\"auto\"><path d=\"M0,0L8,4L0,8z\"/></marker></defs>\n");
    for (Edge edge : edges) {
      double[] from = point(edge.from(), radius);
      double[] to = point(edge.to(), radius - 7);
      double bend = 0.25;
      svg.append(
          number(
              "<path class=\"edge %s f%d t%d\" marker-end=\"url(#tip)\""
                  + " d=\"M%.1f,%.1fQ%.1f,%.1f %.1f,%.1f\"><title>%s</title></path>\n",
              edge.crosses() ? "far" : "near",
              edge.from(),
              edge.to(),
              from[0],
              from[1],
              (from[0] + to[0]) / 2 * bend - (to[1] - from[1]) * 0.06,
              (from[1] + to[1]) / 2 * bend + (to[0] - from[0]) * 0.06,
              to[0],
              to[1],
              AuditPage.escaped(edge.title())));
    }
    for (int i = 0; i < nodes.size(); i++) {
      svg.append(node(i, radius));
    }
    return svg.append("</svg>\n").toString();
  }

  private String node(int index, double radius) {
    Node node = nodes.get(index);
    double[] at = point(index, radius);
    double[] label = point(index, radius + (index == 0 ? 16 : 10));
    double degrees = Math.toDegrees(angle(index));
    boolean left = Math.cos(angle(index)) < -1e-9;
    boolean top = index == 0;
    int hue = Math.floorMod(node.group().hashCode() * 47, 360);
    return number(
        "<g class=\"node\" data-n=\"%d\" tabindex=\"0\"><title>%s</title><circle cx=\"%.1f\""
            + " cy=\"%.1f\" r=\"6\" fill=\"%s\"/><text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\""
            + " transform=\"rotate(%.1f %.1f %.1f)\" dominant-baseline=\"middle\">%s</text></g>\n",
        index,
        AuditPage.escaped(node.title()),
        at[0],
        at[1],
        top ? "#c0392b" : "hsl(" + hue + " 55% 45%)",
        label[0],
        label[1],
        top ? "middle" : left ? "end" : "start",
        top ? 0.0 : left ? degrees + 180 : degrees,
        label[0],
        label[1],
        AuditPage.escaped(node.name()));
  }

  private double angle(int index) {
    return -Math.PI / 2 + 2 * Math.PI * index / nodes.size();
  }

  private double[] point(int index, double radius) {
    return new double[] {radius * Math.cos(angle(index)), radius * Math.sin(angle(index))};
  }

  private static String number(String format, Object... values) {
    return String.format(Locale.ROOT, format, values);
  }
}
