package dev.sund.engine.policy.audit;

import dev.sund.model.Checks;
import dev.sund.model.Protocol;

/**
 * A connection that was seen, however often.
 *
 * @param from who asked: {@code NAMESPACE/POD}, {@code KIND NAMESPACE/NAME} of a workload, or an
 *     address
 * @param to who was asked, after Services had translated, likewise
 * @param protocol of both
 * @param port the one that was asked; 0 without ports
 * @param times how often it was seen
 */
public record SeenConnection(String from, String to, Protocol protocol, int port, long times) {
  public SeenConnection {
    Checks.range("port", port, 0, 65535);
  }

  /** {@code shop/web to shop/db, tcp 5432}. */
  @Override
  public String toString() {
    return from
        + " to "
        + to
        + ", "
        + protocol.label()
        + (protocol == Protocol.ICMP ? "" : " " + port);
  }
}
