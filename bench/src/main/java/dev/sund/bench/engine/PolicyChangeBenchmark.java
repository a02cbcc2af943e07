package dev.sund.bench.engine;

import dev.sund.bench.Bench;
import dev.sund.bench.Benchmark;
import dev.sund.bench.Estimate;
import dev.sund.bench.Row;
import dev.sund.bench.Target;
import dev.sund.dataplane.ApplyReport;
import dev.sund.dataplane.Driver.Step;
import dev.sund.dataplane.FailPoint;
import dev.sund.dataplane.nft.NftPort;
import dev.sund.dataplane.nft.PolicyDriver;
import dev.sund.engine.policy.PolicyCompiler;
import dev.sund.engine.policy.PolicyPod;
import dev.sund.engine.program.PolicyDelta;
import dev.sund.engine.program.ProgramDelta;
import dev.sund.kernel.NetNs;
import dev.sund.kernel.nft.NftSocket;
import dev.sund.model.Checks;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * One pod's label among 10,000 pods and 1,000 policies, on a node with 100 pods: from the event
 * until the kernel has taken the transaction.
 */
public final class PolicyChangeBenchmark implements Benchmark {
  private static final int CHANGES = 500;
  private static final int SLICE = 512;

  private final NetNs namespace = NetNs.ofProcess();

  @Override
  public String name() {
    return "policy-change";
  }

  @Override
  public String what() {
    return "one pod's label among 10,000 pods and 1,000 policies, event to kernel";
  }

  @Override
  public List<Row> run(Bench bench) throws Exception {
    PolicyCluster cluster = new PolicyCluster();
    PolicyCompiler compiler = new PolicyCompiler();
    try (PolicyDriver driver =
        new PolicyDriver(NftPort.ofPolicies(NftSocket.open(namespace)), FailPoint.NONE)) {
      driver.resync();
      driver.allowSweep();
      cluster.tell(compiler);
      long began = System.nanoTime();
      apply(driver, compiler.compile());
      double all = (System.nanoTime() - began) / 1e6;
      micros(cluster, compiler, driver, CHANGES / 5);
      double[] micros = micros(cluster, compiler, driver, CHANGES);
      driver.removeAll();
      return List.of(
          Row.figure(
              "policies of 10,000 pods, tables to kernel",
              "ms",
              Estimate.single(all),
              Optional.empty(),
              "compile, lower and write all that a node with 100 pods has"),
          Row.figure(
              "a pod's label, event to kernel",
              "us",
              Estimate.ofMedian(micros),
              Optional.empty(),
              "compile, lower, one transaction"),
          Row.figure(
              "a pod's label, event to kernel, p99",
              "us",
              Estimate.single(Estimate.percentile(micros, 99)),
              Optional.of(Target.atMost(5_000)),
              "of " + micros.length));
    }
  }

  /** Each pod gets another label, and its own back. */
  private static double[] micros(
      PolicyCluster cluster, PolicyCompiler compiler, PolicyDriver driver, int changes) {
    double[] micros = new double[2 * changes];
    int written = 0;
    for (int i = 0; i < changes; i++) {
      PolicyPod other = cluster.relabelled(i);
      PolicyPod original = cluster.original(other);
      for (int way = 0; way < 2; way++) {
        long before = driver.counts().transactions();
        long began = System.nanoTime();
        compiler.put(way == 0 ? other : original);
        apply(driver, compiler.compile());
        double took = (System.nanoTime() - began) / 1e3;
        if (driver.counts().transactions() > before) { // else nobody here tells the two apart
          micros[written++] = took;
        }
      }
    }
    Checks.that(written > changes / 2, "only " + written + " changes were written");
    return Arrays.copyOf(micros, written);
  }

  private static void apply(PolicyDriver driver, PolicyDelta policy) {
    driver.want(
        new ProgramDelta(
            List.of(), List.of(), List.of(), List.of(), List.of(), List.of(), List.of(), List.of(),
            policy));
    while (driver.pending() > 0) {
      ApplyReport report = driver.apply(Step.PUT, SLICE).plus(driver.apply(Step.REMOVE, SLICE));
      Checks.that(report.failed().isEmpty(), "not applied: " + report.failed());
    }
  }
}
