package dev.sund.agent;

import dev.sund.agent.checks.CheckMetrics;
import dev.sund.agent.peers.PeerMetrics;
import dev.sund.model.Marks;
import io.prometheus.metrics.core.metrics.Counter;
import io.prometheus.metrics.core.metrics.Gauge;
import io.prometheus.metrics.core.metrics.Histogram;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Every metric of one agent, in a registry of its own. All names begin with {@link
 * Marks#METRIC_PREFIX}, but for those of kube-proxy; times are in seconds.
 */
public final class AgentMetrics {
  private static final double[] QUICK = {
    0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 5, 10
  };

  private final PrometheusRegistry registry = new PrometheusRegistry();

  /** Those that kube-proxy has too. */
  public final ProxyMetrics proxy = new ProxyMetrics(registry);

  /** Those of policies. */
  public final PolicyMetrics policy = new PolicyMetrics(registry, QUICK);

  /** Those of the doctor's checks. */
  public final CheckMetrics doctor = new CheckMetrics(registry);

  /** Those of ways to other nodes. */
  public final PeerMetrics peers = new PeerMetrics(registry);

  /** Health-check node ports that are answered. */
  public final Gauge healthPorts =
      gauge("health_check_ports", "Health-check node ports of Services that are answered.");

  /** Whether the agent is ready: 1 or 0. */
  public final Gauge ready = gauge("ready", "Whether the agent is ready to attach pods.");

  /** Whether the API server can be reached: 1 or 0. */
  public final Gauge apiReachable =
      gauge("api_reachable", "Whether the API server can be reached.");

  /** Tunnel devices whose checksums the kernel makes, since the way corrupts them: 1 or 0. */
  public final Gauge offloadOff =
      gauge("offload_off", "Whether a tunnel's checksums are made by the kernel.", "device");

  /** Probes of {@code sund trace --live}, by whether the kernel did what the program says. */
  public final Counter probes =
      counter("probes_total", "Probes of sund trace --live, by result.", "result");

  /** Containers on bridges. */
  public final Gauge bridgedContainers =
      gauge("bridged_containers", "Containers that the plugin bridge has given a network.");

  /** Events that wait for the engine. */
  public final Gauge mailboxEvents = gauge("mailbox_events", "Events that wait for the engine.");

  /** Entries of the wanted program, by table. */
  public final Gauge programEntries =
      gauge("program_entries", "Entries of the wanted packet program.", "table");

  /** Places at the node that lead to a pod's or a container's port, by kind of the owner. */
  public final Gauge portMappings =
      gauge("port_mappings", "Host ports that lead to pods and containers.", "kind");

  /** Conditions that hold now, by reason. */
  public final Gauge conditions = gauge("conditions", "Conditions that hold now.", "reason");

  /** Seconds from start to ready. */
  public final Gauge startSeconds = gauge("start_seconds", "From start to ready.");

  /** Events that the engine took. */
  public final Counter events = counter("events_total", "Events that the engine took.");

  /** Events that a later one overtook before the engine took them. */
  public final Counter eventsCoalesced =
      counter("events_coalesced_total", "Events overtaken by a later one before they were taken.");

  /** Time that a batch of events took to compile. */
  public final Histogram compileSeconds =
      histogram("compile_seconds", "Time to compile a batch of events.");

  /** Time that a cycle of the drivers took. */
  public final Histogram applySeconds =
      histogram("apply_seconds", "Time of one cycle of the drivers.");

  /** Changes of the kernel, by driver and outcome: done, deferred, failed. */
  public final Counter changes =
      counter("changes_total", "Changes of the kernel.", "driver", "outcome");

  /** Entries that differed from the program and were put right, by table. */
  public final Counter driftRepaired =
      counter("drift_repaired_total", "Entries that differed from the program, repaired.", "table");

  /** UDP connections that were deleted, since they went to endpoints that serve no more. */
  public final Counter connectionsDeleted =
      counter("connections_deleted_total", "UDP connections deleted whose endpoint was gone.");

  /** Connections that were deleted, since policies in force forbid them. */
  public final Counter policyConnectionsCut =
      counter(
          "policy_connections_cut_total",
          "Connections deleted that policies in force forbid (policies.strict).");

  /** How often the kernel's table of connections was read for that. */
  public final Counter connectionListings =
      counter("connection_listings_total", "How often the table of connections was read.");

  /** Whether connections of pods are recorded: 1 or 0. */
  public final Gauge recording =
      gauge("recording", "Whether connections of pods are recorded for suggestions of policies.");

  /** Kinds of connections that are recorded. */
  public final Gauge seenFlows = gauge("recorded_flows", "Kinds of connections that are recorded.");

  /** Connections whose beginning the kernel told of. */
  public final Counter seenConnections =
      counter("recorded_connections_total", "Connections that the recorder was told of.");

  /** What the recording lacks, by why. */
  public final Gauge seenLost =
      gauge("recording_lost", "What the recording lacks since it was begun.", "why");

  /** How often the kernel's state was read again, by cause. */
  public final Counter resyncs =
      counter("resyncs_total", "How often the kernel's state was read again.", "cause");

  /** Time that attach calls took, by command and outcome. */
  public final Histogram attachSeconds =
      histogram("attach_seconds", "Time of attach calls.", "command", "outcome");

  /** Addresses that this node may give, by pool (empty: the node's own range), range and state. */
  public final Gauge addresses =
      gauge("addresses", "Addresses that this node may give.", "pool", "range", "state");

  /** Addresses given from claims that could not be confirmed, as the API server was silent. */
  public final Gauge addressesUnread =
      gauge("addresses_given_unread", "Addresses given while the API server was silent.");

  /** Addresses taken back from pods that the kernel has no more. */
  public final Counter addressesLost =
      counter("addresses_lost_total", "Addresses taken back from pods that are no more.");

  /** Where they are registered, for {@code /metrics}. */
  public PrometheusRegistry registry() {
    return registry;
  }

  /** How many entries have been repaired since the agent's start, by table. */
  public SortedMap<String, Long> repaired() {
    SortedMap<String, Long> counts = new TreeMap<>();
    for (var point : driftRepaired.collect().getDataPoints()) {
      counts.put(String.valueOf(point.getLabels().get("table")), Math.round(point.getValue()));
    }
    return counts;
  }

  private Gauge gauge(String name, String help, String... labels) {
    return Gauge.builder()
        .name(Marks.METRIC_PREFIX + name)
        .help(help)
        .labelNames(labels)
        .register(registry);
  }

  private Counter counter(String name, String help, String... labels) {
    return Counter.builder()
        .withoutExemplars()
        .name(Marks.METRIC_PREFIX + name)
        .help(help)
        .labelNames(labels)
        .register(registry);
  }

  private Histogram histogram(String name, String help, String... labels) {
    return Histogram.builder()
        .withoutExemplars()
        .name(Marks.METRIC_PREFIX + name)
        .help(help)
        .labelNames(labels)
        .classicOnly()
        .classicUpperBounds(QUICK)
        .register(registry);
  }
}
