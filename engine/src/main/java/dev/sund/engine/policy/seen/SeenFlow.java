package dev.sund.engine.policy.seen;

import dev.sund.model.Protocol;

/**
 * Connections between the same parties, to the same port.
 *
 * @param from who asked
 * @param to who was asked, after Services had translated
 * @param protocol of all
 * @param port the one that was asked, at the pod; 0 without ports
 * @param service the Service that was asked, {@code NAMESPACE/NAME}; empty without one
 * @param out how often it was seen where the asker is
 * @param in how often it was seen where the asked is
 * @param first when it was seen first, in seconds since 1970; 0 when nobody says
 * @param last when it was seen last, likewise
 */
public record SeenFlow(
    SeenParty from,
    SeenParty to,
    Protocol protocol,
    int port,
    String service,
    long out,
    long in,
    long first,
    long last) {
  /** What makes connections one flow. */
  public record Key(SeenParty from, SeenParty to, Protocol protocol, int port, String service) {}

  /** What makes it one flow. */
  public Key key() {
    return new Key(from, to, protocol, port, service);
  }

  /**
   * How many connections these are: both nodes of one see it, so the ends are not added up. At
   * least 1.
   */
  public long times() {
    return Math.max(1, Math.max(out, in));
  }

  /** These and others of the same key. */
  public SeenFlow and(SeenFlow other) {
    return new SeenFlow(
        from,
        to,
        protocol,
        port,
        service,
        out + other.out,
        in + other.in,
        first == 0 || other.first == 0
            ? Math.max(first, other.first)
            : Math.min(first, other.first),
        Math.max(last, other.last));
  }
}
