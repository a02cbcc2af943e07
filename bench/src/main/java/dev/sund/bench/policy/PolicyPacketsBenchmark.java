package dev.sund.bench.policy;

import dev.sund.bench.Bench;
import dev.sund.bench.Benchmark;
import dev.sund.bench.Pairs;
import dev.sund.bench.Row;
import dev.sund.bench.Target;
import java.util.ArrayList;
import java.util.List;

/**
 * What a first packet costs at a pod that 200 policies of 10 rules select, beside one that a single
 * rule is about: on links of their own, and on one bridge.
 */
public final class PolicyPacketsBenchmark implements Benchmark {
  @Override
  public String name() {
    return "policy-packets";
  }

  @Override
  public String what() {
    return "TCP connect to a pod selected by 200 policies x 10 rules, beside one selected by one";
  }

  @Override
  public List<Row> run(Bench bench) throws Exception {
    List<Row> rows = new ArrayList<>();
    int pairs = Math.max(bench.pairs(), 30);
    for (boolean bridged : new boolean[] {false, true}) {
      try (PolicyNode node = PolicyNode.make(bridged ? "bridge" : "routed", bridged, true)) {
        bench.say("connecting" + (bridged ? " on a bridge" : ""));
        node.connect("many");
        node.connect("few");
        rows.add(
            Row.compared(
                "TCP connect, 200 policies x 10 rules, " + (bridged ? "on a bridge" : "routed"),
                "us",
                Pairs.run(pairs, () -> node.connect("many"), () -> node.connect("few")),
                Target.ratioAtMost(1.10),
                "baseline: one policy of one rule; medians of 400 connections, interleaved"));
      }
    }
    return rows;
  }
}
