package dev.sund.engine.policy;

import dev.sund.engine.cluster.Node;
import dev.sund.engine.cluster.Policy;
import dev.sund.model.Ip;
import dev.sund.model.LabelSelector;
import dev.sund.model.NodeName;
import dev.sund.model.PodKey;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Namespaces, pods and nodes, who has which address, and which atoms may fit whom. */
final class Roster {
  private final Map<String, KnownNamespace> namespaces = new HashMap<>();
  private final Map<LabelSelector, KnownNamespace.Group> groups = new HashMap<>();
  private final Map<Ip, KnownPod> holders = new HashMap<>();

  /** All who say an address that several say. */
  private final Map<Ip, List<KnownPod>> rivals = new HashMap<>();

  private final Map<NodeName, Node> nodes = new HashMap<>();
  private final Map<Ip, Map<NodeName, Node>> nodesAt = new HashMap<>();

  /** Atoms of nodes. */
  private final Set<Atom> ofNodes = new LinkedHashSet<>();

  KnownNamespace namespace(String name) {
    return namespaces.computeIfAbsent(
        name,
        _ -> {
          KnownNamespace fresh = new KnownNamespace(name);
          fresh.groups = groupsOf(fresh);
          return fresh;
        });
  }

  @Nullable Map<String, String> labelsOf(String namespace) {
    @Nullable KnownNamespace known = namespaces.get(namespace);
    return known == null ? null : known.labels;
  }

  Collection<KnownNamespace> namespaces() {
    return namespaces.values();
  }

  /** A namespace has other labels; true when other atoms may fit its pods. */
  boolean relabel(KnownNamespace namespace, @Nullable Map<String, String> labels) {
    namespace.labels = labels;
    Set<KnownNamespace.Group> now = groupsOf(namespace);
    boolean other = !now.equals(namespace.groups);
    namespace.groups = now;
    return other;
  }

  private Set<KnownNamespace.Group> groupsOf(KnownNamespace namespace) {
    Set<KnownNamespace.Group> found = new LinkedHashSet<>();
    for (KnownNamespace.Group group : groups.values()) {
      if (namespace.isSelectedBy(group.namespaces)) {
        found.add(group);
      }
    }
    return found;
  }

  /** Forgets a namespace of which nothing is known any more. */
  void tidy(String namespace) {
    namespaces.computeIfPresent(namespace, (_, known) -> known.isForgotten() ? null : known);
  }

  KnownPod pod(PodKey key) {
    return namespace(key.namespace()).pods.computeIfAbsent(key.name(), _ -> new KnownPod(key));
  }

  @Nullable KnownPod podIfKnown(PodKey key) {
    @Nullable KnownNamespace namespace = namespaces.get(key.namespace());
    return namespace == null ? null : namespace.pods.get(key.name());
  }

  /** Changes a pod, and who has its addresses; returns those that it had or has. */
  Set<Ip> change(KnownPod pod, Runnable change) {
    Set<Ip> before = pod.addresses();
    change.run();
    Set<Ip> now = pod.addresses();
    Set<Ip> touched = new LinkedHashSet<>(before);
    touched.addAll(now);
    for (Ip ip : touched) {
      settle(ip, pod, now.contains(ip));
    }
    if (pod.told == null && !pod.isHere()) {
      namespace(pod.key.namespace()).pods.remove(pod.key.name());
      tidy(pod.key.namespace());
    }
    return touched;
  }

  private void settle(Ip ip, KnownPod pod, boolean says) {
    @Nullable KnownPod holder = holders.get(ip);
    @Nullable List<KnownPod> all = rivals.get(ip);
    if (all == null) {
      if (holder == null || holder == pod) {
        if (says) {
          holders.put(ip, pod);
        } else {
          holders.remove(ip);
        }
        return;
      }
      all = new ArrayList<>(List.of(holder));
      rivals.put(ip, all);
    }
    all.remove(pod);
    if (says) {
      all.add(pod);
    }
    holders.put(ip, all.stream().min(precedence(ip)).orElseThrow());
    if (all.size() == 1) {
      rivals.remove(ip);
    }
  }

  /** Of pods that say one address the first has it: it is known to be here, or it is newer. */
  private static Comparator<KnownPod> precedence(Ip ip) {
    return Comparator.<KnownPod, Boolean>comparing(pod -> !pod.attached.contains(ip))
        .thenComparing(pod -> !pod.isUnknown())
        .thenComparingLong(pod -> pod.told == null ? 0 : -pod.told.created())
        .thenComparing(pod -> pod.key);
  }

  /** Who has an address. */
  @Nullable KnownPod holder(Ip ip) {
    return holders.get(ip);
  }

  /** All addresses that pods have. */
  Set<Ip> held() {
    return holders.keySet();
  }

  /** A node is now so, or gone; returns the addresses that it had or has. */
  Set<Ip> change(NodeName name, @Nullable Node node) {
    Set<Ip> touched = new LinkedHashSet<>();
    @Nullable Node was = node == null ? nodes.remove(name) : nodes.put(name, node);
    if (was != null) {
      for (Ip ip : was.peerAddresses()) {
        touched.add(ip);
        nodesAt.computeIfPresent(
            ip,
            (_, at) -> {
              at.remove(name);
              return at.isEmpty() ? null : at;
            });
      }
    }
    if (node != null) {
      for (Ip ip : node.peerAddresses()) {
        touched.add(ip);
        nodesAt.computeIfAbsent(ip, _ -> new TreeMap<>()).put(name, node);
      }
    }
    return touched;
  }

  Collection<Node> nodes() {
    return nodes.values();
  }

  /** The nodes that have an address: one, or a few that are at odds. */
  Collection<Node> nodesAt(Ip ip) {
    @Nullable Map<NodeName, Node> at = nodesAt.get(ip);
    return at == null ? List.of() : at.values();
  }

  Set<Atom> ofNodes() {
    return ofNodes;
  }

  /** From now on, or no longer, nodes are asked for an atom. */
  void indexOfNodes(Atom atom, boolean live) {
    if (live) {
      ofNodes.add(atom);
    } else {
      ofNodes.remove(atom);
    }
  }

  /** From now on, or no longer, pods are asked for an atom. */
  void indexOfPods(Atom atom, Policy.Pods pods, boolean live) {
    if (pods.namespace().isPresent()) {
      KnownNamespace namespace = namespace(pods.namespace().get());
      if (live) {
        namespace.atoms.add(atom);
      } else {
        namespace.atoms.remove(atom);
        tidy(namespace.name);
      }
      return;
    }
    KnownNamespace.@Nullable Group group = groups.get(pods.namespaces());
    if (group == null) {
      group = new KnownNamespace.Group(pods.namespaces());
      groups.put(pods.namespaces(), group);
      for (KnownNamespace namespace : namespaces.values()) {
        if (namespace.isSelectedBy(pods.namespaces())) {
          namespace.groups.add(group);
        }
      }
    }
    if (live) {
      group.atoms.add(atom);
    } else {
      group.atoms.remove(atom);
      if (group.atoms.isEmpty()) {
        groups.remove(pods.namespaces());
        for (KnownNamespace namespace : namespaces.values()) {
          namespace.groups.remove(group);
        }
      }
    }
  }
}
