package dev.sund.doctor;

import java.util.List;
import java.util.Optional;

/** What the checks of one pod come to, in a sentence for who asks why it does not start. */
public final class PodConclusion {
  /** What has to be right first for the next to be: the first that is wrong is the cause. */
  private record Cause(String check, String words) {}

  private static final List<Cause> CAUSES =
      List.of(
          new Cause("inside-route", "It is the pod's way out, and DNS fails with it"),
          new Cause("inside-resolv", "It is DNS"),
          new Cause("inside-policy", "It is a policy, and DNS fails by it"),
          new Cause("inside-dns", "It is DNS"),
          new Cause("inside-dns-tcp", "It is DNS"),
          new Cause("inside-dns-pair", "It is DNS, now and then"),
          new Cause("inside-names", "It is DNS, of this name"),
          new Cause("inside-mtu", "It is not DNS but the MTU"),
          new Cause("inside-waiting", "It is not DNS but who it connects to"));

  private PodConclusion() {}

  /** The sentence; the same results always get the same one. */
  public static String of(Examination found) {
    for (Severity severity : List.of(Severity.ERROR, Severity.WARNING)) {
      for (Cause cause : CAUSES) {
        Optional<Finding> finding = finding(found, cause.check, severity);
        if (finding.isPresent()) {
          return cause.words + ": " + finding.get().text();
        }
      }
    }
    List<Result> unread = found.unread();
    if (!unread.isEmpty()) {
      return "Not all could be read ("
          + unread.getFirst().check().id()
          + "); nothing is wrong in what was: look at what is unread first.";
    }
    return "The pod's network is well, DNS too; what it does not do is the program's own affair:"
        + " kubectl logs --previous.";
  }

  private static Optional<Finding> finding(Examination found, String check, Severity severity) {
    return found.findings().stream()
        .filter(one -> one.check().id().equals(check) && one.finding().severity() == severity)
        .map(Examination.Found::finding)
        .findFirst();
  }
}
