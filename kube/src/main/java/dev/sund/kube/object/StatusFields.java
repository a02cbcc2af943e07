package dev.sund.kube.object;

/** Words about fields that the cluster writes and Sund does not read. */
final class StatusFields {
  static final String WHY = "the cluster writes it and Sund does not need it";

  private StatusFields() {}
}
