package dev.sund.agent.peers;

import dev.sund.model.Marks;
import io.prometheus.metrics.core.metrics.CounterWithCallback;
import io.prometheus.metrics.core.metrics.GaugeWithCallback;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.util.Optional;
import java.util.function.ToDoubleFunction;

/** The metrics of ways to other nodes: computed when somebody asks, of the last window. */
public final class PeerMetrics {
  private static final String PREFIX = Marks.METRIC_PREFIX + "peer_";

  private volatile Optional<PeerWatch> watch = Optional.empty();

  /** Registers them; they say nothing until {@link #of}. */
  public PeerMetrics(PrometheusRegistry registry) {
    gauge(
        registry,
        "loss_ratio",
        "Datagrams to another node without an answer, of the last 60.",
        PeerFigures::lossRatio);
    gauge(
        registry,
        "refused",
        "Of the last 60, those to which the peer's kernel said that nobody listens.",
        PeerFigures::refused);
    gauge(
        registry,
        "jitter_seconds",
        "Smoothed difference of one round trip to the next (RFC 3550, 6.4.1).",
        figures -> figures.jitter() / 1_000);
    GaugeWithCallback.builder()
        .name(PREFIX + "round_trip_seconds")
        .help("Round trips to another node, of the last 60.")
        .labelNames("peer", "family", "quantile")
        .callback(to ->
            watch.ifPresent(from ->
                from.each((peer, family, figures) -> {
                  if (figures.answered() > 0) {
                    to.call(figures.median() / 1_000, peer, family, "0.5");
                    to.call(figures.p99() / 1_000, peer, family, "0.99");
                  }
                })))
        .register(registry);
    CounterWithCallback.builder()
        .name(PREFIX + "answers_given")
        .help("Datagrams of other nodes that were answered.")
        .callback(to -> watch.ifPresent(from -> to.call(from.echoed())))
        .register(registry);
  }

  /** Whose measurements they are from now on. */
  public void of(PeerWatch measuring) {
    watch = Optional.of(measuring);
  }

  private void gauge(
      PrometheusRegistry registry, String name, String help, ToDoubleFunction<PeerFigures> value) {
    GaugeWithCallback.builder()
        .name(PREFIX + name)
        .help(help)
        .labelNames("peer", "family")
        .callback(to ->
            watch.ifPresent(from ->
                from.each((peer, family, figures) ->
                    to.call(value.applyAsDouble(figures), peer, family))))
        .register(registry);
  }
}
