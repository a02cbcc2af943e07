package dev.sund.bench.services;

import dev.sund.bench.Bench;
import dev.sund.bench.Benchmark;
import dev.sund.bench.Estimate;
import dev.sund.bench.Pairs;
import dev.sund.bench.Row;
import dev.sund.bench.Target;
import dev.sund.engine.cluster.ClusterEvent;
import dev.sund.kernel.NetNs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * All Services at once to an agent that runs: from the mailbox to the kernel by its two threads.
 * Beside it the shape that kube-proxy's nftables mode writes, which is only written.
 */
public final class ServiceLoadBenchmark implements Benchmark {
  private static final ServiceCluster SMALL = new ServiceCluster(1_000, 10);
  private static final ServiceCluster LARGE = new ServiceCluster(10_000, 5);
  private static final ServiceCluster VAST = new ServiceCluster(50_000, 5);

  private final NetNs namespace = NetNs.ofProcess();

  @Override
  public String name() {
    return "service-load";
  }

  @Override
  public String what() {
    return "1,000x10, 10,000x5 and 50,000x5 Services, events to kernel, beside kube-proxy's shape";
  }

  @Override
  public List<Row> run(Bench bench) throws Exception {
    Path folder = Files.createTempDirectory("sund-bench");
    try {
      List<Row> rows = new ArrayList<>();
      bench.say("1,000 x 10, beside nft -f");
      List<Path> files = KubeProxyShape.write(SMALL, folder);
      rows.add(
          Row.compared(
              "1,000 Services x 10",
              "ms",
              Pairs.run(bench.pairs(), () -> millis(SMALL), () -> baseline(files, folder)),
              Target.ratioAtMost(0.05),
              "mailbox to kernel; baseline: kube-proxy's nftables shape by nft -f, 500 at once"));
      for (ServiceCluster cluster : List.of(LARGE, VAST)) {
        bench.say(cluster.toString());
        double[] millis = new double[bench.pairs()];
        for (int i = 0; i < millis.length; i++) {
          millis[i] = millis(cluster);
        }
        rows.add(
            Row.figure(
                "%,d Services x %d".formatted(cluster.services(), cluster.endpoints()),
                "ms",
                Estimate.ofMedian(millis),
                Optional.of(Target.atMost(cluster == LARGE ? 500 : 2_500)),
                "mailbox to kernel, by the agent's two threads"));
      }
      bench.say("restart");
      rows.add(restart(bench));
      return rows;
    } finally {
      KubeProxyShape.remove(folder);
      try (var files = Files.list(folder)) {
        for (Path file : files.toList()) {
          Files.delete(file);
        }
      }
      Files.delete(folder);
    }
  }

  private double millis(ServiceCluster cluster) throws Exception {
    List<ClusterEvent> events = cluster.coming();
    System.gc(); // what earlier runs left is not this one's to copy
    double millis;
    try (ServiceLoop loop = new ServiceLoop(namespace, cluster.nodes())) {
      millis = loop.load(events, cluster.services() * (1 + cluster.endpoints()));
    }
    ServiceTable.remove(namespace);
    return millis;
  }

  private static double baseline(List<Path> files, Path folder)
      throws IOException, InterruptedException {
    double millis = KubeProxyShape.apply(files);
    KubeProxyShape.remove(folder);
    return millis;
  }

  /** Another driver finds all in place: from reading to the last event, and not a message. */
  private Row restart(Bench bench) throws Exception {
    List<ClusterEvent> events = LARGE.events();
    double[] millis = new double[bench.pairs()];
    long messages = 0;
    try (ServiceTable first = new ServiceTable(namespace)) {
      first.put(events);
      for (int i = 0; i < millis.length; i++) {
        long began = System.nanoTime();
        try (ServiceTable again = new ServiceTable(namespace)) {
          again.put(events);
          millis[i] = (System.nanoTime() - began) / 1e6;
          messages += again.driver().counts().messages();
        }
      }
    }
    ServiceTable.remove(namespace);
    if (messages > 0) {
      throw new IllegalStateException(
          "a restart wrote " + messages + " messages: " + Arrays.toString(millis));
    }
    return Row.figure(
        "restart with 10,000 Services x 5 in place",
        "ms",
        Estimate.ofMedian(millis),
        Optional.of(Target.atMost(3_000)),
        "read back, compile, compare; nothing is written");
  }
}
