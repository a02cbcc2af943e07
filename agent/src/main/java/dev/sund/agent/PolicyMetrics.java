package dev.sund.agent;

import dev.sund.dataplane.nft.NftDriver;
import dev.sund.model.Marks;
import io.prometheus.metrics.core.metrics.CounterWithCallback;
import io.prometheus.metrics.core.metrics.Gauge;
import io.prometheus.metrics.core.metrics.Histogram;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.util.List;
import java.util.function.LongSupplier;

/** The metrics of policies: what they drop, and the work of keeping them in the kernel. */
public final class PolicyMetrics {
  private static final String PREFIX = Marks.METRIC_PREFIX + "policy_";

  /** Time to compile a batch of events that changed policies' tables. */
  public final Histogram compileSeconds;

  /** From when such a batch was taken to when the kernel held it. */
  public final Histogram enforceSeconds;

  /** Elements of sets and maps in the kernel's table. */
  public final Gauge elements;

  private volatile NftDriver.Counts work = new NftDriver.Counts(0, 0, 0, 0, 0);
  private volatile List<Drops> drops = List.of();
  private volatile long told;
  private volatile long untold;
  private volatile long lost;
  private volatile long statuses;

  /**
   * Packets of one pod.
   *
   * @param namespace empty for what is no pod of the cluster
   * @param pod its name
   * @param direction {@code in} or {@code out}
   * @param reason a reason's code
   */
  public record Drops(
      String namespace, String pod, String direction, String reason, long packets) {}

  PolicyMetrics(PrometheusRegistry registry, double[] bounds) {
    compileSeconds =
        histogram(
            registry, bounds, "compile_seconds", "Time to compile events that changed policies.");
    enforceSeconds =
        histogram(
            registry,
            bounds,
            "enforce_seconds",
            "From taking events that changed policies to the kernel holding them.");
    elements =
        Gauge.builder()
            .name(PREFIX + "elements")
            .help("Elements of sets and maps in the kernel's table of policies.")
            .register(registry);
    counter(
        registry,
        "transactions",
        "Changes of the kernel's table of policies.",
        () -> work.transactions());
    counter(registry, "messages", "Messages in these changes.", () -> work.messages());
    counter(registry, "refusals", "Changes that the kernel refused.", () -> work.refusals());
    counter(registry, "rebuilds", "How often the whole table was made.", () -> work.rebuilds());
    counter(registry, "drops_told", "Dropped packets that the log showed.", () -> told);
    counter(registry, "drops_untold", "Dropped packets that the log did not show.", () -> untold);
    counter(
        registry,
        "drops_lost",
        "Packets that the log showed and that the agent was too slow for.",
        () -> lost);
    counter(
        registry,
        "statuses_written",
        "Statuses of policies that this node wrote for the cluster.",
        () -> statuses);
    CounterWithCallback.builder()
        .name(PREFIX + "drops")
        .help("Packets that were dropped, counted by the kernel.")
        .labelNames("namespace", "pod", "direction", "reason")
        .callback(to ->
            drops.forEach(one ->
                to.call(one.packets(), one.namespace(), one.pod(), one.direction(), one.reason())))
        .register(registry);
  }

  /** What the driver has done so far. */
  public void work(NftDriver.Counts counts) {
    work = counts;
    elements.set(counts.ranges());
  }

  /** What has been dropped, each pod, direction and reason once. */
  public void drops(List<Drops> all) {
    drops = List.copyOf(all);
  }

  /** What the log showed of that. */
  public void log(long packetsTold, long packetsUntold, long packetsLost) {
    told = packetsTold;
    untold = packetsUntold;
    lost = packetsLost;
  }

  private static Histogram histogram(
      PrometheusRegistry registry, double[] bounds, String name, String help) {
    return Histogram.builder()
        .withoutExemplars()
        .name(PREFIX + name)
        .help(help)
        .classicOnly()
        .classicUpperBounds(bounds)
        .register(registry);
  }

  private static void counter(
      PrometheusRegistry registry, String name, String help, LongSupplier value) {
    CounterWithCallback.builder()
        .name(PREFIX + name)
        .help(help)
        .callback(to -> to.call(value.getAsLong()))
        .register(registry);
  }

  /** So many statuses of policies were written more. From one thread. */
  @SuppressWarnings("NonAtomicVolatileUpdate") // nobody else writes it
  public void statusesWritten(long more) {
    statuses += more;
  }
}
