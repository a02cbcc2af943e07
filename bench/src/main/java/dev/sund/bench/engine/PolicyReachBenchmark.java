package dev.sund.bench.engine;

import dev.sund.bench.Bench;
import dev.sund.bench.Benchmark;
import dev.sund.bench.Estimate;
import dev.sund.bench.Row;
import dev.sund.bench.Target;
import dev.sund.engine.policy.PolicyPod;
import dev.sund.engine.policy.reach.Outside;
import dev.sund.engine.policy.reach.PodGroup;
import dev.sund.engine.policy.reach.PortSet;
import dev.sund.engine.policy.reach.Reachability;
import dev.sund.engine.program.PolicyTables;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.Protocol;
import dev.sund.model.RuleId.Direction;
import java.util.List;
import java.util.Optional;
import java.util.Random;

/** Who may reach whom in a large cluster: all pods and all ports, beside asking one by one. */
public final class PolicyReachBenchmark implements Benchmark {
  private static final int SAMPLE = 100_000;

  @Override
  public String name() {
    return "policy-reach";
  }

  @Override
  public String what() {
    return "who may reach whom on all ports among 10,000 pods with 1,000 policies, beside asking of"
        + " each pair";
  }

  /** Pairs of pods and families between which some port is open, and how many groups there are. */
  private record Answer(long open, int groups, int outside) {}

  @Override
  public List<Row> run(Bench bench) throws Exception {
    PolicyCluster cluster = new PolicyCluster();
    bench.say("asking who of 10,000 pods may reach whom");
    long began = System.nanoTime();
    Reachability reach = cluster.reachability();
    double grouped = (System.nanoTime() - began) / 1e6;
    Answer answer = all(reach);
    double whole = (System.nanoTime() - began) / 1e6;
    bench.say(
        "%d groups of pods and %d classes of other addresses; %,d pairs of pods are open on some"
                .formatted(answer.groups, answer.outside, answer.open)
            + " port");
    double ours = Double.MAX_VALUE;
    for (int i = 0; i < bench.pairs(); i++) {
      long again = System.nanoTime();
      Answer same = all(cluster.reachability());
      ours = Math.min(ours, (System.nanoTime() - again) / 1e6);
      if (!same.equals(answer)) {
        throw new AssertionError("the same cluster has another answer: " + same);
      }
    }
    double single = nanosOfOne(cluster, reach);
    double pairs = 2.0 * cluster.pods().size() * cluster.pods().size();
    double baseline = single * pairs * 65536 * 3 / 1e6;
    return List.of(
        Row.figure(
            "who may reach whom, first run of the process",
            "ms",
            Estimate.single(whole),
            Optional.of(Target.atMost(5_000)),
            "events to the ports between all groups; %.0f ms of it to the groups"
                .formatted(grouped)),
        new Row(
            "who may reach whom, again",
            "ms",
            Estimate.single(ours),
            Optional.of(Estimate.single(baseline)),
            Optional.of(Estimate.single(ours / baseline)),
            Optional.of(Target.ratioAtMost(0.001)),
            "the best of %d; baseline: each pair of pods, family, protocol and port asked of the"
                    .formatted(bench.pairs())
                + " compiled tables, %.0f ns each by %,d of them".formatted(single, SAMPLE)));
  }

  private static Answer all(Reachability reach) {
    long open = 0;
    for (PodGroup from : reach.groups()) {
      for (PodGroup to : reach.groups()) {
        for (Family family : Family.values()) {
          if (!reach.open(from, to, family).isEmpty()) {
            open += (long) from.pods().size() * to.pods().size();
          }
        }
      }
      for (Outside outside : reach.outside()) {
        PortSet out = reach.open(from, outside, outside.family());
        PortSet in = reach.open(outside, from, outside.family());
        open += (out.isEmpty() ? 0 : 1) + (in.isEmpty() ? 0 : 1);
      }
    }
    return new Answer(open, reach.groups().size(), reach.outside().size());
  }

  /** One question to both ends' tables, after as many to warm up. */
  private static double nanosOfOne(PolicyCluster cluster, Reachability reach) {
    PolicyTables tables = reach.tables();
    Random random = new Random(6);
    long best = Long.MAX_VALUE;
    int open = 0;
    for (int round = 0; round < 3; round++) {
      long began = System.nanoTime();
      for (int i = 0; i < SAMPLE; i++) {
        Ip from = address(cluster.pods(), random, i % 2);
        Ip to = address(cluster.pods(), random, i % 2);
        int port = 1 + random.nextInt(65535);
        if (tables.judge(from, Direction.EGRESS, to, Protocol.TCP, port).allowed()
            && tables.judge(to, Direction.INGRESS, from, Protocol.TCP, port).allowed()) {
          open++;
        }
      }
      best = Math.min(best, System.nanoTime() - began);
    }
    if (open == 3 * SAMPLE) {
      throw new AssertionError("nothing is closed");
    }
    return (double) best / SAMPLE;
  }

  private static Ip address(List<PolicyPod> pods, Random random, int family) {
    return pods.get(random.nextInt(pods.size())).addresses().get(family);
  }
}
