package dev.sund.dataplane;

import dev.sund.kernel.KernelException;
import dev.sund.model.Condition;
import dev.sund.model.ObjectRef;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * What a driver did in one step.
 *
 * @param done the changes made, in order; each says itself by {@code toString}, which costs nothing
 *     until somebody asks
 * @param deferred how many changes are still pending: more than the limit allowed, or busy objects
 * @param failed what the kernel refused; each is also told in {@code conditions}
 * @param conditions all conditions now true of this driver's objects, sorted; not only new ones
 * @param messages how many messages were sent to the kernel
 * @param resetDevices devices that were made anew: what other drivers had on them is gone
 */
public record ApplyReport(
    List<?> done,
    int deferred,
    List<Failure> failed,
    List<Condition> conditions,
    int messages,
    Set<String> resetDevices) {
  /** Nothing done, nothing to do. */
  public static final ApplyReport NOTHING =
      new ApplyReport(List.of(), 0, List.of(), List.of(), 0, Set.of());

  public ApplyReport {
    done = List.copyOf(done);
    failed = List.copyOf(failed);
    conditions = conditions.stream().sorted().distinct().toList();
    resetDevices = Set.copyOf(resetDevices);
  }

  /** Only these conditions. */
  public static ApplyReport of(List<Condition> conditions) {
    return new ApplyReport(List.of(), 0, List.of(), conditions, 0, Set.of());
  }

  /**
   * A change that was not made.
   *
   * @param object the object, such as {@code route 10.244.2.0/24} or {@code pod-link sund0123...}
   * @param condition why, for people
   * @param cause the kernel's refusal, if it was that
   */
  public record Failure(ObjectRef object, Condition condition, Optional<KernelException> cause) {}

  /** Whether all that was asked is in the kernel. */
  public boolean complete() {
    return deferred == 0 && failed.isEmpty();
  }

  /** Both reports as one, for steps of different drivers. */
  public ApplyReport plus(ApplyReport other) {
    Set<String> devices = new TreeSet<>(resetDevices);
    devices.addAll(other.resetDevices);
    return new ApplyReport(
        ApplyReport.<Object>joined(done, other.done),
        deferred + other.deferred,
        joined(failed, other.failed),
        joined(conditions, other.conditions),
        messages + other.messages,
        devices);
  }

  private static <T> List<T> joined(List<? extends T> first, List<? extends T> second) {
    List<T> all = new ArrayList<>(first);
    all.addAll(second);
    return all;
  }
}
