package dev.sund.doctor;

/** How bad a finding is, worst first. */
public enum Severity {
  /** Packets or connections are lost, or would be as soon as there are any. */
  ERROR,
  /** It costs speed, or loses packets under more load, after a restart or with other neighbours. */
  WARNING,
  /** Worth knowing; nothing is lost. */
  NOTE;

  /** As it is printed. */
  public String label() {
    return switch (this) {
      case ERROR -> "error";
      case WARNING -> "warning";
      case NOTE -> "note";
    };
  }
}
