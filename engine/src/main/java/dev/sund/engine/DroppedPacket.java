package dev.sund.engine;

import dev.sund.model.Checks;
import dev.sund.model.Ip;
import dev.sund.model.Protocol;
import dev.sund.model.RuleId.Direction;
import java.util.Optional;

/**
 * A packet that a node's rules dropped, as the kernel showed it.
 *
 * @param direction in which a pod's policies were asked; empty where it was dropped for its source,
 *     before anybody was asked
 * @param device the device that it came by; empty when that is not known
 * @param source who sent it
 * @param destination to whom, after translation
 * @param protocol the IANA number, 0 to 255
 * @param port the destination's, after translation; 0 for protocols without
 * @param asked whom its sender asked, where the kernel says so and that was translated
 */
public record DroppedPacket(
    Optional<Direction> direction,
    String device,
    Ip source,
    Ip destination,
    int protocol,
    int port,
    Optional<Asked> asked) {
  /**
   * A place that was asked.
   *
   * @param address the Service's, or the node's
   * @param port 0 for protocols without
   */
  public record Asked(Ip address, int port) {}

  public DroppedPacket {
    Checks.range("protocol", protocol, 0, 0xff);
    Checks.range("port", port, 0, 0xffff);
  }

  /** What policies take the protocol for: what has no ports is judged as ICMP is. */
  Protocol judgedAs() {
    for (Protocol one : Protocol.values()) {
      if (one.number() == protocol) {
        return one;
      }
    }
    return Protocol.ICMP;
  }
}
