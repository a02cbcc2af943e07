package dev.sund.bench.policy;

import dev.sund.bench.Bench;
import dev.sund.bench.Benchmark;
import dev.sund.bench.Estimate;
import dev.sund.bench.Row;
import dev.sund.bench.Target;
import dev.sund.kernel.socket.MessageBuffer;
import dev.sund.kernel.socket.NetSocket;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/**
 * How many datagrams that policies forbid reach a pod while somebody flushes all rules of the node
 * and the driver puts them back: with tables that are the agent's alone (Linux 6.9), and with
 * tables as older kernels have them. The time in which an agent hears of it and waits its shortest
 * pause comes to the latter; {@code ReloadTest} has it.
 */
public final class PolicyFlushBenchmark implements Benchmark {
  private static final int PORT = 9;
  private static final int PAUSE_NANOS = 100_000;

  /** Room for all that arrives during a flush: the kernel counts about a kilobyte for each. */
  private static final int ROOM = 64 << 20;

  @Override
  public String name() {
    return "policy-flush";
  }

  @Override
  public String what() {
    return "forbidden datagrams that arrive while all rules are flushed and written again";
  }

  @Override
  public List<Row> run(Bench bench) throws Exception {
    List<Row> rows = new ArrayList<>();
    int flushes = bench.thorough() ? 1_000 : 20;
    for (boolean keeping : new boolean[] {true, false}) {
      try (PolicyNode node = PolicyNode.make(keeping ? "kept" : "unkept", false, keeping)) {
        bench.say("flushing " + flushes + " times");
        rows.addAll(flushed(node, flushes, keeping));
      }
    }
    return rows;
  }

  private static List<Row> flushed(PolicyNode node, int flushes, boolean keeping) throws Exception {
    AtomicBoolean ends = new AtomicBoolean();
    AtomicInteger sent = new AtomicInteger();
    double[] micros = new double[flushes];
    int arrived = 0;
    try (NetSocket from = node.datagrams("client", 0);
        NetSocket at = node.datagrams("few", PORT)) {
      at.receiveBuffer(ROOM);
      MessageBuffer buffer = new MessageBuffer(64);
      Thread sender =
          Thread.ofPlatform()
              .daemon()
              .unstarted(() -> {
                MessageBuffer datagram = new MessageBuffer(64);
                while (!ends.get()) {
                  datagram.sendTo(from, 32, node.at("few", PORT));
                  sent.incrementAndGet();
                  LockSupport.parkNanos(PAUSE_NANOS);
                }
              });
      sender.start();
      for (int i = 0; i < flushes; i++) {
        node.flush();
        long began = System.nanoTime();
        node.repair();
        micros[i] = (System.nanoTime() - began) / 1e3;
        while (buffer.receive(at) >= 0) {
          arrived++;
        }
      }
      ends.set(true);
      sender.join();
    }
    String tables = keeping ? "tables of the agent's own" : "tables that others may flush";
    return List.of(
        Row.figure(
            "forbidden datagrams that arrived, " + tables,
            "",
            Estimate.single(arrived),
            keeping ? Optional.of(Target.atMost(0)) : Optional.empty(),
            "of " + sent.get() + " during " + flushes + " flushes"),
        Row.figure(
            "from the flush's end to policies in force, " + tables,
            "us",
            Estimate.ofMedian(micros),
            Optional.empty(),
            "reading and one transaction; 201 policies"));
  }
}
