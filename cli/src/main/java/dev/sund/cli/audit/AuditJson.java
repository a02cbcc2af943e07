package dev.sund.cli.audit;

import dev.sund.agent.local.Json;
import dev.sund.cli.audit.Suppressions.Judged;
import dev.sund.engine.policy.audit.AuditFinding;
import dev.sund.engine.policy.audit.AuditReport;
import dev.sund.engine.policy.audit.Check;
import dev.sund.engine.policy.audit.Radius;
import dev.sund.engine.policy.reach.PortSet;
import dev.sund.model.ObjectRef;
import dev.sund.model.Severity;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A report for programs: Sund's own JSON, and SARIF 2.1.0. */
public final class AuditJson {
  private static final String SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json";

  private AuditJson() {}

  /** All that was found. */
  public static String json(Audited audited) {
    AuditReport report = audited.report();
    Map<String, Object> all = new LinkedHashMap<>();
    all.put("pods", report.pods());
    all.put("groups", report.groups());
    all.put("policies", report.policies());
    all.put("openPairs", report.openPairs());
    all.put("allPairs", report.allPairs());
    all.put("findings", audited.findings().stream().map(AuditJson::finding).toList());
    all.put(
        "namespaces",
        report.namespaces().entrySet().stream()
            .map(entry ->
                ordered(
                    "from", entry.getKey().from(),
                    "to", entry.getKey().to(),
                    "pairs", entry.getValue().pairs(),
                    "ports", ports(entry.getValue().ports())))
            .toList());
    all.put(
        "workloads",
        report.workloads().entrySet().stream()
            .map(entry ->
                ordered(
                    "from", entry.getKey().from().toString(),
                    "to", entry.getKey().to().toString(),
                    "pairs", entry.getValue().pairs(),
                    "ports", ports(entry.getValue().ports())))
            .toList());
    all.put("fromInternet", internet(report.fromInternet()));
    all.put("toInternet", internet(report.toInternet()));
    all.put("remarks", audited.remarks());
    all.put("assumptions", report.assumptions());
    return Json.write(all);
  }

  private static List<Map<String, Object>> internet(Map<ObjectRef, PortSet> workloads) {
    return workloads.entrySet().stream()
        .map(entry ->
            ordered("workload", entry.getKey().toString(), "ports", ports(entry.getValue())))
        .toList();
  }

  private static Map<String, Object> finding(Judged judged) {
    AuditFinding finding = judged.finding();
    Map<String, Object> all =
        ordered(
            "id", finding.check().id(),
            "severity", Audited.word(finding.severity()),
            "object", finding.object().toString(),
            "detail", finding.detail(),
            "text", finding.text(),
            "others", finding.others().stream().map(ObjectRef::toString).toList(),
            "numbers", finding.numbers(),
            "remedy", finding.remedy(),
            "patch", finding.patch(),
            "page", Audited.PAGES + finding.check().id() + ".md");
    judged
        .by()
        .ifPresent(by ->
            all.put("suppressed", ordered("reason", by.reason(), "until", by.until().toString())));
    return all;
  }

  /** What a pod reaches, or who reaches pods. */
  public static String json(Radius radius) {
    Map<String, Object> all = new LinkedHashMap<>();
    all.put("pods", radius.pods().stream().map(Object::toString).toList());
    all.put("reached", radius.reached());
    all.put("others", radius.others());
    List<Map<String, Object>> rows = new ArrayList<>();
    radius
        .workloads()
        .forEach(row ->
            rows.add(
                ordered(
                    "workload", row.name(),
                    "pods", row.pods(),
                    "of", row.of(),
                    "ports", ports(row.ports()))));
    all.put("workloads", rows);
    all.put(
        "outside",
        radius.outside().stream()
            .map(row -> ordered("ranges", row.name(), "ports", ports(row.ports())))
            .toList());
    return Json.write(all);
  }

  /** A set of ports: {@code {"text": "tcp 80", "ranges": [{"protocol": "tcp", ...}]}}. */
  static Map<String, Object> ports(PortSet ports) {
    return ordered(
        "text",
        ports.toString(),
        "ranges",
        ports.ranges().stream()
            .map(range ->
                range.protocol().isEmpty()
                    ? ordered("protocol", "others")
                    : ordered(
                        "protocol", range.protocol().get().label(),
                        "first", range.first(),
                        "last", range.last()))
            .toList());
  }

  static Map<String, Object> ordered(Object... keysAndValues) {
    Map<String, Object> all = new LinkedHashMap<>();
    for (int i = 0; i < keysAndValues.length; i += 2) {
      all.put((String) keysAndValues[i], keysAndValues[i + 1]);
    }
    return all;
  }

  /** The same as SARIF 2.1.0, which programs that keep findings of many tools read. */
  public static String sarif(Audited audited) {
    List<Check> checks = Arrays.asList(Check.values());
    List<Map<String, Object>> rules =
        checks.stream()
            .map(check ->
                ordered(
                    "id", check.id(),
                    "name", check.id(),
                    "shortDescription", ordered("text", check.title() + "."),
                    "help", ordered("text", "See " + Audited.PAGES + check.id() + ".md."),
                    "defaultConfiguration", ordered("level", level(check.severity()))))
            .toList();
    List<Map<String, Object>> results =
        audited.findings().stream().map(one -> result(audited, one, checks)).toList();
    Map<String, Object> driver =
        ordered("name", "sund audit", "version", audited.version(), "rules", rules);
    return Json.write(
        ordered(
            "$schema",
            SCHEMA,
            "version",
            "2.1.0",
            "runs",
            List.of(
                ordered(
                    "tool",
                    ordered("driver", driver),
                    "columnKind",
                    "utf16CodeUnits",
                    "results",
                    results))));
  }

  private static Map<String, Object> result(Audited audited, Judged judged, List<Check> checks) {
    AuditFinding finding = judged.finding();
    Map<String, Object> location = new LinkedHashMap<>();
    audited
        .place(judged)
        .ifPresent(place ->
            location.put(
                "physicalLocation",
                ordered(
                    "artifactLocation", ordered("uri", uri(place.file())),
                    "region", ordered("startLine", place.line()))));
    location.put(
        "logicalLocations",
        List.of(ordered("fullyQualifiedName", finding.object().toString(), "kind", "resource")));
    Map<String, Object> result =
        ordered(
            "ruleId", finding.check().id(),
            "ruleIndex", checks.indexOf(finding.check()),
            "level", level(finding.severity()),
            "message",
                ordered(
                    "text",
                    finding.object()
                        + (finding.detail().isEmpty() ? "" : " " + finding.detail())
                        + ": "
                        + finding.text()
                        + " "
                        + finding.remedy()),
            "locations", List.of(location),
            "partialFingerprints", ordered("finding/v1", finding.key()),
            "properties", finding.numbers());
    judged
        .by()
        .ifPresent(by ->
            result.put(
                "suppressions",
                List.of(
                    ordered(
                        "kind",
                        "external",
                        "justification",
                        by.reason() + " (until " + by.until() + ")"))));
    return result;
  }

  /** A path as a reference by RFC 3986; one with a colon in front of its first slash stays one. */
  private static String uri(String file) {
    if (file.equals("standard input")) {
      return "stdin";
    }
    try {
      return new URI(null, null, file, null).toASCIIString();
    } catch (URISyntaxException _) {
      return URLEncoder.encode(file, StandardCharsets.UTF_8);
    }
  }

  private static String level(Severity severity) {
    return switch (severity) {
      case ERROR -> "error";
      case WARNING -> "warning";
      case INFO -> "note";
    };
  }
}
