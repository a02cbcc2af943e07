package dev.sund.bench.agents;

import dev.sund.bench.Bench;
import dev.sund.bench.Benchmark;
import dev.sund.bench.Row;
import java.util.List;

/** The memory of one agent whose API server has 10,000 pods and 1,000 policies about them. */
public final class AgentPolicies implements Benchmark {
  private static final int PODS_OF_A_NODE = 10;
  private static final int POLICIES_OF_A_NAMESPACE = 10;

  @Override
  public String name() {
    return "agent-policies";
  }

  @Override
  public String what() {
    return "an agent's memory with 10,000 pods and 1,000 policies over 100 namespaces in the API";
  }

  @Override
  public List<Row> run(Bench bench) throws Exception {
    try (BenchCluster cluster = new BenchCluster(bench.root(), bench.launcher())) {
      LargeCluster.fill(cluster, PODS_OF_A_NODE);
      for (int namespace = 0; namespace < LargeCluster.NAMESPACES; namespace++) {
        cluster.put(LargeCluster.namespaceObject(namespace));
        for (int number = 0; number < POLICIES_OF_A_NAMESPACE; number++) {
          cluster.put(LargeCluster.policy(namespace, number));
        }
      }
      return List.of(
          LargeCluster.memory(
              bench, cluster, "agent RSS with 10,000 pods and 1,000 policies", 200));
    }
  }
}
