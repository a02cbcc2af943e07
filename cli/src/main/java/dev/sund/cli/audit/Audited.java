package dev.sund.cli.audit;

import dev.sund.cli.audit.Suppressions.Judged;
import dev.sund.engine.policy.audit.AuditReport;
import dev.sund.kube.policy.SceneObjects;
import dev.sund.model.ObjectRef;
import dev.sund.model.Severity;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * A report as it is printed.
 *
 * @param report what was found
 * @param findings each, with what suppresses it
 * @param remarks about suppressions
 * @param objects where they stand
 * @param version of Sund
 */
public record Audited(
    AuditReport report,
    List<Judged> findings,
    List<String> remarks,
    SceneObjects objects,
    String version) {
  /** Where the pages of findings are. */
  static final String PAGES = "docs/audit/";

  /** How many findings of a severity count. */
  public long count(Severity severity) {
    return findings.stream()
        .filter(one -> one.by().isEmpty() && one.finding().severity() == severity)
        .count();
  }

  /** How many are suppressed. */
  public long suppressed() {
    return findings.stream().filter(one -> one.by().isPresent()).count();
  }

  Optional<SceneObjects.Place> place(Judged judged) {
    String object = judged.finding().object().toString();
    return objects.place(object + " " + judged.finding().detail()).or(() -> objects.place(object));
  }

  /** {@code shop/web} of a Deployment; kind and name of all else. */
  static String brief(ObjectRef workload) {
    return workload.kind().equals("Pod") || workload.kind().equals("Deployment")
        ? workload.name()
        : workload.name() + " (" + workload.kind() + ")";
  }

  static String word(Severity severity) {
    return severity.name().toLowerCase(Locale.ROOT);
  }

  /** What the cluster is like, in a line. */
  public String summary() {
    long share = report.allPairs() == 0 ? 0 : 100 * report.openPairs() / report.allPairs();
    return "%,d pods in %,d groups that policies tell apart, %,d policies; %,d of %,d pairs of pods (%d %%) are open on some port"
        .formatted(
            report.pods(),
            report.groups(),
            report.policies(),
            report.openPairs(),
            report.allPairs(),
            share);
  }

  /** How many findings there are, in a line. */
  public String counts() {
    return "%s, %s, %s; %d suppressed"
        .formatted(
            counted(count(Severity.ERROR), "error"),
            counted(count(Severity.WARNING), "warning"),
            counted(count(Severity.INFO), "note"),
            suppressed());
  }

  private static String counted(long count, String what) {
    return count + " " + what + (count == 1 ? "" : "s");
  }
}
