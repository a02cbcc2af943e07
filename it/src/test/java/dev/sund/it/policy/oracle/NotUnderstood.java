package dev.sund.it.policy.oracle;

/** A part of a policy says something that the API does not know; who reads it must fail closed. */
final class NotUnderstood extends Exception {
  private static final long serialVersionUID = 1;

  NotUnderstood(String what) {
    super(what, null, false, false); // thrown for many a probe: no trace
  }
}
