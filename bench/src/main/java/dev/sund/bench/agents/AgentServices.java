package dev.sund.bench.agents;

import dev.sund.bench.Bench;
import dev.sund.bench.Benchmark;
import dev.sund.bench.Estimate;
import dev.sund.bench.Row;
import dev.sund.bench.Target;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

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
      ManyServices.addTo(cluster, SERVICES);
      long begun = System.nanoTime();
      Process agent = cluster.startAgent(0);
      double seconds = (System.nanoTime() - begun) / 1e9;
      bench.say("ready after %.1f s; waiting 60 s".formatted(seconds));
      TimeUnit.SECONDS.sleep(60);
      AgentCosts.Memory memory = AgentCosts.memory(agent.pid());
      return List.of(
          Row.figure(
              "agent RSS with 10,000 Services x 5 and 20,000 pods",
              "MB",
              Estimate.single(memory.all() / 1e6),
              Optional.of(Target.atMost(150)),
              "60 s after ready; of it the mapped ahead-of-time cache: %.1f MB; ready after %.2f s"
                  .formatted(memory.cache() / 1e6, seconds)));
    }
  }
}
