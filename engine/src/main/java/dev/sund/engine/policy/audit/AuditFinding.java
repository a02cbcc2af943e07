package dev.sund.engine.policy.audit;

import dev.sund.model.ObjectRef;
import dev.sund.model.Severity;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * One thing that an audit found.
 *
 * @param check what was looked for
 * @param severity how much it hurts
 * @param object whom it is about
 * @param detail which part of it, such as {@code ingress rule 0, peer 1}; empty when it is the
 *     whole
 * @param text one sentence
 * @param others further objects that have to do with it
 * @param numbers by name: how many pods, of how many
 * @param remedy one sentence: what to do
 * @param patch YAML to apply or a command to run; may be empty
 */
public record AuditFinding(
    Check check,
    Severity severity,
    ObjectRef object,
    String detail,
    String text,
    List<ObjectRef> others,
    Map<String, Long> numbers,
    String remedy,
    String patch)
    implements Comparable<AuditFinding> {
  private static final Comparator<AuditFinding> ORDER =
      Comparator.comparing(AuditFinding::severity, Comparator.reverseOrder())
          .thenComparing(AuditFinding::check)
          .thenComparing(AuditFinding::object)
          .thenComparing(AuditFinding::detail);

  public AuditFinding {
    others = List.copyOf(others);
    numbers = Collections.unmodifiableMap(new LinkedHashMap<>(numbers));
  }

  /** By which it is the same finding in another run, whatever its numbers are then. */
  public String key() {
    return check.id() + " " + object + (detail.isEmpty() ? "" : " " + detail);
  }

  @Override
  public int compareTo(AuditFinding other) {
    return ORDER.compare(this, other);
  }
}
