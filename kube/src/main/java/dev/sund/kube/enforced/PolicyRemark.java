package dev.sund.kube.enforced;

import dev.sund.model.Condition;
import dev.sund.model.ObjectRef;
import dev.sund.model.Reason;
import dev.sund.model.Severity;

/**
 * Something that is wrong with a policy.
 *
 * @param policy kind and name
 * @param reason the code of a {@link Reason}, perhaps of a younger Sund's
 * @param field of the policy; may be empty
 * @param text what is wrong
 * @param remedy what to do
 */
public record PolicyRemark(
    ObjectRef policy, String reason, String field, String text, String remedy) {

  /** A condition of a policy. */
  public static PolicyRemark of(Condition condition) {
    return new PolicyRemark(
        condition.object(),
        condition.reason().code(),
        condition.field(),
        condition.text(),
        condition.remedy());
  }

  /** Whether the policy does something else than it says; a reason that is not known counts. */
  public boolean isError() {
    for (Reason known : Reason.values()) {
      if (known.code().equals(reason)) {
        return known.severity() == Severity.ERROR;
      }
    }
    return true;
  }

  /** {@code FIELD: TEXT REMEDY [REASON]}. */
  @Override
  public String toString() {
    return (field.isEmpty() ? "" : field + ": ") + text + " " + remedy + " [" + reason + "]";
  }
}
