package dev.sund.it.policy;

import dev.sund.engine.cluster.ClusterEvent;
import dev.sund.engine.cluster.Namespace;
import dev.sund.engine.cluster.Node;
import dev.sund.engine.cluster.Pod;
import dev.sund.engine.cluster.Policy;
import dev.sund.engine.policy.PolicyCompiler;
import dev.sund.engine.policy.PolicyPod;
import dev.sund.engine.policy.reach.Reachability;
import dev.sund.engine.program.PolicyTables;
import dev.sund.it.policy.oracle.End;
import dev.sund.it.policy.oracle.Oracle;
import dev.sund.kube.object.ClusterNetworkPolicyParser;
import dev.sund.kube.object.Kinds;
import dev.sund.kube.object.NetworkPolicyParser;
import dev.sund.kube.tree.DocumentSink;
import dev.sund.kube.tree.JsonTrees;
import dev.sund.kube.tree.MalformedException;
import dev.sund.kube.tree.Tree;
import dev.sund.model.Ip;
import dev.sund.model.ObjectRef;
import dev.sund.model.Protocol;
import dev.sund.model.RuleId.Direction;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** Sund's side: from the same text by the parsers and the compiler to the tables of each node. */
final class Compiled {
  private final List<Policy> policies = new ArrayList<>();
  private final List<Namespace> namespaces = new ArrayList<>();
  private final List<Node> nodes = new ArrayList<>();
  private final List<PolicyPod> pods = new ArrayList<>();
  private final Map<String, String> nodeOfPod = new HashMap<>();
  private final Map<String, PolicyTables> tables = new HashMap<>();

  private Compiled() {}

  /**
   * Compiles a cluster.
   *
   * @param order the seed of the order in which compilers are told what there is
   */
  static Compiled of(String text, Mutant mutant, long order) {
    Compiled compiled = new Compiled();
    try {
      JsonTrees.read(
          text,
          new DocumentSink() {
            @Override
            public void item(Tree item) {
              compiled.read((Tree.Mapping) item);
            }

            @Override
            public void document(Tree document) {
              // its items were told one by one
            }
          });
    } catch (MalformedException e) {
      throw new IllegalArgumentException(text, e);
    }
    compiled.nodes.forEach(node -> compiled.compile(node, mutant, order));
    return compiled;
  }

  private void read(Tree.Mapping object) {
    Tree.Mapping metadata = object.mapping("metadata").orElseThrow();
    String name = metadata.text("name").orElseThrow();
    String kind = object.text("kind").orElseThrow();
    switch (kind) {
      case Policy.NETWORK_POLICY ->
          policies.add(
              NetworkPolicyParser.parse(
                      new ObjectRef(kind, metadata.text("namespace").orElseThrow() + "/" + name),
                      object)
                  .value()
                  .orElseThrow());
      case Policy.CLUSTER_NETWORK_POLICY ->
          policies.add(
              ClusterNetworkPolicyParser.parse(new ObjectRef(kind, name), object)
                  .value()
                  .orElseThrow());
      default -> {
        Kinds known = Kinds.of("v1", kind).orElseThrow();
        ClusterEvent event =
            known.parse(known.ref(object).orElseThrow(), object).value().orElseThrow();
        if (event instanceof ClusterEvent.NamespaceSeen seen) {
          namespaces.add(seen.namespace());
        } else if (event instanceof ClusterEvent.NodeSeen seen) {
          nodes.add(seen.node());
        } else if (event instanceof ClusterEvent.PodSeen seen) {
          pod(seen.pod(), metadata);
        }
      }
    }
  }

  private void pod(Pod pod, Tree.Mapping metadata) {
    Map<String, String> labels = new HashMap<>();
    metadata
        .mapping("labels")
        .ifPresent(all ->
            all.fields().keySet().forEach(key -> labels.put(key, all.text(key).orElseThrow())));
    String node = pod.node().orElseThrow().toString();
    nodeOfPod.put(pod.key().toString(), node);
    List<Ip> addresses =
        pod.hostNetwork() // for a mutant alone: a pod of its node's network has no own address
            ? nodes.stream()
                .filter(one -> one.name().toString().equals(node))
                .flatMap(one -> one.addresses().stream())
                .toList()
            : pod.ips();
    pods.add(
        new PolicyPod(
            pod.key(),
            pod.uid(),
            pod.created(),
            labels,
            pod.hostNetwork(),
            pod.finished(),
            addresses,
            pod.ports()));
  }

  private void compile(Node node, Mutant mutant, long order) {
    PolicyCompiler compiler = new PolicyCompiler();
    List<Runnable> told = new ArrayList<>();
    policies.forEach(policy -> told.add(() -> compiler.put(mutant.policy(policy))));
    namespaces.forEach(namespace -> told.add(() -> compiler.put(namespace)));
    nodes.forEach(one -> told.add(() -> compiler.put(one)));
    for (PolicyPod pod : mutant.pods(pods)) {
      told.add(() -> compiler.put(pod));
      boolean here = node.name().toString().equals(nodeOfPod.get(pod.key().toString()));
      if (here && !pod.hostNetwork() && !pod.finished()) {
        told.add(() -> compiler.attach(pod.key(), pod.addresses()));
      }
    }
    Collections.shuffle(told, new Random(order));
    told.forEach(Runnable::run);
    compiler.compile();
    tables.put(node.name().toString(), mutant.tables(compiler.tables()));
  }

  /** Who may reach whom, by Sund's answer to questions about the whole cluster. */
  Reachability reachability() {
    return Reachability.of(policies, namespaces, nodes, pods);
  }

  /** What the nodes' tables say, where packets pass them. */
  Oracle.Answer mayConnect(End from, End to, Protocol protocol, int port) {
    if (!from.pod().isEmpty() && from.pod().equals(to.pod())) {
      return new Oracle.Answer(true, true); // known by device (N16)
    }
    Ip asking = ip(from);
    Ip asked = ip(to);
    boolean egress =
        from.pod().isEmpty()
            || tablesOf(from).judge(asking, Direction.EGRESS, asked, protocol, port).allowed();
    boolean bornThere = // never forwarded there (N15)
        !from.node().isEmpty() && from.node().equals(nodeOfPod.get(to.pod()));
    boolean ingress =
        to.pod().isEmpty()
            || bornThere
            || tablesOf(to).judge(asked, Direction.INGRESS, asking, protocol, port).allowed();
    return new Oracle.Answer(egress, ingress);
  }

  private PolicyTables tablesOf(End pod) {
    return tables.getOrDefault(nodeOfPod.getOrDefault(pod.pod(), ""), PolicyTables.EMPTY);
  }

  private static Ip ip(End end) {
    return Ip.parse(end.address().getHostAddress());
  }
}
