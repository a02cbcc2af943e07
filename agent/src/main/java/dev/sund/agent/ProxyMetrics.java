package dev.sund.agent;

import io.prometheus.metrics.core.metrics.Counter;
import io.prometheus.metrics.core.metrics.Gauge;
import io.prometheus.metrics.core.metrics.Histogram;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.util.ArrayList;
import java.util.List;

/**
 * The metrics of kube-proxy that mean the same here, by its names and with its buckets, so that
 * dashboards keep working ({@code pkg/proxy/metrics/metrics.go} of Kubernetes). What is about
 * iptables, IPVS or conntrack's own counters has no meaning here and is not there.
 */
public final class ProxyMetrics {
  private static final String PREFIX = "kubeproxy_";

  /** From an endpoint's change, as its slice tells it, to the kernel's rules. */
  public final Histogram networkProgramming;

  /** Time of one change of the kernel's rules. */
  public final Histogram syncProxyRules;

  /** When the kernel's rules were last as they should be, in seconds since 1970. */
  public final Gauge lastSync;

  /** When a change of Services or endpoints last came in, in seconds since 1970. */
  public final Gauge lastQueued;

  /** Changes of endpoints that came in. */
  public final Counter endpointChanges;

  /** Changes of Services that came in. */
  public final Counter serviceChanges;

  /** Answers of {@code /healthz}, by code. */
  public final Counter healthz;

  /** Answers of {@code /livez}, by code. */
  public final Counter livez;

  ProxyMetrics(PrometheusRegistry registry) {
    networkProgramming =
        Histogram.builder()
            .withoutExemplars()
            .name(PREFIX + "network_programming_duration_seconds")
            .help("From a change of endpoints to the kernel's rules.")
            .classicOnly()
            .classicUpperBounds(programmingBounds())
            .register(registry);
    syncProxyRules =
        Histogram.builder()
            .withoutExemplars()
            .name(PREFIX + "sync_proxy_rules_duration_seconds")
            .help("Time of one change of the kernel's rules.")
            .classicOnly()
            .classicUpperBounds(doubling(0.001, 15))
            .register(registry);
    lastSync =
        gauge(
            registry,
            "sync_proxy_rules_last_timestamp_seconds",
            "When the kernel's rules were last as they should be.");
    lastQueued =
        gauge(
            registry,
            "sync_proxy_rules_last_queued_timestamp_seconds",
            "When a change of Services or endpoints last came in.");
    endpointChanges =
        counter(registry, "sync_proxy_rules_endpoint_changes_total", "Changes of endpoints.");
    serviceChanges =
        counter(registry, "sync_proxy_rules_service_changes_total", "Changes of Services.");
    healthz = counter(registry, "proxy_healthz_total", "Answers of /healthz.", "code");
    livez = counter(registry, "proxy_livez_total", "Answers of /livez.", "code");
  }

  private static double[] doubling(double first, int count) {
    double[] bounds = new double[count];
    for (int i = 0; i < count; i++) {
      bounds[i] = first * (1L << i);
    }
    return bounds;
  }

  /** Finer below a second, coarser above a minute. */
  private static double[] programmingBounds() {
    List<Double> bounds = new ArrayList<>(List.of(0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5));
    for (int seconds = 1; seconds < 60; seconds++) {
      bounds.add((double) seconds);
    }
    for (int seconds = 60; seconds < 120; seconds += 5) {
      bounds.add((double) seconds);
    }
    for (int seconds = 120; seconds <= 300; seconds += 30) {
      bounds.add((double) seconds);
    }
    return bounds.stream().mapToDouble(Double::doubleValue).toArray();
  }

  private static Gauge gauge(PrometheusRegistry registry, String name, String help) {
    return Gauge.builder().name(PREFIX + name).help(help).register(registry);
  }

  private static Counter counter(
      PrometheusRegistry registry, String name, String help, String... labels) {
    return Counter.builder()
        .withoutExemplars()
        .name(PREFIX + name)
        .help(help)
        .labelNames(labels)
        .register(registry);
  }
}
