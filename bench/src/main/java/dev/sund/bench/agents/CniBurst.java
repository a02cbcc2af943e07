package dev.sund.bench.agents;

import dev.sund.bench.Bench;
import dev.sund.bench.Benchmark;
import dev.sund.bench.Estimate;
import dev.sund.bench.Pairs;
import dev.sund.bench.Row;
import dev.sund.bench.Target;
import dev.sund.bench.agents.CniBed.Sandbox;
import dev.sund.bench.agents.CniBed.Who;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** A hundred pods that start at once. */
public final class CniBurst implements Benchmark {
  private static final int PODS = 100;

  @Override
  public String name() {
    return "cni-burst";
  }

  @Override
  public String what() {
    return "100 CNI ADDs at once, the slowest but one, beside Debian's bridge plugin with ipMasq";
  }

  @Override
  public List<Row> run(Bench bench) throws Exception {
    try (CniBed bed = new CniBed(bench)) {
      bench.say("an agent is ready; bursts of " + PODS + " in turns");
      Pairs pairs =
          Pairs.run(bench.pairs(), () -> burst(bed, Who.OURS), () -> burst(bed, Who.BRIDGE_MASQ));
      String note = "%d bursts each, fork to exit".formatted(bench.pairs());
      Estimate ours = pairs.ours();
      return List.of(
          Row.figure(
              "burst of 100 CNI ADDs, p99", "ms", ours, Optional.of(Target.atMost(200)), note),
          Row.compared(
              "burst of 100 CNI ADDs, p99, beside bridge with ipMasq",
              "ms",
              pairs,
              Target.ratioAtMost(1.0 / 3),
              note));
    }
  }

  private static double burst(CniBed bed, Who who) throws Exception {
    List<Sandbox> pods = new ArrayList<>();
    for (int i = 0; i < PODS; i++) {
      pods.add(bed.sandbox(who));
    }
    double p99 = CniBed.p99(bed.burst("ADD", pods));
    bed.burst("DEL", pods);
    for (Sandbox pod : pods) {
      bed.drop(pod);
    }
    return p99;
  }
}
