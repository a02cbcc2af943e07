package dev.sund.engine.policy.audit;

import dev.sund.model.Severity;
import java.util.Locale;

/** What an audit looks for. Each has a page {@code docs/audit/ID.md}. */
public enum Check {
  /** Something of a policy is not understood or cannot be enforced. */
  POLICY_FAULTY(Severity.ERROR, "A policy has errors, and what they are about is denied"),
  /** What enters a namespace's pods is open unless somebody closes it. */
  NO_DEFAULT_DENY_INGRESS(Severity.WARNING, "A namespace has no default deny for ingress"),
  /** What leaves a namespace's pods is open unless somebody closes it. */
  NO_DEFAULT_DENY_EGRESS(Severity.WARNING, "A namespace has no default deny for egress"),
  /** Pods with ports that everybody may ask. */
  REACHABLE_FROM_EVERYWHERE(Severity.WARNING, "Pods can be reached from everywhere"),
  /** Pods that may ask addresses of the Internet. */
  REACHES_INTERNET(Severity.WARNING, "Pods reach the Internet"),
  /** Pods that other namespaces' pods may ask. */
  CROSSES_NAMESPACES(Severity.INFO, "Pods can be reached from other namespaces"),
  /** Pods that may connect to some addresses and resolve no names. */
  EGRESS_WITHOUT_DNS(Severity.WARNING, "Pods may connect, but resolve no names"),
  /** Pods on their node's network. */
  NOT_COVERED(Severity.INFO, "Pods on their node's network are beyond policies"),
  /** A policy is about nobody. */
  POLICY_SELECTS_NOTHING(Severity.WARNING, "A policy selects no pod"),
  /** A peer of a rule is nobody. */
  RULE_MATCHES_NOTHING(Severity.WARNING, "A rule names peers that do not exist"),
  /** Another rule does what this one does. */
  RULE_SHADOWED(Severity.INFO, "A rule changes nothing beside another one"),
  /** Another rule stops what this one wants. */
  RULES_CONTRADICT(Severity.WARNING, "A rule is overruled by another one"),
  /** A rule's port is none that its pods declare. */
  PORT_NOT_OPENED(Severity.INFO, "A rule is about a port that no pod opens");

  private final Severity severity;
  private final String title;

  Check(Severity severity, String title) {
    this.severity = severity;
    this.title = title;
  }

  /** How much its findings hurt at most. */
  public Severity severity() {
    return severity;
  }

  /** In one line. */
  public String title() {
    return title;
  }

  /** By which findings, suppressions and pages name it. */
  public String id() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
