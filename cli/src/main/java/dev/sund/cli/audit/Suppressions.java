package dev.sund.cli.audit;

import dev.sund.cli.CommandFailure;
import dev.sund.engine.policy.audit.AuditFinding;
import dev.sund.engine.policy.audit.Check;
import dev.sund.kube.tree.MalformedException;
import dev.sund.kube.tree.Tree;
import dev.sund.kube.tree.YamlTrees;
import java.time.LocalDate;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Findings that are known and accepted, each with a reason and until a day.
 *
 * <pre>
 *   suppressions:
 *   - finding: no-default-deny-egress
 *     object: Namespace shop
 *     reason: egress is closed at the gateway
 *     until: 2027-01-31
 * </pre>
 */
public final class Suppressions {
  private static final Set<String> FIELDS =
      Set.of("finding", "object", "detail", "reason", "until");

  private final List<Entry> entries;

  private Suppressions(List<Entry> entries) {
    this.entries = List.copyOf(entries);
  }

  /**
   * One of them.
   *
   * @param file that it stands in
   * @param line where in it
   * @param check which findings
   * @param object of which object: its kind and name; {@code *} at the end stands for anything
   * @param detail of which part; empty for each
   * @param reason why
   * @param until the last day on which it counts
   */
  public record Entry(
      String file,
      int line,
      Check check,
      String object,
      String detail,
      String reason,
      LocalDate until) {
    boolean fits(AuditFinding finding) {
      String name = finding.object().toString();
      boolean same =
          object.endsWith("*")
              ? name.startsWith(object.substring(0, object.length() - 1))
              : name.equals(object);
      return check == finding.check()
          && same
          && (detail.isEmpty() || detail.equals(finding.detail()));
    }

    @Override
    public String toString() {
      return file + ":" + line + ": " + check.id() + " of " + object;
    }
  }

  /** A finding, and by what it is suppressed. */
  public record Judged(AuditFinding finding, Optional<Entry> by) {}

  /**
   * What has become of findings.
   *
   * @param findings each, in their order
   * @param remarks suppressions that have expired or fit nothing, a line each
   */
  public record Applied(List<Judged> findings, List<String> remarks) {}

  /** None. */
  public static Suppressions none() {
    return new Suppressions(List.of());
  }

  /**
   * Reads a file's text.
   *
   * @throws CommandFailure naming file, line, field and what to write
   */
  public static Suppressions parse(String file, String text) {
    List<Tree> documents;
    try {
      documents = YamlTrees.documents(text);
    } catch (MalformedException e) {
      throw failure(file, e.line(), String.valueOf(e.getMessage()), "Correct the text.");
    }
    List<Entry> entries = new ArrayList<>();
    for (Tree document : documents) {
      if (!(document instanceof Tree.Mapping mapping)
          || !(mapping.get("suppressions").orElse(null) instanceof Tree.Sequence list)) {
        throw failure(
            file,
            document.line(),
            "there is no list 'suppressions'",
            "Write 'suppressions:' and below it a list.");
      }
      for (Tree item : list.items()) {
        entries.add(entry(file, item));
      }
    }
    return new Suppressions(entries);
  }

  private static Entry entry(String file, Tree item) {
    if (!(item instanceof Tree.Mapping mapping)) {
      throw failure(
          file,
          item.line(),
          "a suppression is a mapping, not " + item.described(),
          "Write finding, object, reason and until.");
    }
    for (String field : mapping.fields().keySet()) {
      if (!FIELDS.contains(field)) {
        throw failure(
            file,
            mapping.get(field).orElse(item).line(),
            "a suppression has no field '" + field + "'",
            "Its fields are finding, object, detail, reason and until.");
      }
    }
    String id = needed(file, mapping, "finding");
    Check check =
        Arrays.stream(Check.values())
            .filter(one -> one.id().equals(id))
            .findFirst()
            .orElseThrow(() ->
                failure(
                    file,
                    mapping.line(),
                    "finding: there is no finding '" + id + "'",
                    "Write one of those that sund audit prints."));
    String until = needed(file, mapping, "until");
    LocalDate day;
    try {
      day = LocalDate.parse(until);
    } catch (DateTimeParseException _) {
      throw failure(
          file, mapping.line(), "until: '" + until + "' is no date", "Write it as 2027-01-31.");
    }
    return new Entry(
        file,
        mapping.line(),
        check,
        needed(file, mapping, "object"),
        mapping.text("detail").orElse(""),
        needed(file, mapping, "reason"),
        day);
  }

  private static String needed(String file, Tree.Mapping mapping, String field) {
    return mapping
        .text(field)
        .filter(text -> !text.isBlank())
        .orElseThrow(() ->
            failure(file, mapping.line(), field + ": it is missing", "Every suppression has one."));
  }

  private static CommandFailure failure(String file, int line, String what, String remedy) {
    return CommandFailure.badInput(file + ":" + line + ": " + what + ".", remedy);
  }

  /** Applies them as of a day. */
  public Applied apply(List<AuditFinding> findings, LocalDate today) {
    List<String> remarks = new ArrayList<>();
    List<Entry> counting = new ArrayList<>();
    for (Entry entry : entries) {
      if (findings.stream().noneMatch(entry::fits)) {
        remarks.add(entry + ": it fits no finding; leave it out.");
      } else if (entry.until().isBefore(today)) {
        remarks.add(entry + ": it expired on " + entry.until() + ", and the finding counts again.");
      } else {
        counting.add(entry);
      }
    }
    List<Judged> judged =
        findings.stream()
            .map(finding ->
                new Judged(
                    finding, counting.stream().filter(entry -> entry.fits(finding)).findFirst()))
            .toList();
    return new Applied(judged, remarks);
  }
}
