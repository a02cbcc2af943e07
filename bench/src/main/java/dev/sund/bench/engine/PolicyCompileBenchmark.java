package dev.sund.bench.engine;

import dev.sund.bench.Bench;
import dev.sund.bench.Benchmark;
import dev.sund.bench.Estimate;
import dev.sund.bench.Pairs;
import dev.sund.bench.Row;
import dev.sund.bench.Target;
import dev.sund.engine.policy.PolicyCompiler;
import dev.sund.engine.policy.PolicyPod;
import dev.sund.engine.program.PolicyTables;
import java.util.List;
import java.util.Optional;

/** Policies of a large cluster, from events to a node's tables: all of them, and one label. */
public final class PolicyCompileBenchmark implements Benchmark {
  private static final int CHANGES = 1_000;

  @Override
  public String name() {
    return "policy-compile";
  }

  @Override
  public String what() {
    return "1,000 policies and 10,000 pods to the tables of a node with 100 pods, and one pod's"
        + " label";
  }

  @Override
  public List<Row> run(Bench bench) throws Exception {
    PolicyCluster cluster = new PolicyCluster();
    bench.say("compiling the policies of 10,000 pods");
    long began = System.nanoTime();
    PolicyCompiler compiler = cluster.compiled();
    double cold = (System.nanoTime() - began) / 1e6;
    PolicyTables tables = compiler.tables();
    bench.say(
        "%d rows of pods, %d of ports, %d of peers, %d of verdicts"
            .formatted(
                tables.pods().size(),
                tables.ports().size(),
                tables.peers().size(),
                tables.verdicts().size()));
    Pairs pairs =
        Pairs.run(
            bench.pairs(),
            () -> median(microsOfChanges(cluster, compiler)),
            () -> microsOfAll(cluster));
    double[] changes = microsOfChanges(cluster, compiler);
    return List.of(
        Row.figure(
            "policies of 10,000 pods, first run of the process",
            "ms",
            Estimate.single(cold),
            Optional.of(Target.atMost(2_000)),
            "events to tables, before anything has been compiled to machine code"),
        Row.figure(
            "a pod's label, p99",
            "us",
            Estimate.single(Estimate.percentile(changes, 99)),
            Optional.of(Target.atMost(5_000)),
            "event to delta; the kernel's part is in policy-change"),
        Row.compared(
            "a pod's label", "us", pairs, Target.ratioAtMost(0.01), "baseline: all compiled anew"));
  }

  /** Each pod gets another label, and its own back. */
  private static double[] microsOfChanges(PolicyCluster cluster, PolicyCompiler compiler) {
    double[] micros = new double[2 * CHANGES];
    int rows = 0;
    for (int i = 0; i < CHANGES; i++) {
      PolicyPod other = cluster.relabelled(i);
      PolicyPod original = cluster.original(other);
      for (int way = 0; way < 2; way++) {
        long began = System.nanoTime();
        compiler.put(way == 0 ? other : original);
        rows += compiler.compile().size();
        micros[2 * i + way] = (System.nanoTime() - began) / 1e3;
      }
    }
    if (rows < 2 * CHANGES) {
      throw new AssertionError("labels changed only " + rows + " rows");
    }
    return micros;
  }

  private static double median(double[] samples) {
    return Estimate.percentile(samples, 50);
  }

  private static double microsOfAll(PolicyCluster cluster) {
    long began = System.nanoTime();
    cluster.compiled();
    return (System.nanoTime() - began) / 1e3;
  }
}
