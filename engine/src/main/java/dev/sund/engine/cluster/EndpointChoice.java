package dev.sund.engine.cluster;

/** How one of several endpoints is chosen for a connection. */
public enum EndpointChoice {
  /**
   * By chance, each as likely; but by the client's address and port for UDP, whose packets may each
   * be the first of a connection: two of one client's must go the same way.
   */
  RANDOM,
  /** By the client's address and port, in the same way on every node. */
  BY_CLIENT
}
