package dev.sund.agent.addresses;

import dev.sund.engine.PodDevices;
import dev.sund.engine.cluster.Attachment;
import dev.sund.kernel.NetNs;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.LongSupplier;

/**
 * Attachments whose pods are no more, by what the kernel has: the pod's namespace is gone, and the
 * device that led to it went with it. A runtime that was killed, or a node that lost its power,
 * never tells of them. Each must have been seen so twice, a minute apart.
 *
 * <p>One thread.
 */
final class LostPods {
  private static final Duration APART = Duration.ofMinutes(1);

  private final LongSupplier nanos;
  private final Map<String, Long> firstSeen = new HashMap<>();

  LostPods(LongSupplier nanos) {
    this.nanos = nanos;
  }

  /** Whether a pod is gone, as far as one look tells. */
  static boolean isGone(Attachment attachment, Set<String> devices) {
    return !devices.contains(PodDevices.device(attachment))
        && NetNs.at(Path.of(attachment.netns())).inode().isEmpty();
  }

  /**
   * Looks.
   *
   * @param devices the names of the node's links
   * @return those that have been gone for long enough
   */
  List<Attachment> look(Collection<Attachment> attachments, Set<String> devices) {
    List<Attachment> lost = new ArrayList<>();
    Map<String, Long> suspects = new HashMap<>();
    for (Attachment attachment : attachments) {
      if (isGone(attachment, devices)) {
        long since = firstSeen.getOrDefault(attachment.key(), nanos.getAsLong());
        suspects.put(attachment.key(), since);
        if (nanos.getAsLong() - since >= APART.toNanos()) {
          lost.add(attachment);
        }
      }
    }
    firstSeen.clear();
    firstSeen.putAll(suspects);
    return lost;
  }
}
