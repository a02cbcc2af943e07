package dev.sund.agent.policy;

import dev.sund.agent.apply.ApplyLoop;
import dev.sund.kube.enforced.NodePolicies.Generation;
import dev.sund.model.NodeName;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeoutException;

/** The cluster as this node's engine knows it. */
public final class AskedCluster implements PolicyConditions.Cluster {
  private static final Duration PATIENCE = Duration.ofSeconds(5);

  private final ApplyLoop loop;

  /** Asks the engine of this loop. */
  public AskedCluster(ApplyLoop loop) {
    this.loop = loop;
  }

  @Override
  public Map<String, Generation> policies() {
    // Nothing of this is to delay an agent that is not ready yet.
    return loop.state().settledOnce() ? loop.clusterPolicies() : Map.of();
  }

  @Override
  public Collection<String> nodes() throws InterruptedException, TimeoutException {
    if (loop.state().hold().isPresent()) {
      throw new TimeoutException("the cluster is not known yet");
    }
    List<NodeName> nodes = loop.ask(compiler -> compiler.nodes(), PATIENCE);
    return nodes.stream().map(NodeName::text).toList();
  }
}
