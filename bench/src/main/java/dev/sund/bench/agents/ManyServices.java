package dev.sund.bench.agents;

import dev.sund.kube.tree.JsonTrees;
import dev.sund.kube.tree.MalformedException;
import dev.sund.kube.tree.Tree;
import java.io.IOException;
import java.util.function.IntFunction;

/** Services and their slices as the API server tells of them, with what has to be read past. */
final class ManyServices {
  private ManyServices() {}

  private static final int ENDPOINTS = 5;

  /** A pod that answers for a Service. */
  record Answering(String namespace, String name, String node, String address, String uid) {}

  /**
   * Adds Services with five endpoints each, of which no pod is shown.
   *
   * @param services how many, at most 60,000
   */
  static void addTo(BenchCluster cluster, int services) throws IOException {
    addTo(cluster, services, ManyServices::unseen);
  }

  /**
   * Adds Services with five endpoints each.
   *
   * @param services how many, at most 60,000
   * @param pods who is the endpoint of this number, from 0 to {@code 5 * services - 1}
   */
  static void addTo(BenchCluster cluster, int services, IntFunction<Answering> pods)
      throws IOException {
    for (int i = 0; i < services; i++) {
      cluster.put(service(i));
      cluster.put(slice(i, pods));
    }
  }

  private static Answering unseen(int endpoint) {
    int i = endpoint / ENDPOINTS;
    int number = endpoint % ENDPOINTS;
    return new Answering(
        "ns-" + i % 40,
        "app-%d-%d".formatted(i, number),
        "big-" + i % 1_000,
        "11.%d.%d.%d".formatted(i / 8_000, i / 32 % 250, i % 32 * 8 + number),
        "00000000-0000-4000-8000-%06d%06d".formatted(i, number));
  }

  private static Tree.Mapping service(int i) throws IOException {
    return tree(
        """
        {"apiVersion":"v1","kind":"Service","metadata":{"namespace":"ns-%2$d","name":"svc-%1$d",
        "uid":"00000000-0000-4000-9000-%1$012d","creationTimestamp":"2026-01-01T00:00:00Z",
        "labels":{"app":"app-%1$d","helm.sh/chart":"app-1.2.3"}},
        "spec":{"type":"ClusterIP","clusterIP":"10.%3$d.%4$d.%5$d",
        "clusterIPs":["10.%3$d.%4$d.%5$d"],"ipFamilies":["IPv4"],"ipFamilyPolicy":"SingleStack",
        "internalTrafficPolicy":"Cluster","sessionAffinity":"None","selector":{"app":"app-%1$d"},
        "ports":[{"name":"http","protocol":"TCP","port":80,"targetPort":8080}]},
        "status":{"loadBalancer":{}}}
        """
            .formatted(i, i % 40, 96 + i / 62_500, i / 250 % 250, 1 + i % 250));
  }

  private static Tree.Mapping slice(int i, IntFunction<Answering> pods) throws IOException {
    StringBuilder endpoints = new StringBuilder();
    for (int number = 0; number < ENDPOINTS; number++) {
      Answering pod = pods.apply(i * ENDPOINTS + number);
      endpoints.append(number == 0 ? "" : ",");
      endpoints.append(
          """
          {"addresses":["%s"],"nodeName":"%s","zone":"z%d",
          "conditions":{"ready":true,"serving":true,"terminating":false},
          "targetRef":{"kind":"Pod","namespace":"%s","name":"%s","uid":"%s"}}
          """
              .formatted(pod.address(), pod.node(), i % 3, pod.namespace(), pod.name(), pod.uid()));
    }
    return tree(
        """
        {"apiVersion":"discovery.k8s.io/v1","kind":"EndpointSlice","metadata":{
        "namespace":"ns-%2$d","name":"svc-%1$d-x7k2p","uid":"00000000-0000-4000-a000-%1$012d",
        "labels":{"kubernetes.io/service-name":"svc-%1$d",
        "endpointslice.kubernetes.io/managed-by":"endpointslice-controller.k8s.io"}},
        "addressType":"IPv4","ports":[{"name":"http","protocol":"TCP","port":8080}],
        "endpoints":[%3$s]}
        """
            .formatted(i, i % 40, endpoints));
  }

  private static Tree.Mapping tree(String json) throws IOException {
    try {
      return (Tree.Mapping) JsonTrees.parse(json);
    } catch (MalformedException e) {
      throw new IOException(e);
    }
  }
}
