package dev.sund.cli;

import dev.sund.engine.cluster.ClusterEvent;
import dev.sund.engine.cluster.Namespace;
import dev.sund.engine.cluster.Pod;
import dev.sund.engine.cluster.Policy;
import dev.sund.kube.api.ApiObjects;
import dev.sund.kube.api.ApiPath;
import dev.sund.kube.api.ApiRefusal;
import dev.sund.kube.enforced.Enforcement;
import dev.sund.kube.enforced.Enforcement.Wanted;
import dev.sund.kube.enforced.NodePolicies;
import dev.sund.kube.enforced.PolicyRemark;
import dev.sund.kube.object.Kinds;
import dev.sund.kube.tree.Tree;
import dev.sund.model.Condition;
import dev.sund.model.ObjectRef;
import dev.sund.model.RuleId.Direction;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;

/** The cluster's policies and how far its nodes enforce them, as the API shows it. */
final class PolicyOverview {
  private final List<Entry> policies = new ArrayList<>();
  private final List<Pod> pods = new ArrayList<>();
  private final Map<String, Namespace> namespaces = new TreeMap<>();

  private final Enforcement enforcement;

  private PolicyOverview(Enforcement enforcement) {
    this.enforcement = enforcement;
  }

  /**
   * A policy.
   *
   * @param version its {@code resourceVersion}
   * @param conditions what is wrong with it as it is written
   */
  record Entry(ObjectRef ref, Policy policy, long version, List<Condition> conditions) {
    /** Its namespace; empty for one of the cluster. */
    String namespace() {
      int slash = ref.name().indexOf('/');
      return slash < 0 ? "" : ref.name().substring(0, slash);
    }
  }

  /** Reads the policies, and the pods that they select. */
  static PolicyOverview read(ApiObjects api, Instant now) throws IOException {
    PolicyOverview all = enforced(api, now);
    for (Kinds kind : List.of(Kinds.NAMESPACE, Kinds.POD)) {
      for (Tree.Mapping object : api.list(ApiPath.of("v1", kind.plural()).all())) {
        all.take(kind, object);
      }
    }
    return all;
  }

  /** Reads the policies and what nodes say of them, and no pods: {@link #selected} has none. */
  static PolicyOverview enforced(ApiObjects api, Instant now) throws IOException {
    // Nodes first: what they say of policies that are read after them may only be too little.
    List<String> nodes = new ArrayList<>();
    for (Tree.Mapping node : api.list(ApiPath.of("v1", "nodes").all())) {
      node.mapping("metadata").flatMap(metadata -> metadata.text("name")).ifPresent(nodes::add);
    }
    PolicyOverview all = new PolicyOverview(Enforcement.read(api, nodes, now));
    for (Kinds kind : List.of(Kinds.NETWORK_POLICY, Kinds.CLUSTER_NETWORK_POLICY)) {
      for (Tree.Mapping object :
          list(api, ApiPath.of(kind.apiVersions().getFirst(), kind.plural()).all())) {
        all.take(kind, object);
      }
    }
    return all;
  }

  private static List<Tree.Mapping> list(ApiObjects api, String path) throws IOException {
    try {
      return api.list(path);
    } catch (ApiRefusal e) {
      if (e.isNotFound()) {
        return List.of(); // the kind is not defined there
      }
      throw e;
    }
  }

  private void take(Kinds kind, Tree.Mapping object) {
    Optional<ObjectRef> ref = kind.ref(object);
    if (ref.isEmpty()) {
      return;
    }
    ClusterEvent event = kind.parse(ref.get(), object).value().orElse(null);
    if (event instanceof ClusterEvent.PolicySeen(var policy, var conditions)) {
      long version = Kinds.version(object).orElse(0L);
      policies.add(new Entry(ref.get(), policy, version, conditions));
    } else if (event instanceof ClusterEvent.PodSeen(var pod)) {
      pods.add(pod);
    } else if (event instanceof ClusterEvent.NamespaceSeen(var namespace)) {
      namespaces.put(namespace.name(), namespace);
    }
  }

  /** The policies: namespaces' first, by name. */
  List<Entry> policies() {
    return policies;
  }

  /** All nodes, by name. */
  List<String> nodes() {
    return enforcement.nodes();
  }

  /** The pods that a policy is about, by namespace and name. */
  List<String> selected(Entry entry) {
    Policy.Pods subject = entry.policy().subject();
    return pods.stream()
        .filter(pod -> !pod.hostNetwork() && !pod.finished())
        .filter(pod -> {
          Namespace in = namespaces.get(pod.key().namespace());
          return subject.has(pod.key().namespace(), in == null ? null : in.labels(), pod.labels());
        })
        .map(pod -> pod.key().toString())
        .sorted()
        .toList();
  }

  /**
   * The nodes that do not enforce all of these as they are now, or have not been heard of for a
   * minute: what has been deleted or relabelled meanwhile does not hold there.
   */
  List<String> stale(List<Entry> wanted) {
    return enforcement.stale(
        wanted.stream().map(one -> Wanted.of(one.policy(), one.version())).toList());
  }

  /** For how long a node has been silent; empty while it is believed, or says nothing at all. */
  Optional<Duration> silent(String node) {
    return enforcement.silent(node);
  }

  /** Whether all nodes enforce all policies, and none has an error. */
  boolean isEnforced() {
    return stale(policies).isEmpty()
        && policies.stream().allMatch(one -> conditions(one).isEmpty());
  }

  /** How many remarks a node has about policies. */
  int exceptions(String node) {
    return enforcement.of(node).remarks().size();
  }

  /** What is wrong with a policy, as it is written and as nodes say. */
  List<String> conditions(Entry entry) {
    TreeSet<String> all = new TreeSet<>();
    enforcement.remarks(entry.ref()).keySet().forEach(one -> all.add(one.toString()));
    entry.conditions().forEach(one -> all.add(PolicyRemark.of(one).toString()));
    return List.copyOf(all);
  }

  /** {@code Namespace}, {@code Admin} or {@code Baseline}. */
  static String tier(Entry entry) {
    return switch (entry.policy().tier()) {
      case ADMIN -> "Admin";
      case NAMESPACE -> "Namespace";
      case BASELINE -> "Baseline";
    };
  }

  /** The directions that it isolates, or has rules for. */
  static List<String> directions(Entry entry) {
    return List.of(Direction.INGRESS, Direction.EGRESS).stream()
        .filter(direction ->
            entry.policy().isolates().contains(direction)
                || (entry.policy().tier() != Policy.Tier.NAMESPACE
                    && entry.policy().rules().stream()
                        .anyMatch(rule -> rule.direction() == direction)))
        .map(direction -> direction == Direction.INGRESS ? "ingress" : "egress")
        .toList();
  }

  /** A policy in short, for programs. */
  Map<String, Object> line(Entry entry) {
    Map<String, Object> line = new LinkedHashMap<>();
    line.put("kind", entry.ref().kind());
    line.put("name", entry.ref().name());
    line.put("tier", tier(entry));
    line.put("priority", entry.policy().priority());
    line.put("directions", directions(entry));
    line.put("generation", entry.policy().generation());
    line.put("pods", selected(entry).size());
    line.put("stale", stale(List.of(entry)));
    line.put("conditions", conditions(entry));
    return line;
  }

  /** A policy with all that is said of it, for programs. */
  Map<String, Object> whole(Entry entry) {
    Map<String, Object> whole = line(entry);
    whole.put("pods", selected(entry));
    whole.put("rules", entry.policy().rules().stream().map(PolicyText::rule).toList());
    whole.put("nodes", nodes());
    return whole;
  }

  /** Each node, for programs. */
  List<Map<String, Object>> nodeLines() {
    List<String> stale = stale(policies);
    List<Map<String, Object>> lines = new ArrayList<>();
    for (String node : nodes()) {
      NodePolicies said = enforcement.of(node);
      Map<String, Object> line = new LinkedHashMap<>();
      line.put("node", node);
      line.put("enforced", said.versions());
      line.put("seen", said.seen().map(Instant::toString).orElse(""));
      line.put("stale", stale.contains(node));
      line.put("exceptions", exceptions(node));
      lines.add(line);
    }
    return lines;
  }
}
