package dev.sund.bench.agents;

import dev.sund.bench.Bench;
import dev.sund.bench.Benchmark;
import dev.sund.bench.Row;
import java.util.List;

/** The memory of one agent whose API server has 10,000 Services of 5 endpoints and 20,000 pods. */
public final class AgentServices implements Benchmark {
  private static final int SERVICES = 10_000;
  private static final int PODS_OF_A_NODE = 20;

  @Override
  public String name() {
    return "agent-services";
  }

  @Override
  public String what() {
    return "an agent's memory with 10,000 Services of 5 endpoints and 20,000 pods in the API";
  }

  @Override
  public List<Row> run(Bench bench) throws Exception {
    try (BenchCluster cluster = new BenchCluster(bench.root(), bench.launcher())) {
      LargeCluster.fill(cluster, PODS_OF_A_NODE);
      ManyServices.addTo(
          cluster, SERVICES, number -> LargeCluster.answering(cluster, PODS_OF_A_NODE, number));
      return List.of(
          LargeCluster.memory(
              bench, cluster, "agent RSS with 10,000 Services x 5 and 20,000 pods", 150));
    }
  }
}
