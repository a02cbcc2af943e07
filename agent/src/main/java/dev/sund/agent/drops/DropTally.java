package dev.sund.agent.drops;

import dev.sund.dataplane.nft.PolicyDrops.Count;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * How many packets were dropped since the log is read, and how many of them nobody was told of. The
 * kernel's counters begin anew with their table, or go with their pod; what is summed up here never
 * becomes less. From any thread.
 */
final class DropTally {
  private @Nullable Map<String, Long> before;
  private long counted;
  private long told;
  private long lost;

  /** The log is read from now on, when the counters were these. */
  synchronized void begin(List<Count> counts) {
    before = numbers(counts);
  }

  /** The log showed a packet. */
  synchronized void told() {
    told++;
  }

  /** The log showed packets that did not come. */
  synchronized void lost(long packets) {
    lost += packets;
  }

  /** The counters are these now. */
  synchronized void see(List<Count> counts) {
    Map<String, Long> last = before;
    if (last == null) {
      return;
    }
    Map<String, Long> now = numbers(counts);
    now.forEach((key, packets) -> {
      long was = last.getOrDefault(key, 0L);
      counted += packets < was ? packets : packets - was;
    });
    before = now;
  }

  private static Map<String, Long> numbers(List<Count> counts) {
    Map<String, Long> numbers = new HashMap<>();
    counts.forEach(count -> numbers.merge(count.key(), count.packets(), Long::sum));
    return numbers;
  }

  /**
   * How it stands.
   *
   * @param told packets that the log showed
   * @param untold packets that were dropped since the log is read, and that it did not show
   * @param lost those of the untold ones that the kernel showed, and that the agent was too slow
   *     for
   */
  record Standing(long told, long untold, long lost) {}

  /** How it stood when the counters were seen last. */
  synchronized Standing standing() {
    return new Standing(told, Math.max(0, counted - told), lost);
  }
}
