package dev.sund.kernel.conntrack;

import java.util.Optional;

/**
 * One connection of the kernel's table.
 *
 * @param original as its first packet came
 * @param reply as its answers come; differs from the original turned round where it is translated
 * @param zone of both directions, 0 when there is none
 * @param status bits of {@code enum ip_conntrack_status}
 * @param mark the connection's mark, 0 when there is none
 * @param timeoutSeconds until it ends without a packet, 0 when the kernel does not say
 * @param tcp its state, empty for other protocols
 * @param counters packets and bytes, empty unless {@code net.netfilter.nf_conntrack_acct} is 1
 * @param id the kernel's number for it, 0 when not known; a later one with the same tuple has
 *     another, unless it lies at the same place in the kernel's memory
 */
public record ConntrackEntry(
    Tuple original,
    Tuple reply,
    int zone,
    int status,
    int mark,
    long timeoutSeconds,
    Optional<TcpState> tcp,
    Optional<Counters> counters,
    int id) {
  static final int EXPECTED = 1;
  static final int SEEN_REPLY = 1 << 1;
  static final int ASSURED = 1 << 2;
  static final int SRC_NAT = 1 << 4;
  static final int DST_NAT = 1 << 5;
  static final int DYING = 1 << 9;

  /**
   * What passed in both directions.
   *
   * @param packets of the original direction
   * @param bytes of the original direction, with headers of layer 3
   * @param replyPackets of the answers
   * @param replyBytes of the answers
   */
  public record Counters(long packets, long bytes, long replyPackets, long replyBytes) {}

  /** Whether another connection announced it, as FTP's does that carries the data. */
  public boolean isExpected() {
    return (status & EXPECTED) != 0;
  }

  /** Whether an answer was seen. */
  public boolean isAnswered() {
    return (status & SEEN_REPLY) != 0;
  }

  /** Whether it is kept when the table is full. */
  public boolean isAssured() {
    return (status & ASSURED) != 0;
  }

  /** Whether its destination is translated. */
  public boolean hasOtherDestination() {
    return (status & DST_NAT) != 0;
  }

  /** Whether its source is translated. */
  public boolean hasOtherSource() {
    return (status & SRC_NAT) != 0;
  }

  /** Whether it is on its way out of the table. */
  public boolean isDying() {
    return (status & DYING) != 0;
  }
}
