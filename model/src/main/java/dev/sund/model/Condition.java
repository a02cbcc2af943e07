package dev.sund.model;

import java.util.Comparator;

/**
 * A finding in the one vocabulary of status, events, metrics, doctor, trace and page: what is wrong
 * with which field of which object, and what to do.
 *
 * @param reason the stable code; its page is {@code docs/reasons/CODE.md}
 * @param object the object that it is about
 * @param field the field's path in the object, such as {@code spec.podCIDR}; empty when it is about
 *     the object as a whole
 * @param text one sentence that names the value and what is wrong with it
 * @param remedy one sentence: what the reader should do
 */
public record Condition(Reason reason, ObjectRef object, String field, String text, String remedy)
    implements Comparable<Condition> {
  private static final Comparator<Condition> ORDER =
      Comparator.comparing(Condition::reason)
          .thenComparing(Condition::object)
          .thenComparing(Condition::field)
          .thenComparing(Condition::text)
          .thenComparing(Condition::remedy);

  /** How much it hurts: a property of its reason. */
  public Severity severity() {
    return reason.severity();
  }

  @Override
  public int compareTo(Condition other) {
    return ORDER.compare(this, other);
  }

  /** One line: {@code KIND NAME field: text Remedy. [code]}. */
  @Override
  public String toString() {
    return object
        + (field.isEmpty() ? "" : " " + field)
        + ": "
        + text
        + " "
        + remedy
        + " ["
        + reason.code()
        + "]";
  }
}
