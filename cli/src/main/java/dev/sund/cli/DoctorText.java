package dev.sund.cli;

import dev.sund.doctor.Check;
import dev.sund.doctor.Examination;
import dev.sund.doctor.Finding;
import dev.sund.doctor.Result;
import dev.sund.doctor.Severity;
import dev.sund.doctor.Verdict;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** What the doctor says, for people and for programs. */
record DoctorText(Colours colours) {
  private static final String LINE = "%-8s %-20s %s%n";

  /** By what a finding is known again in a later run: its numbers may be others. */
  static String key(Examination.Found found) {
    return found.check().id() + " " + found.finding().object();
  }

  void list(List<Check<?>> checks, PrintWriter out) {
    checks.forEach(check -> out.printf("%-20s %s%n", check.id(), check.title()));
  }

  static Map<String, Object> list(List<Check<?>> checks) {
    return Map.of(
        "checks",
        checks.stream().map(check -> Map.of("id", check.id(), "title", check.title())).toList());
  }

  /** A line or two for each finding that is not known, and a last line with all counts. */
  void print(Examination found, Set<String> known, boolean all, PrintWriter out) {
    int before = 0;
    int tunable = 0;
    Map<Severity, Integer> counts = new LinkedHashMap<>();
    for (Examination.Found one : found.findings()) {
      if (known.contains(key(one))) {
        before++;
        continue;
      }
      Finding finding = one.finding();
      counts.merge(finding.severity(), 1, Integer::sum);
      tunable += finding.settings().isEmpty() ? 0 : 1;
      out.printf(LINE, mark(finding.severity()), one.check().id(), finding.text());
      out.printf(LINE, "", "", "mend: " + finding.remedy());
    }
    int right = 0;
    int absent = 0;
    Map<String, List<String>> unreads = unreads(found);
    for (Result result : found.results()) {
      switch (result.outcome()) {
        case Result.Unread unread -> {
          List<String> ids = unreads.getOrDefault(said(unread), List.of());
          if (ids.indexOf(result.check().id()) == 0) {
            out.printf(
                LINE,
                colours.warning("%-8s".formatted("unread")),
                result.check().id(),
                said(unread) + others(ids));
          }
        }
        case Result.Judged(Verdict.Right(var read)) -> {
          right++;
          if (all) {
            out.printf(
                LINE, colours.good("%-8s".formatted("right")), result.check().id(), read + ".");
          }
        }
        case Result.Judged(Verdict.NotHere(var why)) -> {
          absent++;
          if (all) {
            out.printf(LINE, "-", result.check().id(), why + ".");
          }
        }
        case Result.Judged(Verdict.Wrong _) -> {
          // printed above
        }
      }
    }
    List<String> parts = new ArrayList<>();
    counts.forEach(
        (severity, count) -> parts.add(count + " " + severity.label() + (count == 1 ? "" : "s")));
    String nothing = "nothing wrong" + (found.unread().isEmpty() ? "" : " where it could be read");
    out.println(
        (parts.isEmpty() ? nothing : String.join(", ", parts))
            + (before == 0 ? "" : ", " + before + " as before")
            + "; "
            + right
            + (right == 1 ? " check" : " checks")
            + " right, "
            + absent
            + " without an object here, "
            + found.unread().size()
            + " could not read"
            + (parts.isEmpty() ? "" : "; sund doctor --explain ID says more")
            + (tunable == 0 ? "" : "; sund tune mends " + tunable));
  }

  private static String said(Result.Unread unread) {
    return "could not read: " + unread.why() + ". " + unread.remedy();
  }

  /** The checks that could not read the same for the same reason, by what is said of it. */
  private static Map<String, List<String>> unreads(Examination found) {
    Map<String, List<String>> ids = new LinkedHashMap<>();
    for (Result result : found.results()) {
      if (result.outcome() instanceof Result.Unread unread) {
        ids.computeIfAbsent(said(unread), _ -> new ArrayList<>()).add(result.check().id());
      }
    }
    return ids;
  }

  private static String others(List<String> ids) {
    return ids.size() == 1
        ? ""
        : " (So with " + String.join(", ", ids.subList(1, ids.size())) + ".)";
  }

  /** One check's whole story. */
  void explain(Result result, PrintWriter out) {
    out.println(result.check().id() + ": " + result.check().title());
    result.sources().forEach(source -> out.println("  read   /" + source));
    switch (result.outcome()) {
      case Result.Unread unread -> {
        out.println("  could not read: " + unread.why() + ".");
        out.println("  do     " + unread.remedy());
      }
      case Result.Judged(Verdict.Right(var read)) -> out.println("  right  " + read);
      case Result.Judged(Verdict.NotHere(var why)) -> out.println("  -      " + why);
      case Result.Judged(Verdict.Wrong(var findings)) -> {
        for (Finding finding : findings) {
          out.println();
          out.println(mark(finding.severity()) + " " + finding.object());
          out.println("  found  " + finding.text());
          out.println("  why    " + finding.why());
          out.println("  mend   " + finding.remedy());
          if (!finding.settings().isEmpty()) {
            out.println("  tune   sund tune --apply sets it, and keeps it over the next start");
          }
        }
      }
    }
    out.println();
    out.println("docs/doctor/" + result.check().id() + ".md has the thresholds and their sources.");
  }

  /** All of it, for programs. */
  static Map<String, Object> whole(Examination found) {
    List<Object> findings = new ArrayList<>();
    for (Examination.Found one : found.findings()) {
      Map<String, Object> fields = new LinkedHashMap<>();
      fields.put("check", one.check().id());
      fields.put("severity", one.finding().severity().label());
      fields.put("object", one.finding().object());
      fields.put("text", one.finding().text());
      fields.put("why", one.finding().why());
      fields.put("remedy", one.finding().remedy());
      fields.put("tune", one.finding().settings().stream().map(Object::toString).toList());
      findings.add(fields);
    }
    List<Object> checks = new ArrayList<>();
    for (Result result : found.results()) {
      Map<String, Object> fields = new LinkedHashMap<>();
      fields.put("id", result.check().id());
      fields.put("sources", result.sources());
      switch (result.outcome()) {
        case Result.Unread unread -> {
          fields.put("outcome", "unread");
          fields.put("text", unread.why());
          fields.put("remedy", unread.remedy());
        }
        case Result.Judged(Verdict.Right(var read)) -> {
          fields.put("outcome", "right");
          fields.put("text", read);
        }
        case Result.Judged(Verdict.NotHere(var why)) -> {
          fields.put("outcome", "not-here");
          fields.put("text", why);
        }
        case Result.Judged(Verdict.Wrong _) -> fields.put("outcome", "wrong");
      }
      checks.add(fields);
    }
    Map<String, Object> whole = new LinkedHashMap<>();
    whole.put("findings", findings);
    whole.put("checks", checks);
    return whole;
  }

  private String mark(Severity severity) {
    String text = "%-8s".formatted(severity.label());
    return switch (severity) {
      case ERROR -> colours.bad(text);
      case WARNING -> colours.warning(text);
      case NOTE -> text;
    };
  }
}
