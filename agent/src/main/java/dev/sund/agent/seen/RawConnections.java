package dev.sund.agent.seen;

import dev.sund.kernel.conntrack.ConntrackEntry;
import dev.sund.kernel.conntrack.TcpState;
import dev.sund.kernel.conntrack.Tuple;
import dev.sund.model.Ip;
import dev.sund.model.Protocol;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * Adds up connections by their addresses, until somebody finds out whose these are. For one thread.
 */
final class RawConnections {
  /** The most kinds that wait. */
  static final int MOST = 8192;

  /** Below it a port is hardly one that a client was given. */
  private static final int EPHEMERAL = 32768;

  private Map<Kind, Count> counts = new HashMap<>();
  private long dropped;
  private long taken;

  /**
   * Connections between the same addresses to the same port.
   *
   * @param to who was asked, after translation
   * @param port there; 0 for ICMP
   * @param asked the address that was asked, before translation
   * @param askedPort likewise
   * @param fromPort of UDP, where it may be that of a server that answers late; else 0
   * @param midway whether its beginning was not seen
   */
  record Kind(
      Protocol protocol,
      Ip from,
      Ip to,
      int port,
      Ip asked,
      int askedPort,
      int fromPort,
      boolean midway) {
    boolean isTranslated() {
      return port != askedPort || !to.equals(asked);
    }
  }

  /** How many connections. */
  static final class Count {
    long times;
  }

  /**
   * Takes one.
   *
   * @param news whether it begins now; else it was there, and may be in any state
   */
  void take(ConntrackEntry entry, boolean news) {
    taken++;
    Tuple original = entry.original();
    Tuple reply = entry.reply();
    Ip from = original.source();
    Ip to = reply.source();
    Optional<Protocol> protocol = protocol(original.protocol());
    // One that another announced passes with it, and one with itself passes always.
    if (protocol.isEmpty() || entry.isExpected() || from.equals(to) || to.isMulticast()) {
      return;
    }
    int fromPort = original.sourcePort();
    boolean server =
        protocol.get() == Protocol.UDP
            && fromPort < EPHEMERAL
            && fromPort != reply.sourcePort()
            && reply.sourcePort() >= 1024;
    Kind kind =
        new Kind(
            protocol.get(),
            from,
            to,
            reply.sourcePort(),
            original.destination(),
            original.destinationPort(),
            server ? fromPort : 0,
            news && isMidway(entry));
    Count count = counts.get(kind);
    if (count == null) {
      if (counts.size() >= MOST) {
        dropped++;
        return;
      }
      count = new Count();
      counts.put(kind, count);
    }
    count.times++;
  }

  private static boolean isMidway(ConntrackEntry entry) {
    return entry.original().protocol() == Protocol.TCP.number()
        && entry.tcp().isPresent()
        && entry.tcp().get() != TcpState.SYN_SENT
        && entry.tcp().get() != TcpState.SYN_SENT2;
  }

  private static Optional<Protocol> protocol(int number) {
    for (Protocol protocol : Protocol.values()) {
      if (protocol.number() == number) {
        return Optional.of(protocol);
      }
    }
    return number == 58 ? Optional.of(Protocol.ICMP) : Optional.empty();
  }

  boolean isEmpty() {
    return counts.isEmpty() && dropped == 0;
  }

  /** Whether it is time to empty it, lest there is no room. */
  boolean isFull() {
    return counts.size() > MOST / 2;
  }

  /** Takes all that wait. */
  Map<Kind, Count> drain() {
    Map<Kind, Count> drained = counts;
    counts = new HashMap<>();
    return drained;
  }

  /** How many had no room since the last call. */
  long takeDropped() {
    long lost = dropped;
    dropped = 0;
    return lost;
  }

  /** How many connections were taken since the last call, of whatever kind. */
  long takeTaken() {
    long count = taken;
    taken = 0;
    return count;
  }
}
