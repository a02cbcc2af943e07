package dev.sund.bench.engine;

import dev.sund.bench.Bench;
import dev.sund.bench.Benchmark;
import dev.sund.bench.Pairs;
import dev.sund.bench.Row;
import dev.sund.bench.Target;
import dev.sund.engine.FabricSettings;
import dev.sund.engine.ProgramCompiler;
import dev.sund.engine.cluster.ClusterEvent;
import dev.sund.engine.cluster.Node;
import dev.sund.engine.cluster.NodeFacts;
import dev.sund.engine.cluster.NodeFacts.Device;
import dev.sund.engine.cluster.Pod;
import dev.sund.engine.program.ProgramDelta;
import dev.sund.model.InterfaceAddress;
import dev.sund.model.Ip;
import dev.sund.model.NodeName;
import dev.sund.model.PodKey;
import dev.sund.model.Prefix;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** A change of one node among 5,000, from event to delta. */
public final class CompileBenchmark implements Benchmark {
  private static final int LARGE = 5_000;
  private static final int SMALL = 100;
  private static final int PODS_OF_A_NODE = 4;
  private static final int CHANGES = 2_000;

  @Override
  public String name() {
    return "compile";
  }

  @Override
  public String what() {
    return "event to delta at 5,000 nodes and 20,000 pods, beside compiling all and beside 100"
        + " nodes";
  }

  @Override
  public List<Row> run(Bench bench) throws Exception {
    bench.say("compiling a cluster of " + LARGE + " nodes");
    ProgramCompiler large = full(LARGE);
    ProgramCompiler small = full(SMALL);
    Pairs all =
        Pairs.run(bench.pairs(), () -> microsOfAChange(large, LARGE), () -> microsOfAll(LARGE));
    Pairs growth =
        Pairs.run(
            bench.pairs(),
            () -> microsOfAChange(large, LARGE),
            () -> microsOfAChange(small, SMALL));
    return List.of(
        Row.compared(
            "a node changes its range, 5,000 nodes",
            "us",
            all,
            Target.ratioAtMost(0.01),
            "baseline: the whole cluster compiled anew"),
        Row.compared(
            "a node changes its range, 5,000 nodes against 100",
            "us",
            growth,
            Target.ratioAtMost(2.5),
            "what a change costs is what it touches; the rest is larger trees and colder caches"));
  }

  /** A node behind the router gets another pod range and back: two changes of three tables. */
  private static double microsOfAChange(ProgramCompiler compiler, int nodes) {
    long began = System.nanoTime();
    for (int i = 0; i < CHANGES; i++) {
      int number = 2 + 2 * (i % (nodes / 2 - 1));
      Node node = node(number);
      Node moved =
          new Node(
              node.name(),
              node.uid(),
              node.created(),
              node.addresses(),
              List.of(new Prefix(Ip.parse("11.0.0.0").plus(256L * number), 24)));
      check(compiler.apply(List.of(new ClusterEvent.NodeSeen(moved))).delta());
      check(compiler.apply(List.of(new ClusterEvent.NodeSeen(node))).delta());
    }
    return (System.nanoTime() - began) / 1e3 / (2 * CHANGES);
  }

  private static void check(ProgramDelta delta) {
    if (delta.routes().size() < 2) {
      throw new AssertionError("a moved range changes two routes, but the delta is " + delta);
    }
  }

  private static double microsOfAll(int nodes) {
    List<ClusterEvent> events = events(nodes);
    long began = System.nanoTime();
    ProgramCompiler compiler = compiler();
    int rows = compiler.apply(events).delta().size();
    if (rows < nodes) {
      throw new AssertionError("only " + rows + " rows");
    }
    return (System.nanoTime() - began) / 1e3;
  }

  private static ProgramCompiler full(int nodes) {
    ProgramCompiler compiler = compiler();
    compiler.apply(events(nodes));
    return compiler;
  }

  private static ProgramCompiler compiler() {
    return new ProgramCompiler(node(1).name(), FabricSettings.DEFAULT);
  }

  private static List<ClusterEvent> events(int nodes) {
    List<ClusterEvent> events = new ArrayList<>();
    events.add(
        new ClusterEvent.FactsSeen(
            new NodeFacts(
                List.of(
                    new Device(
                        "eth0",
                        1500,
                        true,
                        List.of(new InterfaceAddress(node(1).addresses().getFirst(), 16)))),
                List.of())));
    for (int i = 1; i <= nodes; i++) {
      Node node = node(i);
      events.add(new ClusterEvent.NodeSeen(node));
      for (int pod = 0; pod < PODS_OF_A_NODE; pod++) {
        events.add(new ClusterEvent.PodSeen(pod(node, pod)));
      }
    }
    events.add(new ClusterEvent.Synced());
    return events;
  }

  /** Every second node is behind the router. */
  private static Node node(int number) {
    return new Node(
        new NodeName("n" + number),
        "uid-n" + number,
        number,
        List.of(Ip.parse(number % 2 == 1 ? "172.16.0.0" : "172.17.0.0").plus(number)),
        List.of(new Prefix(Ip.parse("10.0.0.0").plus(256L * number), 24)));
  }

  private static Pod pod(Node node, int number) {
    return new Pod(
        new PodKey("shop", node.name() + "-" + number),
        "uid-" + node.name() + "-" + number,
        number,
        Optional.of(node.name()),
        false,
        false,
        List.of(node.podCidrs().getFirst().address().plus(10 + number)),
        List.of());
  }
}
