package dev.sund.cli;

import dev.sund.cli.audit.AuditJson;
import dev.sund.cli.audit.AuditMarkdown;
import dev.sund.cli.audit.AuditPage;
import dev.sund.cli.audit.AuditText;
import dev.sund.cli.audit.Audited;
import dev.sund.cli.audit.Suppressions;
import dev.sund.engine.policy.audit.AuditReport;
import dev.sund.engine.policy.audit.PolicyScene;
import dev.sund.engine.policy.audit.Radius;
import dev.sund.kube.policy.SceneObjects;
import dev.sund.model.Severity;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code sund audit}: what a cluster's policies leave open, and what is wrong with them. */
@Command(
    name = "audit",
    header = "Say what a cluster's network policies leave open, and what is wrong with them.",
    description = {
      "",
      "Reads files or an API server; needs no agent and sends no packet. What it says of pods it"
          + " proves for all ports and all other pods. Each finding has a page in docs/audit. Ends"
          + " with 1 when a finding counts that is as bad as --fail-on says."
    },
    footer = {
      "  kubectl get ns,nodes,pods,networkpolicies -A -o yaml > cluster.yaml",
      "  sund audit -f cluster.yaml",
      "  sund audit -f deploy/ -o sarif --fail-on warning > audit.sarif",
      "  sund audit --kubeconfig ~/.kube/config -o html > audit.html",
      "  sund audit -f cluster.yaml --from shop/web-5d8f7c9b6d-x2x4q",
      "  sund audit -f cluster.yaml --to app=db -n shop",
      "  sund audit -f cluster.yaml --to shop/db-0",
      "  sund audit -f cluster.yaml --to service/db -n shop"
    })
public final class AuditCommand implements Callable<Integer> {
  /** In what form the report is printed. */
  enum Form {
    TEXT,
    JSON,
    SARIF,
    MARKDOWN,
    HTML;

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /** From which severity on findings make the command end with 1. */
  enum Limit {
    ERROR,
    WARNING,
    INFO,
    NEVER;

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }

    boolean reached(Audited audited) {
      return switch (this) {
        case NEVER -> false;
        case ERROR -> audited.count(Severity.ERROR) > 0;
        case WARNING -> audited.count(Severity.ERROR) + audited.count(Severity.WARNING) > 0;
        case INFO ->
            audited.count(Severity.ERROR)
                    + audited.count(Severity.WARNING)
                    + audited.count(Severity.INFO)
                > 0;
      };
    }
  }

  @Option(
      names = {"-f", "--filename"},
      paramLabel = "FILE",
      description = "Manifests: files, folders, or - for standard input.")
  List<String> files = new ArrayList<>();

  @Option(names = "--kubeconfig", paramLabel = "FILE", description = "How to reach the API server.")
  @Nullable Path kubeconfig;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FORM",
      defaultValue = "text",
      description = "Print ${COMPLETION-CANDIDATES} (default: text).")
  Form form = Form.TEXT;

  @Option(
      names = "--fail-on",
      paramLabel = "SEVERITY",
      defaultValue = "error",
      description = "End with 1 from this severity on: ${COMPLETION-CANDIDATES} (default: error).")
  Limit limit = Limit.ERROR;

  @Option(
      names = "--suppressions",
      paramLabel = "FILE",
      description = "Findings that are known and accepted, each with a reason and until a day.")
  @Nullable Path suppressions;

  @Option(names = "--remedies", description = "With text: print what to do about each finding.")
  boolean remedies;

  @Option(
      names = "--from",
      paramLabel = "[NAMESPACE/]POD",
      defaultValue = "",
      description = "Say instead what this pod can reach.")
  String from = "";

  @Option(
      names = "--to",
      paramLabel = "PODS",
      defaultValue = "",
      description =
          "Say instead who can reach pods: those with labels such as app=db, one as NAMESPACE/POD or"
              + " POD, or those of a Service as service/NAME.")
  String to = "";

  @Option(
      names = {"-n", "--namespace"},
      paramLabel = "NAMESPACE",
      defaultValue = "",
      description = "With --from and --to: the namespace of what they name.")
  String namespace = "";

  @Spec CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() throws IOException {
    PrintWriter out = spec.commandLine().getOut();
    SceneObjects objects = SceneOption.read(files, kubeconfig, "-f", spec.commandLine().getErr());
    PolicyScene scene = objects.scene();
    Integer code =
        from.isEmpty() && to.isEmpty() ? report(out, objects, scene) : radius(out, objects, scene);
    out.flush();
    return code;
  }

  private Integer radius(PrintWriter out, SceneObjects objects, PolicyScene scene) {
    if (form != Form.TEXT && form != Form.JSON) {
      throw CommandFailure.badInput(
          "--from and --to are not printed as " + form + ".", "Use -o text or -o json.");
    }
    if (!from.isEmpty() && !to.isEmpty()) {
      throw CommandFailure.badInput(
          "--from and --to are two questions.", "Give one of them, or use sund trace.");
    }
    try {
      boolean asking = !from.isEmpty();
      Radius radius =
          asking
              ? Radius.from(scene, RadiusQuestion.pod(scene, namespace, from))
              : RadiusQuestion.to(scene, objects, namespace, to);
      if (form == Form.JSON) {
        out.println(AuditJson.json(radius));
      } else {
        text(out)
            .print(
                radius,
                asking
                    ? "what " + from + " can reach:"
                    : "who can reach the "
                        + radius.pods().size()
                        + (radius.pods().size() == 1 ? " pod" : " pods")
                        + RadiusQuestion.words(to)
                        + ":");
      }
      return ExitCode.OK;
    } catch (IllegalArgumentException e) {
      throw CommandFailure.badInput(
          e.getMessage() + ".", "Look at what kubectl get pods -A --show-labels prints.");
    }
  }

  private Integer report(PrintWriter out, SceneObjects objects, PolicyScene scene)
      throws IOException {
    AuditReport report = AuditReport.of(scene);
    Suppressions known =
        suppressions == null
            ? Suppressions.none()
            : Suppressions.parse(suppressions.toString(), Files.readString(suppressions));
    Suppressions.Applied applied = known.apply(report.findings(), LocalDate.now(ZoneOffset.UTC));
    Audited audited =
        new Audited(report, applied.findings(), applied.remarks(), objects, Version.text());
    switch (form) {
      case TEXT -> text(out).print(audited, remedies);
      case JSON -> out.println(AuditJson.json(audited));
      case SARIF -> out.println(AuditJson.sarif(audited));
      case MARKDOWN -> out.print(AuditMarkdown.of(audited));
      case HTML -> out.print(AuditPage.of(audited));
    }
    return limit.reached(audited) ? ExitCode.DIFFERS : ExitCode.OK;
  }

  private AuditText text(PrintWriter out) {
    boolean colors = spec.root().userObject() instanceof Sund sund && sund.colors();
    Colours colours = new Colours(colors);
    BiFunction<Severity, String, String> marked =
        (severity, text) ->
            switch (severity) {
              case ERROR -> colours.bad(text);
              case WARNING -> colours.warning(text);
              case INFO -> text;
            };
    return new AuditText(out, marked);
  }
}
