package dev.sund.model;

/** How much a condition hurts. */
public enum Severity {
  /** Worth knowing; everything works as asked. */
  INFO,
  /** Something was not taken as written, or works less well than it could. */
  WARNING,
  /** An object, a route or a packet is not served as asked. */
  ERROR
}
