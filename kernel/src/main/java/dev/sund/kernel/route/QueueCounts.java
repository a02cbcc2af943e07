package dev.sund.kernel.route;

import dev.sund.kernel.KernelException.Malformed;
import dev.sund.kernel.netlink.NlReader;
import java.util.Optional;

/**
 * What a queue of a device has counted (TCA_STATS2).
 *
 * @param device the device's ifindex
 * @param parent where it hangs, see {@link Qdisc}
 * @param kind the kernel's word: {@code fq_codel}, {@code tbf}
 * @param drops packets that it dropped, since it was made; 32 bits, so it may begin anew
 * @param overlimits packets that had to wait for their turn
 * @param requeues packets that the device did not take at once
 * @param waiting packets that are in it now
 */
public record QueueCounts(
    int device, int parent, String kind, long drops, long overlimits, long requeues, long waiting) {
  private static final int TCA_STATS2 = 7;
  private static final int TCA_STATS_QUEUE = 3;

  /** Reads the body of RTM_NEWQDISC; empty when it says no counts. */
  static Optional<QueueCounts> read(NlReader in) throws Malformed {
    int device = in.skip(4).takeU32();
    in.skip(4);
    int parent = in.takeU32();
    in.skip(4);
    String kind = "";
    while (in.next()) {
      if (in.type() == Qdisc.TCA_KIND) { // the kernel writes it before the counts
        kind = in.string();
      } else if (in.type() == TCA_STATS2) {
        NlReader stats = in.nested();
        while (stats.next()) {
          if (stats.type() == TCA_STATS_QUEUE) {
            // struct gnet_stats_queue: qlen, backlog, drops, requeues, overlimits
            NlReader queue = stats.nested();
            long waiting = unsigned(queue);
            queue.skip(4);
            long drops = unsigned(queue);
            long requeues = unsigned(queue);
            return Optional.of(
                new QueueCounts(device, parent, kind, drops, unsigned(queue), requeues, waiting));
          }
        }
      }
    }
    return Optional.empty();
  }

  private static long unsigned(NlReader in) throws Malformed {
    return Integer.toUnsignedLong(in.takeU32());
  }
}
