package dev.sund.cli.audit;

import dev.sund.cli.audit.Suppressions.Judged;
import dev.sund.engine.policy.audit.AuditFinding;
import dev.sund.engine.policy.audit.Crossing;
import dev.sund.engine.policy.audit.Paths;
import java.util.Map;

/** A report as Markdown, for merge requests and records. */
public final class AuditMarkdown {
  private AuditMarkdown() {}

  /** The whole report. */
  public static String of(Audited audited) {
    StringBuilder text = new StringBuilder("# Network policy audit\n\n");
    text.append(audited.summary()).append(".\n\n").append(audited.counts()).append(".\n");
    audited
        .report()
        .assumptions()
        .forEach(line -> text.append("\nAssumed: ").append(plain(line)).append(".\n"));
    text.append("\n## Findings\n\n| severity | finding | object | what |\n|---|---|---|---|\n");
    for (Judged judged : audited.findings()) {
      AuditFinding finding = judged.finding();
      if (judged.by().isEmpty()) {
        row(
            text,
            Audited.word(finding.severity()),
            finding.check().id(),
            finding.object() + (finding.detail().isEmpty() ? "" : " " + finding.detail()),
            finding.text() + " " + finding.remedy());
      }
    }
    if (audited.suppressed() > 0) {
      text.append("\n## Suppressed\n\n| finding | object | reason | until |\n|---|---|---|---|\n");
      for (Judged judged : audited.findings()) {
        judged
            .by()
            .ifPresent(by ->
                row(
                    text,
                    judged.finding().check().id(),
                    judged.finding().object().toString(),
                    by.reason(),
                    by.until().toString()));
      }
    }
    for (String remark : audited.remarks()) {
      text.append("\nSuppression ").append(plain(remark)).append('\n');
    }
    text.append("\n## Between namespaces\n\n| from | to | pairs | ports |\n|---|---|---|---|\n");
    for (Map.Entry<Crossing<String>, Paths> entry : audited.report().namespaces().entrySet()) {
      row(
          text,
          entry.getKey().from(),
          entry.getKey().to(),
          "%,d".formatted(entry.getValue().pairs()),
          entry.getValue().ports().toString());
    }
    return text.toString();
  }

  private static void row(StringBuilder text, String... cells) {
    for (String cell : cells) {
      text.append("| ").append(plain(cell)).append(' ');
    }
    text.append("|\n");
  }

  /** Text that means nothing to Markdown. */
  private static String plain(String text) {
    return text.replace("\\", "\\\\")
        .replace("|", "\\|")
        .replace("<", "&lt;")
        .replace("*", "\\*")
        .replace("`", "\\`")
        .replace("[", "\\[")
        .replace("\n", " ");
  }
}
