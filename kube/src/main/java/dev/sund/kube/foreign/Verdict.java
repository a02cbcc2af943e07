package dev.sund.kube.foreign;

/**
 * What becomes of one setting of another network.
 *
 * @param name the setting's, such as {@code ipam.mode}
 * @param value what it is set to
 * @param outcome in one word
 * @param text one sentence without a full stop: what it becomes, or why it is refused and what to
 *     do
 */
public record Verdict(String name, String value, Outcome outcome, String text) {
  /** What becomes of settings. */
  public enum Outcome {
    /** Sund does this anyway. */
    ACCEPTED,
    /** It becomes something of Sund's own. */
    MAPPED,
    /** It has no meaning without the other network's own programs. */
    NOT_NEEDED,
    /** Somebody who counts on it must not: Sund does not do it. */
    REFUSED;

    /** As it is printed. */
    public String label() {
      return switch (this) {
        case ACCEPTED -> "accepted";
        case MAPPED -> "mapped";
        case NOT_NEEDED -> "not needed";
        case REFUSED -> "refused";
      };
    }
  }

  /** {@code NAME=VALUE: OUTCOME: TEXT.} on one line. */
  @Override
  public String toString() {
    return name + "=" + value + ": " + outcome.label() + ": " + text + ".";
  }
}
