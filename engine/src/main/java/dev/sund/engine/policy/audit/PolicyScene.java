package dev.sund.engine.policy.audit;

import dev.sund.engine.cluster.Namespace;
import dev.sund.engine.cluster.Node;
import dev.sund.engine.cluster.Policy;
import dev.sund.engine.policy.PolicyPod;
import dev.sund.engine.policy.reach.Reachability;
import dev.sund.model.Condition;
import dev.sund.model.Ip;
import dev.sund.model.Prefix;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * All objects of a cluster that policies ask about.
 *
 * @param policies sorted by kind and name
 * @param namespaces sorted; each that a pod or a policy is in
 * @param nodes sorted
 * @param pods sorted, those that finished left out
 * @param conditions what is wrong with policies
 * @param assumptions what the objects left open, one line each
 */
public record PolicyScene(
    List<Policy> policies,
    List<Namespace> namespaces,
    List<Node> nodes,
    List<ScenePod> pods,
    List<Condition> conditions,
    List<String> assumptions) {
  /** Where pods are assumed to be that say no address, while no node says where its pods are. */
  private static final Prefix ASSUMED = Prefix.parse("10.244.0.0/16");

  private static final String LABEL_NAME = "kubernetes.io/metadata.name";

  public PolicyScene {
    policies = policies.stream().sorted(Comparator.comparing(Policy::ref)).toList();
    namespaces = namespaces.stream().sorted(Comparator.comparing(Namespace::name)).toList();
    nodes = nodes.stream().sorted(Comparator.comparing(Node::name)).toList();
    pods = pods.stream().sorted(Comparator.comparing(pod -> pod.pod().key())).toList();
    conditions = List.copyOf(conditions);
    assumptions = List.copyOf(assumptions);
  }

  /** The scene of these objects, with what they leave open assumed and said. */
  public static PolicyScene of(
      List<Policy> policies,
      List<Namespace> namespaces,
      List<Node> nodes,
      List<ScenePod> pods,
      List<Condition> conditions) {
    List<String> assumptions = new ArrayList<>();
    List<ScenePod> running = pods.stream().filter(pod -> !pod.pod().finished()).toList();
    return new PolicyScene(
        policies,
        completed(namespaces, policies, running, assumptions),
        nodes,
        placed(running, nodes, assumptions),
        conditions,
        assumptions);
  }

  private static List<Namespace> completed(
      List<Namespace> told, List<Policy> policies, List<ScenePod> pods, List<String> assumptions) {
    Map<String, Namespace> all = new TreeMap<>();
    told.forEach(namespace -> all.put(namespace.name(), namespace));
    Set<String> missing = new TreeSet<>();
    pods.forEach(pod -> missing.add(pod.namespace()));
    policies.forEach(policy -> policy.subject().namespace().ifPresent(missing::add));
    missing.removeAll(all.keySet());
    for (String name : missing) {
      all.put(name, new Namespace(name, "assumed-" + name, 0, Map.of(LABEL_NAME, name)));
    }
    if (!missing.isEmpty()) {
      assumptions.add(
          "no Namespace object for %s: no labels but %s"
              .formatted(String.join(", ", missing), LABEL_NAME));
    }
    return List.copyOf(all.values());
  }

  private static List<ScenePod> placed(
      List<ScenePod> pods, List<Node> nodes, List<String> assumptions) {
    Set<Ip> taken = new HashSet<>();
    pods.forEach(pod -> taken.addAll(pod.pod().addresses()));
    Prefix range =
        nodes.stream().flatMap(node -> node.podCidrs().stream()).findFirst().orElse(ASSUMED);
    Ip next = range.address();
    List<ScenePod> placed = new ArrayList<>();
    int assumed = 0;
    for (ScenePod pod : pods) {
      if (pod.pod().hostNetwork() || !pod.pod().addresses().isEmpty()) {
        placed.add(pod);
        continue;
      }
      do {
        next = next.plus(1);
      } while (taken.contains(next));
      taken.add(next);
      placed.add(pod.with(List.of(next)));
      assumed++;
    }
    if (assumed > 0) {
      assumptions.add(
          "%d %s no address yet: one of %s each"
              .formatted(assumed, assumed == 1 ? "pod has" : "pods have", range));
    }
    return placed;
  }

  /** Who may reach whom. */
  public Reachability reachability() {
    return Reachability.of(policies, namespaces, nodes, policyPods());
  }

  private List<PolicyPod> policyPods() {
    return pods.stream().map(ScenePod::pod).toList();
  }
}
