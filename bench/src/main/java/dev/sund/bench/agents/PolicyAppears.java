package dev.sund.bench.agents;

import dev.sund.bench.Bench;
import dev.sund.bench.Benchmark;
import dev.sund.bench.Estimate;
import dev.sund.bench.Row;
import dev.sund.bench.Target;
import dev.sund.model.Ip;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;

/**
 * How soon policies hold: for a pod that appears, on the nodes of those who may ask it, as {@link
 * PodAppears} has it where all pods are closed in both directions but for senders that ask new
 * pods; and for changes that an agent finds when it starts.
 */
public final class PolicyAppears implements Benchmark {
  private static final int PORT = 7;

  private static final String SENDERS_MAY_ASK_NEW_PODS =
      """
      apiVersion: networking.k8s.io/v1
      kind: NetworkPolicy
      metadata: {name: all, namespace: bench}
      spec:
        podSelector: {}
        policyTypes: [Ingress, Egress]
        ingress:
        - from: [{podSelector: {matchLabels: {role: sender}}}]
        egress:
        - to: [{podSelector: {matchLabels: {role: new}}}]
      """;

  private static final String SHUT =
      """
      apiVersion: networking.k8s.io/v1
      kind: NetworkPolicy
      metadata: {name: shut, namespace: bench}
      spec: {podSelector: {matchLabels: {role: target}}}
      """;

  @Override
  public String name() {
    return "policy-appears";
  }

  @Override
  public String what() {
    return "how soon policies hold for a new pod, and after an agent's start";
  }

  @Override
  public List<Row> run(Bench bench) throws Exception {
    int count = bench.thorough() ? 300 : 60;
    List<Double> own = new ArrayList<>();
    List<Double> others = new ArrayList<>();
    PodAppears.measure(bench, SENDERS_MAY_ASK_NEW_PODS, count, own, others);
    List<Double> starts = starts(bench);
    double[] samples = starts.stream().mapToDouble(Double::doubleValue).toArray();
    return List.of(
        PodAppears.row("a pod appears and is allowed, on its node", own, 1_000, count),
        PodAppears.row("a pod appears and is allowed, on other nodes", others, 1_000, count),
        Row.figure(
            "a policy changed while the agent was down holds, median",
            "ms",
            Estimate.single(Estimate.percentile(samples, 50)),
            Optional.of(Target.atMost(1_000)),
            "exec to the first packet that a deleted policy lets through, or the last that an"
                + " added one does; %d starts by turns, slowest %.0f ms"
                    .formatted(samples.length, Estimate.percentile(samples, 100))));
  }

  private static List<Double> starts(Bench bench) throws Exception {
    int count = bench.thorough() ? 20 : 6;
    List<Double> millis = new ArrayList<>();
    try (BenchCluster cluster = new BenchCluster(bench.root(), bench.launcher())) {
      Process agent = cluster.startAgent(0);
      cluster.startAgent(1);
      BenchCluster.Pod sender = PodAppears.sender(cluster, 1);
      List<Ip> ips =
          cluster.node(0).podCidrs().stream().map(range -> range.address().plus(10)).toList();
      BenchCluster.Pod target = cluster.newPod(0, "target-0", ips);
      cluster.announce(target);
      cluster.attach(target);
      AtomicLong first = new AtomicLong();
      AtomicLong last = new AtomicLong();
      AtomicBoolean over = new AtomicBoolean();
      try (DatagramChannel receiver = PodAppears.open(target.namespace())) {
        receiver.bind(new InetSocketAddress(PORT));
        Thread listening = new Thread(() -> receive(receiver, first, last), "sund-bench-receiver");
        listening.start();
        Thread sending = new Thread(() -> send(sender, ips, over), "sund-bench-sender");
        sending.start();
        for (int i = 0; i < count; i++) {
          awaitPassage(last, i % 2 == 0);
          agent.destroyForcibly().waitFor();
          boolean shuts = i % 2 == 0;
          if (shuts) {
            cluster.put(SHUT);
          } else {
            cluster.deletePolicy("bench/shut");
          }
          long begun = System.nanoTime();
          first.set(0);
          agent = cluster.startAgent(0);
          awaitPassage(last, !shuts);
          millis.add(((shuts ? last.get() : first.get()) - begun) / 1e6);
        }
        over.set(true);
        sending.join();
      }
    }
    return millis;
  }

  /** Waits until packets come, or come no more. */
  private static void awaitPassage(AtomicLong last, boolean comes)
      throws InterruptedException, IOException {
    long end = System.nanoTime() + 10_000_000_000L;
    boolean quiet = comes;
    while (quiet == comes) {
      Thread.sleep(5);
      quiet = System.nanoTime() - last.get() > 300_000_000L;
      if (System.nanoTime() > end) {
        throw new IOException("packets " + (comes ? "do not come" : "still come"));
      }
    }
  }

  private static void receive(DatagramChannel channel, AtomicLong first, AtomicLong last) {
    ByteBuffer packet = ByteBuffer.allocate(16);
    try {
      while (true) {
        packet.clear();
        channel.receive(packet);
        long now = System.nanoTime();
        first.compareAndSet(0, now);
        last.set(now);
      }
    } catch (IOException closed) {
      // the rounds are over
    }
  }

  /** Each packet by a socket of its own: one that goes on would be of a connection that began. */
  private static void send(BenchCluster.Pod from, List<Ip> to, AtomicBoolean over) {
    try {
      while (!over.get()) {
        for (Ip ip : to) {
          try (DatagramChannel channel = PodAppears.open(from.namespace())) {
            channel.send(
                ByteBuffer.wrap(new byte[] {1}),
                new InetSocketAddress(InetAddress.getByName(ip.toString()), PORT));
          }
        }
        Thread.sleep(1);
      }
    } catch (IOException | InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
