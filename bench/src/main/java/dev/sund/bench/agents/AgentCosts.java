package dev.sund.bench.agents;

import dev.sund.bench.Bench;
import dev.sund.bench.Benchmark;
import dev.sund.bench.Estimate;
import dev.sund.bench.Row;
import dev.sund.bench.Target;
import dev.sund.model.Ip;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/** One agent's restart with 50 pods while the others stand, and the memory it then holds. */
public final class AgentCosts implements Benchmark {
  private static final int PODS = 50;
  private static final int RESTARTS = 20;

  @Override
  public String name() {
    return "agent-costs";
  }

  @Override
  public String what() {
    return "an agent's restart with 50 pods, and its memory 60 seconds after";
  }

  @Override
  public List<Row> run(Bench bench) throws Exception {
    try (BenchCluster cluster = new BenchCluster(bench.root(), bench.launcher())) {
      Process agent = cluster.startAgent(0);
      cluster.startAgent(1);
      cluster.startAgent(2);
      attach(cluster);
      bench.say("three agents are ready, %d pods attached to the first".formatted(PODS));
      double[] seconds = new double[RESTARTS];
      for (int i = 0; i < RESTARTS; i++) {
        cluster.stop(agent);
        long begun = System.nanoTime();
        agent = cluster.startAgent(0);
        seconds[i] = (System.nanoTime() - begun) / 1e9;
      }
      bench.say("waiting 60 s after ready");
      TimeUnit.SECONDS.sleep(60);
      Memory memory = memory(agent.pid());
      return List.of(
          Row.figure(
              "agent restart, exec to /readyz, median",
              "s",
              Estimate.single(Estimate.percentile(seconds, 50)),
              Optional.of(Target.atMost(1)),
              "%d pods, %d restarts by the launcher, slowest %.2f s"
                  .formatted(PODS, RESTARTS, Estimate.percentile(seconds, 100))),
          Row.figure(
              "agent RSS 60 s after ready",
              "MB",
              Estimate.single(memory.all() / 1e6),
              Optional.of(Target.atMost(100)),
              "%d pods; of it the mapped ahead-of-time cache: %.1f MB"
                  .formatted(PODS, memory.cache() / 1e6)));
    }
  }

  private static void attach(BenchCluster cluster) throws IOException {
    for (int i = 0; i < PODS; i++) {
      int number = 20 + i;
      List<Ip> ips =
          cluster.node(0).podCidrs().stream().map(range -> range.address().plus(number)).toList();
      BenchCluster.Pod pod = cluster.newPod(0, "pod-" + i, ips);
      cluster.announce(pod);
      cluster.attach(pod);
    }
  }

  /** Resident bytes of a process, and those of its ahead-of-time cache's mapping. */
  record Memory(long all, long cache) {}

  /** Reads both of a process that runs. */
  static Memory memory(long pid) throws IOException {
    long all = 0;
    long cache = 0;
    boolean inCache = false;
    for (String line : Files.readAllLines(Path.of("/proc/" + pid + "/smaps"))) {
      if (line.matches("[0-9a-f]+-[0-9a-f]+ .*")) {
        inCache = line.endsWith(".aot");
      } else if (line.startsWith("Rss:")) {
        long bytes = Long.parseLong(line.replaceAll("\\D+", "")) * 1024;
        all += bytes;
        cache += inCache ? bytes : 0;
      }
    }
    return new Memory(all, cache);
  }
}
