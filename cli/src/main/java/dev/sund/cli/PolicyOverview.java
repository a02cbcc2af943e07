package dev.sund.cli;

import dev.sund.engine.cluster.ClusterEvent;
import dev.sund.engine.cluster.Namespace;
import dev.sund.engine.cluster.Pod;
import dev.sund.engine.cluster.Policy;
import dev.sund.kube.api.ApiObjects;
import dev.sund.kube.api.ApiPath;
import dev.sund.kube.api.ApiRefusal;
import dev.sund.kube.object.Kinds;
import dev.sund.kube.tree.Tree;
import dev.sund.model.Condition;
import dev.sund.model.ObjectRef;
import dev.sund.model.RuleId.Direction;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;

/** The cluster's policies and how far its nodes enforce them, as the API shows it. */
final class PolicyOverview {
  private static final ApiPath NODE_POLICIES = ApiPath.of("sund.dev/v1alpha1", "nodepolicies");

  private final List<Entry> policies = new ArrayList<>();
  private final List<Pod> pods = new ArrayList<>();
  private final Map<String, Namespace> namespaces = new TreeMap<>();

  /** How long a node's word is believed: agents renew it three times meanwhile. */
  private static final Duration BELIEVED = Duration.ofMinutes(1);

  /** By node, also those that say nothing, what it says. */
  private final Map<String, Said> nodes = new TreeMap<>();

  private final Instant now;

  private final Map<ObjectRef, TreeSet<String>> exceptions = new TreeMap<>();
  private final Map<String, Integer> exceptionsOf = new TreeMap<>();

  private PolicyOverview(Instant now) {
    this.now = now;
  }

  /**
   * What a node says of itself.
   *
   * @param enforced by kind, up to which version
   * @param seen when it last said so; empty when it never did
   */
  private record Said(Map<String, Long> enforced, Optional<Instant> seen) {
    static final Said NOTHING = new Said(Map.of(), Optional.empty());
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
    PolicyOverview all = new PolicyOverview(now);
    // Nodes first: what they say of policies that are read after them may only be too little.
    for (Tree.Mapping node : api.list(ApiPath.of("v1", "nodes").all())) {
      name(node).ifPresent(name -> all.nodes.put(name, Said.NOTHING));
    }
    for (Tree.Mapping object : list(api, NODE_POLICIES.all())) {
      name(object).filter(all.nodes::containsKey).ifPresent(name -> all.said(name, object));
    }
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

  private static Optional<String> name(Tree.Mapping object) {
    return object.mapping("metadata").flatMap(metadata -> metadata.text("name"));
  }

  private void said(String node, Tree.Mapping object) {
    Map<String, Long> versions = new TreeMap<>();
    Tree.Mapping enforced = object.mapping("enforced").orElse(Tree.Mapping.of(Map.of()));
    for (String kind : enforced.fields().keySet()) {
      enforced.text(kind).flatMap(PolicyOverview::number).ifPresent(n -> versions.put(kind, n));
    }
    nodes.put(node, new Said(versions, object.text("seen").flatMap(PolicyOverview::time)));
    if (object.get("exceptions").orElse(object) instanceof Tree.Sequence list) {
      for (Tree item : list.items()) {
        if (item instanceof Tree.Mapping one) {
          String text =
              one.text("field").map(field -> field + ": ").orElse("")
                  + one.text("text").orElse("")
                  + " "
                  + one.text("remedy").orElse("")
                  + " ["
                  + one.text("reason").orElse("")
                  + "]";
          ObjectRef ref = new ObjectRef(one.text("kind").orElse(""), one.text("name").orElse(""));
          exceptions.computeIfAbsent(ref, _ -> new TreeSet<>()).add(text);
          exceptionsOf.merge(node, 1, Integer::sum);
        }
      }
    }
  }

  private static Optional<Instant> time(String text) {
    try {
      return Optional.of(Instant.parse(text));
    } catch (DateTimeParseException _) {
      return Optional.empty();
    }
  }

  private static Optional<Long> number(String text) {
    return text.matches("[0-9]{1,18}") ? Optional.of(Long.valueOf(text)) : Optional.empty();
  }

  private void take(Kinds kind, Tree.Mapping object) {
    Optional<ObjectRef> ref = kind.ref(object);
    if (ref.isEmpty()) {
      return;
    }
    ClusterEvent event = kind.parse(ref.get(), object).value().orElse(null);
    if (event instanceof ClusterEvent.PolicySeen(var policy, var conditions)) {
      long version =
          object
              .mapping("metadata")
              .flatMap(metadata -> metadata.text("resourceVersion"))
              .flatMap(PolicyOverview::number)
              .orElse(0L);
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
    return List.copyOf(nodes.keySet());
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
    return nodes.entrySet().stream()
        .filter(node ->
            wanted.stream()
                .anyMatch(one ->
                    silent(node.getKey()).isPresent()
                        || node.getValue().enforced().getOrDefault(one.ref().kind(), -1L)
                            < one.version()))
        .map(Map.Entry::getKey)
        .toList();
  }

  /** For how long a node has been silent; empty while it is believed, or says nothing at all. */
  Optional<Duration> silent(String node) {
    return nodes
        .getOrDefault(node, Said.NOTHING)
        .seen()
        .map(seen -> Duration.between(seen, now))
        .filter(since -> since.compareTo(BELIEVED) > 0);
  }

  /** Whether all nodes enforce all policies, and none has an error. */
  boolean isEnforced() {
    return stale(policies).isEmpty()
        && policies.stream().allMatch(one -> conditions(one).isEmpty());
  }

  /** How many remarks a node has about policies. */
  int exceptions(String node) {
    return exceptionsOf.getOrDefault(node, 0);
  }

  /** What is wrong with a policy, as it is written and as nodes say. */
  List<String> conditions(Entry entry) {
    TreeSet<String> all = new TreeSet<>(exceptions.getOrDefault(entry.ref(), new TreeSet<>()));
    for (Condition one : entry.conditions()) {
      String field = one.field().isEmpty() ? "" : one.field() + ": ";
      all.add(field + one.text() + " " + one.remedy() + " [" + one.reason().code() + "]");
    }
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
    nodes.forEach((node, said) -> {
      Map<String, Object> line = new LinkedHashMap<>();
      line.put("node", node);
      line.put("enforced", said.enforced());
      line.put("seen", said.seen().map(Instant::toString).orElse(""));
      line.put("stale", stale.contains(node));
      line.put("exceptions", exceptions(node));
      lines.add(line);
    });
    return lines;
  }
}
