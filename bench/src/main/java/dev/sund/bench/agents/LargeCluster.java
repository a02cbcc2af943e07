package dev.sund.bench.agents;

import dev.sund.bench.Bench;
import dev.sund.bench.Benchmark;
import dev.sund.bench.Estimate;
import dev.sund.bench.Row;
import dev.sund.bench.Target;
import dev.sund.kube.tree.JsonTrees;
import dev.sund.kube.tree.MalformedException;
import dev.sund.kube.tree.Tree;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/** The memory of one agent whose API server has 1,000 nodes and 10,000 pods, of both families. */
public final class LargeCluster implements Benchmark {
  private static final int NODES = 1_000;
  private static final int PODS = 10;

  /** Over how many namespaces the pods are spread. */
  static final int NAMESPACES = 100;

  @Override
  public String name() {
    return "agent-large";
  }

  @Override
  public String what() {
    return "an agent's memory with 1,000 nodes and 10,000 pods in the API";
  }

  @Override
  public List<Row> run(Bench bench) throws Exception {
    try (BenchCluster cluster = new BenchCluster(bench.root(), bench.launcher())) {
      fill(cluster, PODS);
      bench.say("the API server has %d nodes and %d pods".formatted(NODES, NODES * PODS));
      return List.of(memory(bench, cluster, "agent RSS with 1,000 nodes and 10,000 pods", 150));
    }
  }

  /**
   * The memory of a first agent in a cluster as it is.
   *
   * @param megabytes the target
   */
  static Row memory(Bench bench, BenchCluster cluster, String what, int megabytes)
      throws Exception {
    long begun = System.nanoTime();
    Process agent = cluster.startAgent(0);
    double seconds = (System.nanoTime() - begun) / 1e9;
    bench.say("ready after %.1f s; waiting 60 s".formatted(seconds));
    TimeUnit.SECONDS.sleep(60);
    AgentCosts.Memory memory = AgentCosts.memory(agent.pid());
    return Row.figure(
        what,
        "MB",
        Estimate.single(memory.all() / 1e6),
        Optional.of(Target.atMost(megabytes)),
        "60 s after ready; of it the mapped ahead-of-time cache: %.1f MB; ready after %.2f s"
            .formatted(memory.cache() / 1e6, seconds));
  }

  /** A thousand nodes with so many pods each. */
  static void fill(BenchCluster cluster, int podsOfANode) throws IOException {
    for (int node = cluster.nodes().size(); node < NODES; node++) {
      cluster.put(node(node));
      for (int pod = 0; pod < podsOfANode; pod++) {
        cluster.put(pod(node, pod));
      }
    }
  }

  /**
   * Which pod of {@link #fill} is the one of this number, over and over.
   *
   * @param number 0 and up
   */
  static ManyServices.Answering answering(BenchCluster cluster, int podsOfANode, int number) {
    int first = cluster.nodes().size();
    int node = first + number / podsOfANode % (NODES - first);
    int pod = number % podsOfANode;
    return new ManyServices.Answering(
        namespace(node),
        name(node, pod),
        "big-" + node,
        address(node, pod),
        "00000000-0000-4000-8000-%06d%06d".formatted(node, pod));
  }

  private static String namespace(int node) {
    return "ns-" + node % NAMESPACES;
  }

  private static String name(int node, int number) {
    return "app-%d-%d".formatted(node, number);
  }

  private static String address(int node, int number) {
    return "10.%d.%d.%d".formatted(64 + node / 250, 1 + node % 250, 10 + number);
  }

  /** With what a kubelet writes that Sund does not need, since it has to be read past. */
  private static Tree.Mapping node(int number) throws IOException {
    StringBuilder images = new StringBuilder();
    for (int i = 0; i < 40; i++) {
      images.append(i == 0 ? "" : ",");
      images.append(
          "{\"names\":[\"registry.example/team/image-%d@sha256:%064d\"],\"sizeBytes\":%d}"
              .formatted(i, number + i, 50_000_000 + i));
    }
    return tree(
        """
        {"apiVersion":"v1","kind":"Node","metadata":{"name":"big-%1$d","uid":"uid-big-%1$d",
        "creationTimestamp":"2026-01-01T00:00:00Z","labels":{"kubernetes.io/hostname":"big-%1$d",
        "kubernetes.io/os":"linux","topology.kubernetes.io/zone":"z%4$d"}},
        "spec":{"podCIDR":"10.%2$d.%3$d.0/24","podCIDRs":["10.%2$d.%3$d.0/24","fd20:%1$x::/64"]},
        "status":{"addresses":[{"type":"InternalIP","address":"172.20.%2$d.%3$d"},
        {"type":"InternalIP","address":"fd21::%1$x"},{"type":"Hostname","address":"big-%1$d"}],
        "images":[%5$s]}}
        """
            .formatted(number, 64 + number / 250, 1 + number % 250, number % 3, images));
  }

  private static Tree.Mapping pod(int node, int number) throws IOException {
    return tree(
        """
        {"apiVersion":"v1","kind":"Pod","metadata":{"namespace":"%7$s","name":"%8$s",
        "uid":"00000000-0000-4000-8000-%1$06d%4$06d","creationTimestamp":"2026-01-01T00:00:00Z",
        "labels":{"app":"app-%4$d","pod-template-hash":"6d4f9c7b58"},
        "annotations":{"kubectl.kubernetes.io/restartedAt":"2026-01-02T00:00:00Z"}},
        "spec":{"nodeName":"big-%1$d","containers":[{"name":"main","image":"registry.example/app:1",
        "env":[{"name":"A","value":"b"}],"ports":[{"containerPort":8080,"name":"http"}],
        "readinessProbe":{"httpGet":{"path":"/ready","port":8081}}}]},
        "status":{"phase":"Running","hostIP":"172.20.%2$d.%3$d","podIP":"%5$s",
        "podIPs":[{"ip":"%5$s"},{"ip":"fd20:%1$x::%6$x"}]}}
        """
            .formatted(
                node,
                64 + node / 250,
                1 + node % 250,
                number,
                address(node, number),
                10 + number,
                namespace(node),
                name(node, number)));
  }

  /** A namespace of {@link #fill}. */
  static Tree.Mapping namespaceObject(int number) throws IOException {
    return tree(
        """
        {"apiVersion":"v1","kind":"Namespace","metadata":{"name":"ns-%1$d","uid":"ns-%1$d",
        "labels":{"kubernetes.io/metadata.name":"ns-%1$d","stage":"stage-%2$d"}}}
        """
            .formatted(number, number % 4));
  }

  /** A policy about a tenth of a namespace's pods. */
  static Tree.Mapping policy(int namespace, int number) throws IOException {
    return tree(
        """
        {"apiVersion":"networking.k8s.io/v1","kind":"NetworkPolicy","metadata":{
        "namespace":"ns-%1$d","name":"policy-%2$d","uid":"policy-%1$d-%2$d"},
        "spec":{"podSelector":{"matchLabels":{"app":"app-%2$d"}},"policyTypes":["Ingress","Egress"],
        "ingress":[{"from":[{"podSelector":{"matchLabels":{"app":"app-%3$d"}}},
        {"namespaceSelector":{"matchLabels":{"stage":"stage-%4$d"}}}],
        "ports":[{"port":"http"}]}],
        "egress":[{"to":[{"podSelector":{}},{"ipBlock":{"cidr":"192.168.0.0/16",
        "except":["192.168.%2$d.0/24"]}}]},{"ports":[{"port":53,"protocol":"UDP"}]}]}}
        """
            .formatted(namespace, number, (number + 1) % 10, namespace % 4));
  }

  private static Tree.Mapping tree(String json) throws IOException {
    try {
      return (Tree.Mapping) JsonTrees.parse(json);
    } catch (MalformedException e) {
      throw new IOException(e);
    }
  }
}
