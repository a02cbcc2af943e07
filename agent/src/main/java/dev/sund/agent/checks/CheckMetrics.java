package dev.sund.agent.checks;

import dev.sund.agent.checks.CheckRounds.Open;
import dev.sund.doctor.Severity;
import dev.sund.model.Marks;
import io.prometheus.metrics.core.metrics.Counter;
import io.prometheus.metrics.core.metrics.Gauge;
import io.prometheus.metrics.core.metrics.GaugeWithCallback;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.util.Map;
import java.util.TreeMap;

/** The metrics of the doctor's checks. */
public final class CheckMetrics {
  private static final String PREFIX = Marks.METRIC_PREFIX + "doctor_";

  /** Checks that cannot read what they need. */
  private final Gauge unread;

  /** Time that the last run took, without the time for which counters were watched. */
  private final Gauge seconds;

  private final Counter runs;
  private volatile Map<Labels, Long> findings = Map.of();

  private record Labels(String check, Severity severity) {}

  /** Registers them. */
  public CheckMetrics(PrometheusRegistry registry) {
    unread =
        Gauge.builder()
            .name(PREFIX + "unread")
            .help("Checks of the doctor that could not read what they need.")
            .register(registry);
    seconds =
        Gauge.builder()
            .name(PREFIX + "run_seconds")
            .help("Time of the last run of the doctor's checks, without its window.")
            .register(registry);
    runs =
        Counter.builder()
            .withoutExemplars()
            .name(PREFIX + "runs_total")
            .help("Runs of the doctor's checks.")
            .register(registry);
    GaugeWithCallback.builder()
        .name(PREFIX + "findings")
        .help("What the doctor's checks found in their last run.")
        .labelNames("check", "severity")
        .callback(to ->
            findings.forEach(
                (labels, count) -> to.call(count, labels.check(), labels.severity().label())))
        .register(registry);
  }

  /** A run is over. */
  void ran(CheckRounds.Standing standing, double tookSeconds) {
    runs.inc();
    seconds.set(tookSeconds);
    unread.set(standing.unread().size());
    Map<Labels, Long> counts = new TreeMap<>(CheckMetrics::compare);
    for (Open one : standing.open()) {
      counts.merge(new Labels(one.check(), one.severity()), 1L, Long::sum);
    }
    findings = counts;
  }

  private static int compare(Labels one, Labels other) {
    int byCheck = one.check().compareTo(other.check());
    return byCheck != 0 ? byCheck : one.severity().compareTo(other.severity());
  }
}
