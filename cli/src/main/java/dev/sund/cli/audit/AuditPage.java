package dev.sund.cli.audit;

import dev.sund.cli.audit.Suppressions.Judged;
import dev.sund.engine.policy.audit.AuditFinding;
import dev.sund.engine.policy.audit.Crossing;
import dev.sund.engine.policy.audit.Paths;
import dev.sund.engine.policy.reach.PortSet;
import dev.sund.model.ObjectRef;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** A report as one page that loads nothing: findings, who may reach whom as a drawing and table. */
public final class AuditPage {
  private static final String STYLE =
      """
      :root{color-scheme:light dark;--ink:#1d2433;--back:#fff;--soft:#f3f5f9;--line:#d5dae4}
      @media(prefers-color-scheme:dark){:root{--ink:#e6e9f0;--back:#151922;--soft:#1f2531;--line:#3a4354}}
      body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--back);
        max-width:76rem;margin:0 auto;padding:1.5rem}
      h1{margin:0 0 .3rem}h2{margin:2rem 0 .5rem}
      table{border-collapse:collapse;width:100%;font-size:14px}
      th,td{text-align:left;vertical-align:top;padding:.35rem .6rem;border-bottom:1px solid var(--line)}
      th{background:var(--soft)}pre{background:var(--soft);padding:.6rem;overflow:auto;font-size:12.5px}
      .tag{display:inline-block;padding:0 .5rem;border-radius:.6rem;font-weight:600;font-size:12.5px}
      .error{background:#c0392b;color:#fff}.warning{background:#e8b339;color:#1d2433}
      .info{background:#8fa3bf;color:#10151f}.quiet{opacity:.65}
      .wide{overflow:auto}svg{width:100%;max-height:46rem}svg text{font-size:11px;fill:var(--ink)}
      .edge{fill:none;stroke:#7f93b2;stroke-width:1.1;opacity:.5}.far{stroke:#cf7a2a}
      marker path{fill:#7f93b2}.dim .edge{opacity:.04}.dim .edge.lit{opacity:1;stroke-width:2}
      .node{cursor:pointer}.matrix td,.matrix th{font-size:12px;padding:.15rem .35rem}
      .all{background:#c0392b33}.some{background:#e8b33944}
      """;
  private static final String SCRIPT =
      """
      const g=document.getElementById('graph');
      const light=n=>{g.classList.toggle('dim',n!==null);
        g.querySelectorAll('.edge').forEach(e=>e.classList.toggle('lit',n!==null&&
          (e.classList.contains('f'+n)||e.classList.contains('t'+n))));};
      g.querySelectorAll('.node').forEach(n=>{
        n.addEventListener('mouseenter',()=>light(n.dataset.n));
        n.addEventListener('focus',()=>light(n.dataset.n));
        n.addEventListener('mouseleave',()=>light(null));
        n.addEventListener('blur',()=>light(null));});
      """;

  /** Of more namespaces the table of them is left out. */
  private static final int TABLE = 60;

  private AuditPage() {}

  /** The whole page. */
  public static String of(Audited audited) {
    StringBuilder page = new StringBuilder();
    page.append("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n");
    page.append(
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src"
            + " 'unsafe-inline'; script-src 'unsafe-inline'\">\n");
    page.append("<meta name=\"viewport\" content=\"width=device-width\">\n");
    page.append("<title>Network policy audit</title>\n<style>\n").append(STYLE);
    page.append("</style></head><body>\n<h1>Network policy audit</h1>\n");
    page.append("<p>").append(escaped(audited.summary())).append(".<br>\n");
    page.append(escaped(audited.counts())).append(".</p>\n");
    for (String line : audited.report().assumptions()) {
      page.append("<p class=\"quiet\">Assumed: ").append(escaped(line)).append(".</p>\n");
    }
    page.append("<h2>Who may reach whom</h2>\n");
    page.append(
        "<p>An arrow goes where at least one pod may connect to another on at least one port;"
            + " orange ones cross namespaces. Point at a name to see its own.</p>\n");
    page.append("<div class=\"wide\">").append(ReachGraph.svg(audited.report())).append("</div>\n");
    matrix(page, audited);
    findings(page, audited);
    suppressed(page, audited);
    return page.append("<script>\n")
        .append(SCRIPT)
        .append("</script>\n</body></html>\n")
        .toString();
  }

  private static void matrix(StringBuilder page, Audited audited) {
    TreeSet<String> names = new TreeSet<>();
    for (ObjectRef workload : audited.report().sizes().keySet()) {
      names.add(workload.name().substring(0, workload.name().indexOf('/')));
    }
    if (names.size() > TABLE) {
      return;
    }
    page.append("<h2>Between namespaces</h2>\n<p>From the row to the column.</p>\n");
    page.append("<div class=\"wide\"><table class=\"matrix\"><tr><th></th>");
    names.forEach(name -> page.append("<th>").append(escaped(name)).append("</th>"));
    page.append("</tr>\n");
    for (String from : names) {
      page.append("<tr><th>").append(escaped(from)).append("</th>");
      for (String to : names) {
        @Nullable Paths open = audited.report().namespaces().get(new Crossing<>(from, to));
        if (open == null) {
          page.append("<td>-</td>");
        } else {
          PortSet ports = open.ports();
          page.append("<td class=\"")
              .append(ports.isAll() ? "all" : "some")
              .append("\" title=\"")
              .append("%,d pairs of pods".formatted(open.pairs()))
              .append("\">")
              .append(escaped(ports.toString()))
              .append("</td>");
        }
      }
      page.append("</tr>\n");
    }
    page.append("</table></div>\n");
  }

  private static void findings(StringBuilder page, Audited audited) {
    page.append("<h2>Findings</h2>\n<table><tr><th></th><th>finding</th><th>object</th>");
    page.append("<th>what</th></tr>\n");
    for (Judged judged : audited.findings()) {
      if (judged.by().isPresent()) {
        continue;
      }
      AuditFinding finding = judged.finding();
      String word = Audited.word(finding.severity());
      page.append("<tr><td><span class=\"tag ").append(word).append("\">").append(word);
      page.append("</span></td><td>").append(finding.check().id()).append("</td><td>");
      page.append(escaped(finding.object().toString()));
      page.append(finding.detail().isEmpty() ? "" : "<br>" + escaped(finding.detail()));
      page.append("</td><td>").append(escaped(finding.text())).append("<br><span class=\"quiet\">");
      page.append(escaped(finding.remedy())).append("</span>");
      if (!finding.patch().isEmpty()) {
        page.append("<details><summary>How</summary><pre>");
        page.append(escaped(finding.patch())).append("</pre></details>");
      }
      page.append("</td></tr>\n");
    }
    page.append("</table>\n");
  }

  private static void suppressed(StringBuilder page, Audited audited) {
    if (audited.suppressed() > 0) {
      page.append("<h2>Suppressed</h2>\n<table><tr><th>finding</th><th>object</th>");
      page.append("<th>reason</th><th>until</th></tr>\n");
      for (Judged judged : audited.findings()) {
        judged
            .by()
            .ifPresent(by ->
                page.append("<tr><td>")
                    .append(judged.finding().check().id())
                    .append("</td><td>")
                    .append(escaped(judged.finding().object().toString()))
                    .append("</td><td>")
                    .append(escaped(by.reason()))
                    .append("</td><td>")
                    .append(by.until())
                    .append("</td></tr>\n"));
      }
      page.append("</table>\n");
    }
    audited
        .remarks()
        .forEach(line -> page.append("<p>Suppression ").append(escaped(line)).append("</p>\n"));
  }

  /** Text that means nothing to HTML. */
  static String escaped(String text) {
    return text.replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace(">", "&gt;")
        .replace("\"", "&quot;")
        .replace("'", "&#39;");
  }
}
