package dev.sund.it.audit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.agent.local.Json;
import dev.sund.cli.AuditCommand;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** The page of an audit in a browser, from a file, in a namespace without a network. */
@Tag("interop")
@Timeout(120)
class AuditChromiumTest {
  private static final Path ROOT = Path.of(System.getProperty("sund.root", ".."));

  /** Hears of all that goes wrong, before anything of the page is read. */
  private static final String LISTENING =
      """
      <head><script>
      const wrong=[];
      addEventListener('error',e=>wrong.push('error: '+(e.message||e.target)),true);
      addEventListener('unhandledrejection',e=>wrong.push('promise: '+e.reason));
      addEventListener('securitypolicyviolation',e=>wrong.push('blocked: '+e.violatedDirective));
      </script>\
      """;

  /** Points at each name in turn, and says in the title what the browser made of the page. */
  private static final String ASKING =
      """
      <script>
      const nodes=[...document.querySelectorAll('#graph .node')];
      let lit=0;
      nodes.forEach(n=>{
        n.dispatchEvent(new MouseEvent('mouseenter'));
        lit+=document.querySelectorAll('#graph.dim .edge.lit').length;
        n.dispatchEvent(new MouseEvent('mouseleave'));});
      const box=document.getElementById('graph').getBoundingClientRect();
      document.title=JSON.stringify({nodes:nodes.length,
        edges:document.querySelectorAll('#graph .edge').length,lit:lit,
        dim:document.querySelectorAll('#graph.dim').length,
        inside:nodes.filter(n=>{const b=n.getBoundingClientRect();
          return b.width>0&&b.top>=box.top-1&&b.bottom<=box.bottom+1;}).length,
        loaded:performance.getEntriesByType('resource').length,wrong:wrong});
      </script></body>\
      """;

  @TempDir private Path folder;

  private String audit(String form) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    new CommandLine(new AuditCommand())
        .setOut(new PrintWriter(out))
        .setErr(new PrintWriter(err))
        .execute(
            "-f",
            ROOT.resolve("examples/shop").toString(),
            "-f",
            ROOT.resolve("examples/policies").toString(),
            "--fail-on",
            "never",
            "-o",
            form);
    assertThat(err.toString()).isEmpty();
    return out.toString();
  }

  @Test
  void theGraphIsDrawnWithoutErrorsAndWithoutANetwork() throws Exception {
    Map<String, Object> report = Json.object(audit("json").getBytes(StandardCharsets.UTF_8));
    Set<String> workloads = new HashSet<>();
    int edges = 0;
    for (Map<String, Object> path : Json.children(report, "workloads")) {
      workloads.add(Json.text(path, "from"));
      workloads.add(Json.text(path, "to"));
      edges += Json.text(path, "from").equals(Json.text(path, "to")) ? 0 : 1;
    }
    for (String way : List.of("fromInternet", "toInternet")) {
      for (Map<String, Object> one : Json.children(report, way)) {
        workloads.add(Json.text(one, "workload"));
        edges++;
      }
    }
    assertThat(workloads.size()).isGreaterThan(5);
    assertThat(edges).isGreaterThan(workloads.size());

    String page = audit("html");
    Path file =
        Files.writeString(
            folder.resolve("audit.html"),
            page.replaceFirst("<head>", Matcher.quoteReplacement(LISTENING))
                .replace("</body>", ASKING));
    Map<String, Object> seen = Json.object(opened(file).getBytes(StandardCharsets.UTF_8));

    assertThat(seen.get("wrong")).isEqualTo(List.of());
    assertThat(Json.number(seen, "loaded")).as("nothing is loaded").isZero();
    assertThat(Json.number(seen, "nodes"))
        .as("names, the Internet too")
        .isEqualTo(workloads.size() + 1);
    assertThat(Json.number(seen, "inside"))
        .as("names within the drawing")
        .isEqualTo(workloads.size() + 1);
    assertThat(Json.number(seen, "edges")).as("arrows").isEqualTo(edges);
    assertThat(Json.number(seen, "lit")).as("each by its two ends").isEqualTo(2L * edges);
    assertThat(Json.number(seen, "dim")).as("when nothing is pointed at").isZero();
  }

  /** What the page says in its title once its scripts have run. */
  private String opened(Path file) throws Exception {
    Path log = folder.resolve("chromium.log");
    Process browser =
        new ProcessBuilder(
                "unshare",
                "--net",
                "chromium",
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--user-data-dir=" + folder.resolve("profile"),
                "--window-size=1300,1800",
                "--dump-dom",
                file.toUri().toString())
            .redirectError(log.toFile())
            .start();
    try {
      String dom = new String(browser.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      assertThat(browser.waitFor(60, TimeUnit.SECONDS)).isTrue();
      Matcher title = Pattern.compile("<title>([^<]*)</title>").matcher(dom);
      assertThat(title.find()).as(dom + Files.readString(log)).isTrue();
      return title.group(1).replace("&amp;", "&");
    } finally {
      browser.descendants().forEach(ProcessHandle::destroyForcibly);
      browser.destroyForcibly().waitFor();
    }
  }
}
