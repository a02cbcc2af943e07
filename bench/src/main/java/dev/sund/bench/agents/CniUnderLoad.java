package dev.sund.bench.agents;

import dev.sund.bench.Bench;
import dev.sund.bench.Benchmark;
import dev.sund.bench.Estimate;
import dev.sund.bench.Row;
import dev.sund.bench.Target;
import dev.sund.bench.agents.CniBed.Sandbox;
import dev.sund.bench.agents.CniBed.Who;
import dev.sund.kernel.route.RouteFilter;
import dev.sund.kernel.route.RouteSocket;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.Marks;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;

/**
 * Pods that start while a big cluster's routes are written: a node joins one that it knew nothing
 * of. And what the plugin's program costs itself.
 */
public final class CniUnderLoad implements Benchmark {
  private static final int NODES = 10_000;
  private static final long LIMIT_NANOS = 120_000_000_000L;

  @Override
  public String name() {
    return "cni-load";
  }

  @Override
  public String what() {
    return "CNI ADD while 10,000 routes are loaded; the plugin's size and memory";
  }

  @Override
  public List<Row> run(Bench bench) throws Exception {
    try (CniBed bed = new CniBed(bench)) {
      for (int i = 0; i < 30; i++) {
        one(bed);
      }
      bench.say("an agent is ready; " + NODES + " nodes join while pods come and go");
      AtomicReference<Optional<Exception>> failure = new AtomicReference<>(Optional.empty());
      Thread joining =
          Thread.ofPlatform()
              .daemon()
              .start(() -> {
                try {
                  join(bed.cluster());
                } catch (Exception e) {
                  failure.set(Optional.of(e));
                }
              });
      List<Double> samples = new ArrayList<>();
      long end = System.nanoTime() + LIMIT_NANOS;
      while (routes(bed) < NODES && System.nanoTime() < end && failure.get().isEmpty()) {
        for (int i = 0; i < 5; i++) {
          samples.add(one(bed));
        }
      }
      joining.join();
      if (failure.get().isPresent()) {
        throw failure.get().get();
      }
      int written = routes(bed);
      if (written < NODES) {
        throw new IllegalStateException("only " + written + " routes were written");
      }
      double[] millis = samples.stream().mapToDouble(Double::doubleValue).toArray();
      return List.of(
          Row.figure(
              "CNI ADD while 10,000 routes load, p99",
              "ms",
              Estimate.single(Estimate.percentile(millis, 99)),
              Optional.of(Target.atMost(100)),
              "%d pods one after the other, fork to exit; median %.1f ms, slowest %.1f ms"
                  .formatted(
                      millis.length,
                      Estimate.percentile(millis, 50),
                      Estimate.percentile(millis, 100))),
          Row.figure(
              "CNI plugin, most memory resident",
              "MB",
              Estimate.single(bed.resident() / 1e6),
              Optional.of(Target.atMost(2)),
              "over all calls; of the program that starts it too"),
          Row.figure(
              "CNI plugin, size",
              "MB",
              Estimate.single(Files.size(bed.plugin()) / 1e6),
              Optional.of(Target.atMost(1)),
              "static"));
    }
  }

  private static void join(BenchCluster cluster) throws Exception {
    Ip first = Ip.parse("10.128.0.0");
    Ip address = Ip.parse("172.20.0.1");
    for (int i = 0; i < NODES; i++) {
      cluster.announceNode("far-" + i, first.plus(i * 256) + "/24", address.plus(i));
    }
  }

  private static int routes(CniBed bed) throws Exception {
    try (RouteSocket kernel = RouteSocket.open(bed.cluster().namespace(0))) {
      return (int)
          kernel.routes(RouteFilter.main(Family.V4)).stream()
              .filter(route -> route.protocol() == Marks.ROUTE_PROTOCOL)
              .count();
    }
  }

  static double one(CniBed bed) throws Exception {
    Sandbox sandbox = bed.sandbox(Who.OURS);
    double add = bed.call("ADD", sandbox);
    bed.call("DEL", sandbox);
    bed.drop(sandbox);
    return add;
  }
}
