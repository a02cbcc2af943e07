/**
 * Values that every module shares: addresses, names, reasons and rule identities.
 *
 * <p>Depends on the JDK alone. All types are immutable and check themselves when made.
 */
module dev.sund.model {
  requires static org.jspecify;

  exports dev.sund.model;
}
