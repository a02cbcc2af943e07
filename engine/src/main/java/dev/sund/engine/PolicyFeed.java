package dev.sund.engine;

import dev.sund.engine.cluster.Attachment;
import dev.sund.engine.cluster.Pod;
import dev.sund.engine.cluster.Policy;
import dev.sund.engine.cluster.PortOnBridge;
import dev.sund.engine.policy.PolicyCompiler;
import dev.sund.engine.policy.PolicyPod;
import dev.sund.engine.program.PolicyDelta;
import dev.sund.engine.program.PolicyLookup;
import dev.sund.engine.program.PolicyTables;
import dev.sund.model.Condition;
import dev.sund.model.Ip;
import dev.sund.model.NodeName;
import dev.sund.model.ObjectRef;
import dev.sund.model.PodKey;
import dev.sund.model.Reason;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Tells the compiler of policies what there is. A cluster without any policy has no such compiler,
 * and pays nothing for what others need: it is made with the first policy, told everything, and let
 * go of after the last.
 *
 * <p>An attachment is its pod's when both say the same uid. One of another uid (the watch knows
 * only its predecessor, or a later pod of its name) belongs to a pod that nobody knows, which is
 * closed. Containers that are no pods of the cluster are not subject to policies.
 *
 * <p>Not for several threads.
 */
final class PolicyFeed {
  /** The namespace of containers that are no pods of a cluster. */
  private static final String NO_NAMESPACE = "-";

  private final ClusterState state;
  private final Book policies = new Book();

  /** Names under which attachments are known whose pods are not, by the names they say. */
  private final Map<PodKey, Set<PodKey>> strangers = new HashMap<>();

  private @Nullable PolicyCompiler compiler;
  private PolicyTables lastTables = PolicyTables.EMPTY;
  private boolean tablesDiffer;

  PolicyFeed(ClusterState state) {
    this.state = state;
  }

  /** The policies by name, and which of the cluster's have one place. */
  private static final class Book {
    private final TreeMap<ObjectRef, Policy> byRef = new TreeMap<>();
    private final Map<List<Object>, Set<ObjectRef>> places = new HashMap<>();

    void put(Policy policy) {
      remove(policy.ref());
      byRef.put(policy.ref(), policy);
      if (policy.tier() != Policy.Tier.NAMESPACE) {
        places.computeIfAbsent(place(policy), _ -> new TreeSet<>()).add(policy.ref());
      }
    }

    void remove(ObjectRef ref) {
      Policy was = byRef.remove(ref);
      if (was != null) {
        places.computeIfPresent(
            place(was),
            (_, at) -> {
              at.remove(ref);
              return at.isEmpty() ? null : at;
            });
      }
    }

    private static List<Object> place(Policy policy) {
      return List.of(policy.tier(), policy.priority());
    }
  }

  // What there is.

  /** The policies, by name. */
  Collection<Policy> policies() {
    return Collections.unmodifiableCollection(policies.byRef.values());
  }

  void put(Policy policy) {
    policies.put(policy);
    if (compiler == null) {
      begin();
    } else {
      compiler.put(policy);
    }
  }

  void remove(ObjectRef policy) {
    policies.remove(policy);
    if (compiler != null) {
      compiler.remove(policy);
    }
  }

  /** A pod has changed, or what is attached as it. */
  void changed(PodKey key) {
    if (compiler != null) {
      tell(compiler, key);
    }
  }

  /** A namespace has changed. */
  void changed(String namespace) {
    PolicyCompiler told = compiler;
    if (told != null) {
      state.namespace(namespace).ifPresentOrElse(told::put, () -> told.removeNamespace(namespace));
    }
  }

  /** A node has changed. */
  void changed(NodeName node) {
    PolicyCompiler told = compiler;
    if (told != null) {
      state.nodes().get(node).ifPresentOrElse(told::put, () -> told.remove(node));
    }
  }

  private void begin() {
    PolicyCompiler fresh = new PolicyCompiler();
    state.namespaces().forEach(fresh::put);
    state.nodes().all().forEach(fresh::put);
    for (Pod pod : state.pods()) {
      fresh.put(PolicyPod.of(pod));
    }
    for (PodKey key : state.attachments().pods()) {
      tell(fresh, key);
    }
    state.alone().ports().forEach(port -> port.pod().ifPresent(key -> tell(fresh, key)));
    policies.byRef.values().forEach(fresh::put);
    compiler = fresh;
  }

  private void tell(PolicyCompiler to, PodKey key) {
    if (key.namespace().equals(NO_NAMESPACE)) {
      return;
    }
    Optional<Pod> pod = state.pod(key);
    pod.ifPresentOrElse(found -> to.put(PolicyPod.of(found)), () -> to.remove(key));
    Map<PodKey, Set<Ip>> attached = attached(key, pod);
    Set<PodKey> names = new TreeSet<>(attached.keySet());
    names.remove(key);
    Set<PodKey> before =
        names.isEmpty() ? strangers.remove(key) : strangers.put(key, Set.copyOf(names));
    if (before != null) {
      before.stream().filter(name -> !names.contains(name)).forEach(to::detach);
    }
    to.attach(key, attached.getOrDefault(key, Set.of()));
    names.forEach(name -> to.attach(name, attached.getOrDefault(name, Set.of())));
  }

  /** The addresses that are attached as a pod, by the name of the pod that they are of. */
  private Map<PodKey, Set<Ip>> attached(PodKey key, Optional<Pod> pod) {
    Map<PodKey, Set<Ip>> attached = new TreeMap<>();
    for (String device : state.devicesOf(key)) {
      for (Attachment one : state.attachments().allAt(device)) {
        if (one.pod().equals(key)) {
          attached
              .computeIfAbsent(name(key, pod, one.uid()), _ -> new TreeSet<>())
              .addAll(one.addresses());
        }
      }
    }
    for (PortOnBridge port : state.alone().ports()) {
      if (port.pod().equals(Optional.of(key))) {
        attached
            .computeIfAbsent(name(key, pod, port.uid()), _ -> new TreeSet<>())
            .addAll(port.addresses());
      }
    }
    return attached;
  }

  /** The pod's own name when what is attached as it says its uid, or says none. */
  private static PodKey name(PodKey key, Optional<Pod> pod, String uid) {
    boolean known = uid.isEmpty() || pod.map(found -> found.isKnownAs(uid)).orElse(true);
    return known ? key : new PodKey(key.namespace(), key.name() + "@" + uid);
  }

  // What follows from it.

  /** What has changed in the tables. Nothing is enforced before the first full list. */
  PolicyDelta compile() {
    if (compiler == null || !state.synced()) {
      return PolicyDelta.NONE;
    }
    if (policies.byRef.isEmpty()) {
      return end();
    }
    PolicyDelta delta = compiler.compile();
    tablesDiffer |= delta.size() > 0;
    return delta;
  }

  /** No policy is left: pods that nobody knows are open too, since nothing can be said of them. */
  private PolicyDelta end() {
    PolicyTables was = tables();
    compiler = null;
    strangers.clear();
    lastTables = PolicyTables.EMPTY;
    return new PolicyDelta(
        Table.removals(was.pods()),
        Table.removals(was.ports()),
        Table.removals(was.peers()),
        Table.removals(was.verdicts()));
  }

  /** The tables after the last {@link #compile}. */
  PolicyTables tables() {
    if (compiler != null && tablesDiffer) {
      lastTables = compiler.tables();
      tablesDiffer = false;
    }
    return lastTables;
  }

  /** The tables as they are, to be asked at once; empty while nothing is enforced. */
  Optional<PolicyLookup> lookup() {
    PolicyCompiler told = compiler;
    return told == null || !state.synced() ? Optional.empty() : Optional.of(told.lookup());
  }

  /** The policies, by kind and name. */
  Collection<Policy> all() {
    return Collections.unmodifiableCollection(policies.byRef.values());
  }

  Optional<Policy> policy(ObjectRef ref) {
    return Optional.ofNullable(policies.byRef.get(ref));
  }

  /** What is wrong with policies beside each other, and with pods that they cannot be asked of. */
  List<Condition> findings() {
    List<Condition> found = new ArrayList<>();
    for (Set<ObjectRef> at : policies.places.values()) {
      if (at.size() > 1) {
        at.forEach(ref -> found.add(sharesItsPlace(ref, at)));
      }
    }
    if (compiler != null && state.synced()) {
      for (PodKey pod : compiler.unknown()) {
        if (state.pod(pod).map(Pod::finished).orElse(false)) {
          continue; // its containers have ended
        }
        found.add(
            new Condition(
                Reason.POLICY_POD_UNKNOWN,
                new ObjectRef("Pod", pod.toString()),
                "",
                "It is on this node, and the API shows no such pod that runs: nobody knows which"
                    + " policies are about it, and it is closed.",
                "Look at the agent's connection to the API server; a pod whose object is gone ends"
                    + " by itself."));
      }
    }
    return found;
  }

  private Condition sharesItsPlace(ObjectRef ref, Set<ObjectRef> at) {
    Policy policy = policies.byRef.get(ref);
    List<String> others =
        at.stream().filter(other -> !other.equals(ref)).map(ObjectRef::name).toList();
    return new Condition(
        Reason.POLICY_ORDER_UNDEFINED,
        ref,
        "spec.priority",
        "%d is also the priority of %s in its tier: which of them is asked first is not defined; Sund goes by name."
            .formatted(policy == null ? 0 : policy.priority(), String.join(", ", others)),
        "Give each policy of a tier a priority of its own.");
  }
}
