package dev.sund.cli.audit;

import dev.sund.cli.audit.Suppressions.Judged;
import dev.sund.engine.policy.audit.AuditFinding;
import dev.sund.engine.policy.audit.Radius;
import dev.sund.model.Severity;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiFunction;

/** A report as a table for people. */
public final class AuditText {
  private final PrintWriter out;
  private final BiFunction<Severity, String, String> marked;

  /**
   * A table.
   *
   * @param marked a text in the colour of a severity, or as it is
   */
  public AuditText(PrintWriter out, BiFunction<Severity, String, String> marked) {
    this.out = out;
    this.marked = marked;
  }

  /** Prints the findings, the worst first, and what the cluster is like. */
  public void print(Audited audited, boolean remedies) {
    audited.report().assumptions().forEach(line -> out.println("assumed: " + line));
    for (Judged judged : audited.findings()) {
      AuditFinding finding = judged.finding();
      if (judged.by().isPresent()) {
        continue;
      }
      out.println(
          marked.apply(finding.severity(), "%-7s".formatted(Audited.word(finding.severity())))
              + "  "
              + finding.check().id()
              + "  "
              + finding.object()
              + (finding.detail().isEmpty() ? "" : " " + finding.detail())
              + ": "
              + finding.text());
      if (remedies) {
        out.println("         " + finding.remedy());
        finding.patch().lines().forEach(line -> out.println("           " + line));
      }
    }
    audited.remarks().forEach(line -> out.println("suppression " + line));
    out.println(audited.summary());
    out.println(audited.counts());
  }

  /** Prints what a pod reaches, or who reaches pods. */
  public void print(Radius radius, String what) {
    out.println(what);
    List<List<String>> cells = new ArrayList<>();
    cells.add(List.of("WHO", "PODS", "PORTS"));
    for (Radius.Row row : radius.workloads()) {
      cells.add(List.of(row.name(), row.pods() + " of " + row.of(), row.ports().toString()));
    }
    for (Radius.Row row : radius.outside()) {
      cells.add(List.of(row.name(), "-", row.ports().toString()));
    }
    int first = width(cells, 0);
    int second = width(cells, 1);
    for (List<String> line : cells) {
      out.println(
          ("%-" + first + "s  %-" + second + "s  %s")
              .formatted(line.get(0), line.get(1), line.get(2)));
    }
    out.printf("%,d of %,d other pods%n", radius.reached(), radius.others());
  }

  private static int width(List<List<String>> cells, int column) {
    return cells.stream().mapToInt(line -> line.get(column).length()).max().orElse(1);
  }
}
