package dev.sund.bench.nft;

import dev.sund.bench.Bench;
import dev.sund.bench.Benchmark;
import dev.sund.bench.Estimate;
import dev.sund.bench.Pairs;
import dev.sund.bench.Row;
import dev.sund.bench.Target;
import dev.sund.dataplane.ApplyReport;
import dev.sund.dataplane.Driver.Step;
import dev.sund.dataplane.FailPoint;
import dev.sund.dataplane.nft.NftDriver;
import dev.sund.dataplane.nft.NftPort;
import dev.sund.engine.program.Change;
import dev.sund.engine.program.Masquerade;
import dev.sund.engine.program.Masquerade.Part;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.NetNs;
import dev.sund.kernel.nft.NftSocket;
import dev.sund.model.Checks;
import dev.sund.model.Ip;
import dev.sund.model.Prefix;
import dev.sund.model.RuleId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * The ranges of 5,000 nodes in the masquerade table: all at once, one changed, and read back after
 * a restart. Beside it {@code nft -f} with the same elements and comments in a table of its own.
 */
public final class MasqueradeBenchmark implements Benchmark {
  private static final int NODES = 5_000;
  private static final int CHANGES = 200;

  private final NetNs namespace = NetNs.ofProcess();

  @Override
  public String name() {
    return "masquerade";
  }

  @Override
  public String what() {
    return "5,000 nodes' ranges in the masquerade table, beside nft -f with the same";
  }

  @Override
  public List<Row> run(Bench bench) throws Exception {
    Path folder = Files.createTempDirectory("sund-bench");
    try (NftDriver driver = driver()) {
      Path all = folder.resolve("all.nft");
      Path one = folder.resolve("one.nft");
      Files.writeString(all, table());
      Files.writeString(
          one,
          "delete element inet handmade cluster { %s }\nadd element inet handmade cluster { %s }\n"
              .formatted(range(7), element(7)));
      driver.want(put(rows("")));
      bench.say("loading " + NODES + " ranges");
      Pairs loads = Pairs.run(bench.pairs(), () -> millisOfLoad(driver), () -> millisOf(all));
      bench.say("changing one range");
      Pairs changes =
          Pairs.run(bench.pairs(), () -> microsOfChange(driver), () -> 1e3 * millisOf(one));
      bench.say("reading back");
      double[] restarts = new double[bench.pairs()];
      for (int i = 0; i < restarts.length; i++) {
        restarts[i] = millisOfRestart();
      }
      return List.of(
          new Row(
              "5,000 ranges into the kernel",
              "ms",
              loads.ours(),
              Optional.of(loads.baseline()),
              Optional.of(loads.ratio()),
              Optional.empty(),
              "one transaction, nearly all of it the kernel's time; baseline: nft -f"),
          Row.compared(
              "one range of 5,000 changed",
              "us",
              changes,
              Target.ratioAtMost(0.1),
              "want and apply, one transaction of four elements; baseline: nft -f"),
          Row.figure(
              "restart with 5,000 ranges",
              "ms",
              Estimate.ofMedian(restarts),
              Optional.empty(),
              "read back, compare, nothing to write"));
    } finally {
      nft("delete", "table", "inet", "handmade");
      try (NftDriver driver = driver()) {
        driver.removeAll();
      }
      try (var files = Files.list(folder)) {
        for (Path file : files.toList()) {
          Files.delete(file);
        }
      }
      Files.delete(folder);
    }
  }

  private NftDriver driver() throws KernelException {
    NftDriver driver = new NftDriver(NftPort.over(NftSocket.open(namespace)), FailPoint.NONE);
    driver.resync();
    driver.allowSweep();
    return driver;
  }

  private double millisOfLoad(NftDriver driver) throws KernelException {
    driver.removeAll();
    long began = System.nanoTime();
    apply(driver);
    return (System.nanoTime() - began) / 1e6;
  }

  private static double microsOfChange(NftDriver driver) {
    long began = System.nanoTime();
    for (int i = 0; i < CHANGES; i++) {
      driver.want(put(List.of(row(i % NODES, i % 2 == 0 ? "-changed" : ""))));
      apply(driver);
    }
    return (System.nanoTime() - began) / 1e3 / CHANGES;
  }

  private double millisOfRestart() throws KernelException {
    long began = System.nanoTime();
    try (NftDriver driver = driver()) {
      driver.want(put(rows("")));
      return (System.nanoTime() - began) / 1e6;
    }
  }

  private static void apply(NftDriver driver) {
    ApplyReport report = driver.apply(Step.PUT, NODES).plus(driver.apply(Step.REMOVE, NODES));
    Checks.that(
        report.failed().isEmpty() && driver.pending() == 0, "not applied: " + report.failed());
  }

  private double millisOf(Path commands) throws IOException, InterruptedException {
    if (commands.endsWith("all.nft")) {
      nft("delete", "table", "inet", "handmade");
    }
    long began = System.nanoTime();
    Checks.that(nft("-f", commands.toString()) == 0, "nft -f " + commands + " failed");
    return (System.nanoTime() - began) / 1e6;
  }

  private static int nft(String... arguments) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of("nft"));
    command.addAll(List.of(arguments));
    Process process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .start();
    Checks.that(process.waitFor(60, TimeUnit.SECONDS), "nft took longer than a minute");
    return process.exitValue();
  }

  private static String table() {
    List<String> elements = new ArrayList<>();
    for (int i = 0; i < NODES; i++) {
      elements.add(element(i));
    }
    return """
    table inet handmade {
      set outgoing {
        type ipv4_addr
        flags interval
        elements = { 10.0.0.0/24 comment "Node:n0:uid-0:none:0" }
      }
      set cluster {
        type ipv4_addr
        flags interval
        elements = { %s }
      }
      chain postrouting {
        type nat hook postrouting priority srcnat; policy accept;
        ip saddr @outgoing ip daddr != @cluster counter masquerade fully-random
      }
    }
    """
        .formatted(String.join(",\n", elements));
  }

  private static String element(int node) {
    return range(node) + " comment \"" + row(node, "").rule() + "\"";
  }

  private static Prefix range(int node) {
    return new Prefix(Ip.parse("10.0.0.0").plus(256L * node), 24);
  }

  private static Masquerade row(int node, String suffix) {
    return new Masquerade(
        range(node), Part.CLUSTER, RuleId.of("Node", "n" + node + suffix, "uid-" + node));
  }

  private static List<Masquerade> rows(String suffix) {
    List<Masquerade> rows = new ArrayList<>();
    rows.add(new Masquerade(range(0), Part.NAT_OUTGOING, RuleId.of("Node", "n0", "uid-0")));
    for (int i = 0; i < NODES; i++) {
      rows.add(row(i, suffix));
    }
    return rows;
  }

  private static List<Change<Masquerade.Key, Masquerade>> put(List<Masquerade> rows) {
    return rows.stream()
        .<Change<Masquerade.Key, Masquerade>>map(
            row -> new Change.Put<>(row.key(), row, Optional.empty()))
        .toList();
  }
}
