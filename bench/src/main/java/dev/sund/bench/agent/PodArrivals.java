package dev.sund.bench.agent;

import dev.sund.agent.local.Answer;
import dev.sund.agent.local.LocalClient;
import dev.sund.bench.Bench;
import dev.sund.bench.Estimate;
import dev.sund.bench.Row;
import dev.sund.bench.Target;
import dev.sund.kernel.NetNs;
import dev.sund.kube.tree.JsonTrees;
import dev.sund.kube.tree.MalformedException;
import dev.sund.kube.tree.Tree;
import dev.sund.lab.LabCluster;
import dev.sund.lab.api.Resource;
import dev.sund.model.PodKey;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardProtocolFamily;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * New pods on n1, reached from a pod of each node in both families. The clock starts when the API
 * server has the pod, which is when a kubelet begins to make it; it stops at the first packet that
 * comes through. The pods' addresses are outside of their node's range, so that the other nodes
 * need a route for each: with addresses inside it they would have it before.
 */
final class PodArrivals implements AutoCloseable {
  private static final long LIMIT_NANOS = 5_000_000_000L;
  private static final long PACE_NANOS = 1_000_000;

  private final LabCluster cluster;
  private final LocalClient agent;
  private final List<Sender> senders = new ArrayList<>();
  private final ExecutorService kubelet =
      Executors.newSingleThreadExecutor(
          Thread.ofPlatform().name("sund-bench-kubelet").daemon(true).factory());

  /** A pod that sends. */
  private record Sender(String name, boolean sameNode, int number, DatagramChannel socket) {}

  PodArrivals(LabCluster cluster, Path directory) throws IOException {
    this.cluster = cluster;
    this.agent = new LocalClient(directory.resolve("n1").resolve("run"));
    int number = 0;
    for (String name : List.of("p0", "on-n2", "on-n3")) {
      NetNs pod = cluster.topology().pod(new PodKey("bench", name)).orElseThrow();
      for (StandardProtocolFamily family :
          List.of(StandardProtocolFamily.INET, StandardProtocolFamily.INET6)) {
        senders.add(new Sender(name, name.equals("p0"), number++, open(pod, family)));
      }
    }
  }

  List<Row> measure(Bench bench) throws Exception {
    int pods = bench.thorough() ? 300 : 100;
    bench.say("making " + pods + " pods and reaching each from every node");
    for (int i = 0; i < 10; i++) {
      arrive(i); // a cluster that has made no pod since it stands is not what is asked about
    }
    List<Double> same = new ArrayList<>();
    List<Double> others = new ArrayList<>();
    for (int i = 10; i < pods + 10; i++) {
      Map<Integer, Long> arrivals = arrive(i);
      for (Sender sender : senders) {
        Long nanos = arrivals.get(sender.number);
        if (nanos == null) {
          throw new IOException("pod " + i + " was never reached from " + sender.name);
        }
        (sender.sameNode ? same : others).add(nanos / 1e6);
      }
    }
    return List.of(row("on its node", same, 50), row("on other nodes", others, 200));
  }

  private static Row row(String where, List<Double> millis, double target) {
    double[] samples = millis.stream().mapToDouble(Double::doubleValue).toArray();
    return Row.figure(
        "a pod appears, API event to first packet, " + where + ", p99",
        "ms",
        Estimate.single(Estimate.percentile(samples, 99)),
        Optional.of(Target.atMost(target)),
        "3 nodes, IPv4 and IPv6, %d arrivals; median %.1f ms, slowest %.1f ms"
            .formatted(
                samples.length,
                Estimate.percentile(samples, 50),
                Estimate.percentile(samples, 100)));
  }

  /** Makes a pod, and tells by sender's number after how many nanoseconds it was reached. */
  private Map<Integer, Long> arrive(int i) throws Exception {
    String name = "new" + i;
    PodKey key = new PodKey("bench", name);
    String v4 = "10.250." + i / 200 + "." + (1 + i % 200);
    String v6 = "2001:db8:250::" + Integer.toHexString(i + 1);
    NetNs pod = cluster.topology().createPod(key);
    try (DatagramChannel receiver = open(pod, StandardProtocolFamily.INET6)) {
      receiver.bind(new InetSocketAddress(7777));
      Tree.Mapping object = object(name, v4, v6);
      long began = System.nanoTime();
      cluster.api().put(object);
      Future<Answer> added = kubelet.submit(() -> agent.ask(request("ADD", i, pod, name, v4, v6)));
      Map<Integer, Long> arrivals = listen(receiver, v4, v6, began);
      Answer answer = added.get();
      if (answer.exitCode() != 0) {
        throw new IOException("ADD " + key + ": " + answer.json());
      }
      return arrivals;
    } finally {
      agent.ask(request("DEL", i, pod, name, v4, v6));
      cluster.api().delete(Resource.PODS, key.toString());
      cluster.topology().removePod(key);
    }
  }

  private Map<Integer, Long> listen(DatagramChannel receiver, String v4, String v6, long began)
      throws IOException {
    InetSocketAddress to4 = new InetSocketAddress(InetAddress.ofLiteral(v4), 7777);
    InetSocketAddress to6 = new InetSocketAddress(InetAddress.ofLiteral(v6), 7777);
    Map<Integer, Long> arrivals = new HashMap<>();
    ByteBuffer in = ByteBuffer.allocate(16);
    long due = began;
    while (arrivals.size() < senders.size() && System.nanoTime() - began < LIMIT_NANOS) {
      if (System.nanoTime() >= due) {
        due += PACE_NANOS;
        for (Sender sender : senders) {
          if (!arrivals.containsKey(sender.number)) {
            send(sender, sender.number % 2 == 0 ? to4 : to6);
          }
        }
      }
      in.clear();
      if (receiver.receive(in) != null) {
        arrivals.putIfAbsent((int) in.get(0), System.nanoTime() - began);
      }
    }
    return arrivals;
  }

  private static void send(Sender sender, InetSocketAddress to) {
    try {
      sender.socket.send(ByteBuffer.wrap(new byte[] {(byte) sender.number}), to);
    } catch (IOException _) {
      // no way there yet
    }
  }

  private static DatagramChannel open(NetNs namespace, StandardProtocolFamily family)
      throws IOException {
    return namespace.<DatagramChannel, IOException>call(() -> {
      DatagramChannel socket = DatagramChannel.open(family);
      socket.configureBlocking(false);
      return socket;
    });
  }

  private static Map<String, Object> request(
      String command, int i, NetNs pod, String name, String v4, String v6) {
    return LocalClient.cniRequest(
        command,
        "new" + i,
        pod.path().toString(),
        "eth0",
        "K8S_POD_NAMESPACE=bench;K8S_POD_NAME=" + name + ";K8S_POD_UID=uid-" + name,
        List.of(v4 + "/32", v6 + "/128"));
  }

  private static Tree.Mapping object(String name, String v4, String v6) {
    try {
      return (Tree.Mapping)
          JsonTrees.parse(
              """
              {"apiVersion":"v1","kind":"Pod",
               "metadata":{"namespace":"bench","name":"%1$s","uid":"uid-%1$s"},
               "spec":{"nodeName":"n1","containers":[{"name":"main","image":"none"}]},
               "status":{"phase":"Running","podIP":"%2$s","podIPs":[{"ip":"%2$s"},{"ip":"%3$s"}]}}
              """
                  .formatted(name, v4, v6));
    } catch (MalformedException e) {
      throw new IllegalStateException(e);
    }
  }

  @Override
  public void close() throws IOException {
    kubelet.shutdownNow();
    for (Sender sender : senders) {
      sender.socket.close();
    }
  }
}
