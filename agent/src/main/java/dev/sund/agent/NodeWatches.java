package dev.sund.agent;

import dev.sund.agent.apply.ApplyLoop;
import dev.sund.agent.checks.CheckWatch;
import dev.sund.agent.log.LogSink;
import dev.sund.agent.peers.PeerNode;
import dev.sund.agent.peers.PeerWatch;
import dev.sund.engine.cluster.ClusterEvent;
import dev.sund.engine.cluster.Node;
import dev.sund.kernel.NetNs;
import dev.sund.model.Condition;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeoutException;
import java.util.function.BooleanSupplier;

/**
 * What looks at the node and at the ways to others, and says what it sees: the tunnels' offload,
 * kube-proxy's rules, the doctor's checks, other nodes. None of it decides whether the agent is
 * ready. For any thread.
 */
final class NodeWatches implements AutoCloseable {
  private static final Duration PATIENCE = Duration.ofSeconds(5);

  private final AgentOptions options;
  private final NetNs namespace;
  private final AgentMetrics metrics;
  private final LogSink sink;
  private final Deque<AutoCloseable> opened = new ArrayDeque<>();
  private final ProxyWatch proxy;
  private volatile Optional<OffloadWatch> offload = Optional.empty();
  private volatile Optional<CheckWatch> checks = Optional.empty();
  private volatile Optional<PeerWatch> peers = Optional.empty();

  NodeWatches(AgentOptions options, NetNs namespace, AgentMetrics metrics, LogSink sink) {
    this.options = options;
    this.namespace = namespace;
    this.metrics = metrics;
    this.sink = sink;
    this.proxy = new ProxyWatch(namespace, sink.log("proxy"));
  }

  /**
   * Begins.
   *
   * @param ready whether the node's program is in the kernel
   */
  void start(ApplyLoop loop, BooleanSupplier ready) throws IOException {
    OffloadWatch tunnels = OffloadWatch.start(namespace, ready, metrics, sink.log("offload"));
    opened.push(tunnels);
    offload = Optional.of(tunnels);
    opened.push(proxy);
    proxy.start();
    if (options.watching().peers().on()) {
      PeerWatch measuring =
          PeerWatch.start(
              new PeerWatch.Means(options.node(), namespace, () -> nodes(loop), sink.log("peers")),
              options.watching().peers());
      opened.push(measuring);
      metrics.peers.of(measuring);
      peers = Optional.of(measuring);
    }
    if (options.watching().checks().on()) {
      CheckWatch running =
          CheckWatch.start(
              new CheckWatch.Means(
                  namespace,
                  options.netns().isPresent(),
                  () -> ready.getAsBoolean() && loop.isSettled(),
                  metrics.doctor,
                  sink.log("doctor")),
              options.watching().checks());
      opened.push(running);
      checks = Optional.of(running);
    }
  }

  private static List<PeerNode> nodes(ApplyLoop loop)
      throws InterruptedException, TimeoutException {
    if (loop.state().hold().isPresent()) {
      throw new TimeoutException("the cluster is not known yet");
    }
    return loop.ask(
        compiler -> {
          List<PeerNode> nodes = new ArrayList<>();
          for (Node node : compiler.nodesNow()) {
            nodes.add(new PeerNode(node.name(), node.addresses(), node.everyAddress()));
          }
          return nodes;
        },
        PATIENCE);
  }

  /** Hears an event of the cluster. */
  void see(ClusterEvent event) {
    if (event instanceof ClusterEvent.NodeSeen
        || event instanceof ClusterEvent.NodeGone
        || event instanceof ClusterEvent.FactsSeen) {
      peers.ifPresent(PeerWatch::nodesChanged);
    }
  }

  /** What is wrong, as the agent's own conditions. */
  List<Condition> conditions() {
    List<Condition> found = new ArrayList<>(proxy.conditions());
    offload.ifPresent(watch -> found.addAll(watch.conditions()));
    peers.ifPresent(watch -> found.addAll(watch.conditions()));
    return found;
  }

  /** What the doctor's checks found, as conditions are reported. */
  List<Map<String, Object>> findings() {
    return checks.map(CheckWatch::conditions).orElse(List.of());
  }

  /** What is told of the doctor's checks; empty when none run. */
  Map<String, Object> checksReport() {
    return checks.map(CheckWatch::report).orElse(Map.of());
  }

  /** What is told of the ways to other nodes; empty when none is measured. */
  Map<String, Object> peersReport() {
    return peers.map(PeerWatch::report).orElse(Map.of());
  }

  @Override
  public void close() throws Exception {
    while (!opened.isEmpty()) {
      opened.pop().close();
    }
  }
}
