package dev.sund.dataplane.probe;

import dev.sund.model.Checks;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.Protocol;

/**
 * Which packets a probe's are.
 *
 * @param source as the sender has it
 * @param sourcePort the sender's, which nobody else there has
 * @param destination as the sender asks it
 * @param protocol TCP or UDP
 * @param port the destination's
 */
public record ProbeFlow(Ip source, int sourcePort, Ip destination, Protocol protocol, int port) {
  public ProbeFlow {
    Checks.range("sourcePort", sourcePort, 1, 65535);
    Checks.range("port", port, 1, 65535);
  }

  /** Its packets' family. */
  public Family family() {
    return source.family();
  }
}
