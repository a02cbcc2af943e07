package dev.sund.kernel.socket;

import dev.sund.model.Ip;
import java.util.Optional;

/**
 * What the error queue of a socket tells about a packet that it sent (IP_RECVERR, IPV6_RECVERR;
 * {@code struct sock_extended_err}).
 *
 * @param errno what the error means to the sender, positive: EHOSTUNREACH, EMSGSIZE, ECONNREFUSED
 * @param origin who found it
 * @param type the ICMP type, 0 for a local error
 * @param code the ICMP code, 0 for a local error
 * @param info for EMSGSIZE the MTU in bytes that the packet met, else 0
 * @param offender the machine that answered, for an ICMP error
 */
public record QueuedError(
    int errno, Origin origin, int type, int code, int info, Optional<Ip> offender) {

  /** Who found the error. */
  public enum Origin {
    /** The sender's own kernel. */
    LOCAL,
    /** A machine on the way, by ICMP. */
    ICMP,
    /** A machine on the way, by ICMPv6. */
    ICMP6,
    /** Something else: time stamps and the like. */
    OTHER
  }

  /** Whether the packet's time to live ran out on the way. */
  public boolean timeExceeded() {
    return (origin == Origin.ICMP && type == 11) || (origin == Origin.ICMP6 && type == 3);
  }
}
