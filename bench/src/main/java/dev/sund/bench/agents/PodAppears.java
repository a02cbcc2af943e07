package dev.sund.bench.agents;

import dev.sund.bench.Bench;
import dev.sund.bench.Benchmark;
import dev.sund.bench.Estimate;
import dev.sund.bench.Row;
import dev.sund.bench.Target;
import dev.sund.engine.cluster.Node;
import dev.sund.kernel.NetNs;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLongArray;

/**
 * How long after a pod appears in the API its first packet comes through: from a pod on its own
 * node, and from pods on the two other nodes. The new pods' addresses are outside of their nodes'
 * ranges, so that the other nodes need a new route and cannot have had it before.
 */
public final class PodAppears implements Benchmark {
  private static final int PORT = 7;

  @Override
  public String name() {
    return "pod-appears";
  }

  @Override
  public String what() {
    return "from a pod's API event to the first packet through to it";
  }

  @Override
  public List<Row> run(Bench bench) throws Exception {
    int count = bench.thorough() ? 300 : 60;
    List<Double> own = new ArrayList<>();
    List<Double> others = new ArrayList<>();
    measure(bench, "", count, own, others);
    return List.of(
        row("a pod appears, on its node", own, 50, count),
        row("a pod appears, on other nodes", others, 200, count));
  }

  /**
   * Lets pods appear.
   *
   * @param policies put on the API server before, as one text; empty for none
   */
  static void measure(
      Bench bench, String policies, int count, List<Double> own, List<Double> others)
      throws Exception {
    try (BenchCluster cluster = new BenchCluster(bench.root(), bench.launcher())) {
      if (!policies.isEmpty()) {
        cluster.put(policies);
      }
      List<BenchCluster.Pod> senders = new ArrayList<>();
      for (int node = 0; node < 3; node++) {
        cluster.startAgent(node);
        senders.add(sender(cluster, node));
      }
      bench.say("three agents are ready; %d pods appear".formatted(count));
      for (int i = 0; i < count; i++) {
        appear(cluster, senders, i, own, others);
      }
    }
  }

  static Row row(String name, List<Double> millis, double target, int count) {
    double[] samples = millis.stream().mapToDouble(Double::doubleValue).toArray();
    return Row.figure(
        name + ", p99",
        "ms",
        Estimate.single(Estimate.percentile(samples, 99)),
        Optional.of(Target.atMost(target)),
        "API event to first packet, IPv4 and IPv6, %d pods on 3 nodes, median %.1f ms, max %.1f ms"
            .formatted(count, Estimate.percentile(samples, 50), Estimate.percentile(samples, 100)));
  }

  static BenchCluster.Pod sender(BenchCluster cluster, int node) throws IOException {
    Node of = cluster.node(node);
    List<Ip> ips = of.podCidrs().stream().map(range -> range.address().plus(9)).toList();
    BenchCluster.Pod pod = cluster.newPod(node, "sender-" + node, ips);
    cluster.announce(pod);
    cluster.attach(pod);
    return pod;
  }

  private static void appear(
      BenchCluster cluster,
      List<BenchCluster.Pod> senders,
      int number,
      List<Double> own,
      List<Double> others)
      throws Exception {
    int node = number % 3;
    // Borrowed: of the pools' ranges, of no node's.
    List<Ip> ips =
        List.of(
            Ip.parse("10.244.200.0").plus(number + 1), Ip.parse("2001:db8:200::").plus(number + 1));
    BenchCluster.Pod pod = cluster.newPod(node, "new-" + number, ips);
    AtomicLongArray arrived = new AtomicLongArray(6);
    CountDownLatch missing = new CountDownLatch(6);
    try (DatagramChannel receiver = open(pod.namespace())) {
      receiver.bind(new InetSocketAddress(PORT));
      Thread listening =
          new Thread(() -> receive(receiver, arrived, missing), "sund-bench-receiver");
      listening.start();
      List<Thread> sending = new ArrayList<>();
      long begun = System.nanoTime();
      for (BenchCluster.Pod from : senders) {
        Thread thread = new Thread(() -> send(from, ips, missing), "sund-bench-sender");
        thread.start();
        sending.add(thread);
      }
      cluster.announce(pod);
      cluster.attach(pod);
      if (!missing.await(10, TimeUnit.SECONDS)) {
        throw new IOException("not all packets to " + ips + " came through: " + arrived);
      }
      for (Thread thread : sending) {
        thread.join();
      }
      for (int from = 0; from < 3; from++) {
        for (int family = 0; family < 2; family++) {
          double millis = (arrived.get(from * 2 + family) - begun) / 1e6;
          (from == node ? own : others).add(millis);
        }
      }
    }
    cluster.remove(pod);
  }

  static DatagramChannel open(NetNs namespace) throws IOException {
    return namespace.call(DatagramChannel::open);
  }

  /** Packets hold their sender's number and their family's. */
  private static void receive(
      DatagramChannel channel, AtomicLongArray arrived, CountDownLatch missing) {
    ByteBuffer packet = ByteBuffer.allocate(16);
    try {
      while (missing.getCount() > 0) {
        packet.clear();
        channel.receive(packet);
        if (arrived.compareAndSet(packet.get(0) * 2 + packet.get(1), 0, System.nanoTime())) {
          missing.countDown();
        }
      }
    } catch (IOException closed) {
      // The round is over; who waits for the packets says that they are missing.
    }
  }

  private static void send(BenchCluster.Pod from, List<Ip> to, CountDownLatch missing) {
    try (DatagramChannel channel = open(from.namespace())) {
      long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
      while (missing.getCount() > 0 && System.nanoTime() < end) {
        for (Ip ip : to) {
          byte family = (byte) (ip.family() == Family.V4 ? 0 : 1);
          try {
            channel.send(
                ByteBuffer.wrap(new byte[] {(byte) from.node(), family}),
                new InetSocketAddress(InetAddress.getByName(ip.toString()), PORT));
          } catch (IOException notYet) {
            // No route yet, told by the kernel at once.
          }
        }
        Thread.sleep(1);
      }
    } catch (IOException | InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
