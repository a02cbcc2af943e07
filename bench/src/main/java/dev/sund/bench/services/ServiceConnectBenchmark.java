package dev.sund.bench.services;

import dev.sund.bench.Bench;
import dev.sund.bench.Benchmark;
import dev.sund.bench.Pairs;
import dev.sund.bench.Row;
import dev.sund.bench.Target;
import dev.sund.bench.traffic.Programs;
import dev.sund.engine.cluster.ClusterEvent;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * How long a TCP connection takes to the last of 10,000 Services, beside the first of 10, routing
 * without Services, and the last rule of an iptables chain of 1,000.
 */
public final class ServiceConnectBenchmark implements Benchmark {
  private static final int MANY = 10_000;
  private static final int FEW = 10;
  private static final int RULES = 1_000;

  @Override
  public String name() {
    return "service-connect";
  }

  @Override
  public String what() {
    return "TCP connect to the last of 10,000 Services, beside the first of 10, plain and iptables";
  }

  @Override
  public List<Row> run(Bench bench) throws Exception {
    List<Row> rows = new ArrayList<>();
    try (ConnectPath many = ConnectPath.make("many");
        ConnectPath few = ConnectPath.make("few");
        ConnectPath plain = ConnectPath.make("plain");
        ConnectPath chain = ConnectPath.make("chain");
        ServiceTable manyTable = new ServiceTable(many.node());
        ServiceTable fewTable = new ServiceTable(few.node())) {
      fill(manyTable, MANY, MANY - 1);
      fill(fewTable, FEW, 0);
      iptables(chain);
      var last = ServiceCluster.address(MANY - 1);
      var first = ServiceCluster.address(0);
      bench.say("connecting");
      int pairs = Math.max(bench.pairs(), 30);
      rows.add(
          Row.compared(
              "TCP connect, last of 10,000 Services",
              "us",
              Pairs.run(pairs, () -> many.by(last), () -> few.by(first)),
              Target.ratioAtMost(1.05),
              "baseline: the first of 10; medians of 400 connections, interleaved"));
      rows.add(
          Row.compared(
              "TCP connect, last of 10,000 Services, beside routing",
              "us",
              Pairs.run(pairs, () -> many.by(last), plain::direct),
              Target.ratioAtMost(1.35),
              "baseline: routed and tracked without translation"));
      rows.add(
          Row.compared(
              "TCP connect, last of 10,000 Services, beside iptables",
              "us",
              Pairs.run(pairs, () -> many.by(last), () -> chain.by(last)),
              Target.ratioAtMost(1.0),
              "baseline: the last of 1,000 rules of an iptables chain"));
    }
    return rows;
  }

  /** Services, of which one leads to the server. */
  private static void fill(ServiceTable table, int services, int one) {
    List<ClusterEvent> events = new ServiceCluster(services, 5).events();
    events.add(events.size() - 1, ServiceCluster.sliceTo(one, ConnectPath.SERVER));
    table.put(events);
  }

  private static void iptables(ConnectPath path) throws IOException {
    StringBuilder text = new StringBuilder("*nat\n:SERVICES - [0:0]\n-A PREROUTING -j SERVICES\n");
    for (int i = MANY - RULES; i < MANY; i++) {
      text.append(
          "-A SERVICES -d %s/32 -p tcp --dport 80 -j DNAT --to-destination %s:8080\n"
              .formatted(ServiceCluster.address(i), ConnectPath.SERVER));
    }
    Path file = Files.createTempFile("sund-bench", ".rules");
    try {
      Files.writeString(file, text.append("COMMIT\n"));
      Programs.run(
          "ip netns exec " + path.node().path().getFileName() + " iptables-restore " + file);
    } finally {
      Files.delete(file);
    }
  }
}
