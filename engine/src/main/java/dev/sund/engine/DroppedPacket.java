package dev.sund.engine;

import dev.sund.model.Checks;
import dev.sund.model.Ip;
import dev.sund.model.Protocol;
import dev.sund.model.Reason;
import dev.sund.model.RuleId.Direction;
import java.util.Optional;

/**
 * A packet that a node's rules dropped, as the kernel showed it.
 *
 * @param direction in which it was dropped: whether the pod that it is about sent it
 * @param reason why, where that has nothing to do with what policies say; empty where these were
 *     asked
 * @param device the node's end of the link by which it came, or of the one by which it was to leave
 *     where it was dropped before a pod on a bridge; empty when that is not known
 * @param source who sent it
 * @param destination to whom, after translation
 * @param protocol the IANA number, 0 to 255, or {@link #ARP}
 * @param port the destination's, after translation; 0 for protocols without
 * @param asked whom its sender asked, where the kernel says so and that was translated
 */
public record DroppedPacket(
    Direction direction,
    Optional<Reason> reason,
    String device,
    Ip source,
    Ip destination,
    int protocol,
    int port,
    Optional<Asked> asked) {
  /** The protocol of what is no IP packet, and asks who has an address, or says it (ETH_P_ARP). */
  public static final int ARP = 0x0806;

  /**
   * A place that was asked.
   *
   * @param address the Service's, or the node's
   * @param port 0 for protocols without
   */
  public record Asked(Ip address, int port) {}

  public DroppedPacket {
    Checks.range("protocol", protocol, 0, protocol == ARP ? ARP : 0xff);
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
