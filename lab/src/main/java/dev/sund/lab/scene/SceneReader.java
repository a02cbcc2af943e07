package dev.sund.lab.scene;

import dev.sund.engine.FabricSettings;
import dev.sund.engine.cluster.AddressMethod;
import dev.sund.engine.cluster.ClusterEvent;
import dev.sund.engine.cluster.FabricLayer;
import dev.sund.engine.cluster.IpPool;
import dev.sund.engine.cluster.Node;
import dev.sund.engine.cluster.Pod;
import dev.sund.engine.ipam.AddressSettings.Mode;
import dev.sund.kube.manifest.Finding;
import dev.sund.kube.manifest.ManifestObject;
import dev.sund.kube.manifest.Manifests;
import dev.sund.kube.object.Kinds;
import dev.sund.kube.tree.Tree;
import dev.sund.lab.scene.Scene.SceneNode;
import dev.sund.lab.scene.Scene.ScenePod;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.NodeName;
import dev.sund.model.ObjectRef;
import dev.sund.model.Prefix;
import dev.sund.model.Reason;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;

/**
 * Makes a {@link Scene} of manifests.
 *
 * <p>What the files state is kept: a node's InternalIPs and podCIDRs, a pod's nodeName and podIPs.
 * What they leave open is invented in the order of names, from ranges that the files do not use;
 * not what the agents give, where the files' {@code Fabric} says {@code ipam: pools}.
 */
public final class SceneReader {
  private static final Prefix PODS_V4 = Prefix.parse("10.244.0.0/16");
  private static final Prefix PODS_V6 = Prefix.parse("fd00:10:244::/48");
  private static final int NODES_WHEN_NONE = 3;
  private static final String CREATED = "2026-01-01T00:00:00Z";

  private final Manifests manifests;
  private final OptionalInt nodeCount;
  private final Ranges ranges = new Ranges();
  private final List<String> invented = new ArrayList<>();
  private final Map<String, Tree.Mapping> nodeTrees = new TreeMap<>();
  private final Map<String, Tree.Mapping> podTrees = new TreeMap<>();
  private final List<Tree.Mapping> others = new ArrayList<>();
  private final Map<Family, Prefix> poolRanges = new EnumMap<>(Family.class);
  private final List<SceneNode> nodes = new ArrayList<>();
  private final List<ScenePod> pods = new ArrayList<>();

  private SceneReader(Manifests manifests, OptionalInt nodeCount) {
    this.manifests = manifests;
    this.nodeCount = nodeCount;
  }

  /**
   * Makes the scene.
   *
   * @param manifests what the files say
   * @param nodeCount when given, the files' nodes are left out and the pods spread over this many
   *     generated ones; their nodes and addresses in the files then do not count
   * @throws IllegalArgumentException when there is no room for what is to be invented
   */
  public static Scene read(Manifests manifests, OptionalInt nodeCount) {
    return new SceneReader(manifests, nodeCount).read();
  }

  /**
   * The findings that the lab cannot mend by inventing what is missing, or by leaving it to the
   * agents to close what a policy does not make clear.
   */
  public static List<Finding> beyondRepair(Manifests manifests) {
    return manifests.findings().stream()
        .filter(Finding::isError)
        .filter(finding -> !isOfPolicy(finding))
        .filter(finding -> finding.condition().reason() != Reason.NODE_WITHOUT_ADDRESS)
        .filter(finding -> finding.condition().reason() != Reason.NODE_WITHOUT_POD_CIDR)
        .toList();
  }

  /** Whether a finding is about a policy, which is in force all the same. */
  public static boolean isOfPolicy(Finding finding) {
    Reason reason = finding.condition().reason();
    return reason == Reason.POLICY_NOT_UNDERSTOOD || reason == Reason.POLICY_NOT_ENFORCED;
  }

  private FabricSettings fabric() {
    return asTold(manifests.fabric().orElse(FabricSettings.DEFAULT));
  }

  private boolean fromPools() {
    return fabric().addresses().mode() == Mode.POOLS;
  }

  private Scene read() {
    sort();
    chooseNodes();
    takeWhatIsGiven();
    new NodeAddresses(ranges, invented).complete(nodeTrees);
    nodeTrees.forEach((name, tree) -> nodes.add(node(name, tree)));
    schedule();
    podTrees.forEach((key, tree) -> pod(key, tree).ifPresent(pods::add));
    pods.sort(Comparator.comparing(pod -> pod.pod().key()));
    return new Scene(
        nodes,
        pods,
        others,
        UnderlayPlan.of(nodes.stream().map(SceneNode::node).toList(), ranges),
        fabric(),
        invented);
  }

  /** Machines are made after the nodes' objects, so there is nothing to be found on them. */
  private static FabricSettings asTold(FabricSettings settings) {
    AddressMethod told = new AddressMethod.AsAnnotated();
    return settings.with(Map.of(Family.V4, told, Family.V6, told));
  }

  private void sort() {
    List<FabricLayer> layers = new ArrayList<>();
    for (ManifestObject object : manifests.objects()) {
      Tree.Mapping tree = identified(object);
      switch (object.kind()) {
        case NODE -> nodeTrees.put(object.ref().name(), tree);
        case POD -> podTrees.put(object.ref().name(), tree);
        case NAMESPACE,
            SERVICE,
            ENDPOINT_SLICE,
            NETWORK_POLICY,
            CLUSTER_NETWORK_POLICY,
            IP_RESERVATION,
            ADDRESS_BLOCK ->
            others.add(tree);
        case INSTALLATION, SERVICE_CIDR, CONFIG_MAP, DAEMON_SET -> {
          others.add(tree);
          if (object.event().orElse(null) instanceof ClusterEvent.LayerSeen(FabricLayer layer)) {
            layers.add(layer);
          }
        }
        case IP_POOL -> {
          others.add(tree);
          if (object.event().orElse(null) instanceof ClusterEvent.PoolSeen(IpPool pool)
              && !pool.disabled()) {
            poolRanges.putIfAbsent(pool.cidr().family(), pool.cidr());
          }
        }
      }
    }
    layers.stream()
        .sorted()
        .flatMap(layer -> layer.pools().stream())
        .filter(pool -> !pool.disabled())
        .forEach(pool -> poolRanges.putIfAbsent(pool.cidr().family(), pool.cidr()));
  }

  /** A uid and a time of creation are what the engine decides conflicts by: they must be there. */
  private static Tree.Mapping identified(ManifestObject object) {
    Tree.Mapping metadata = Trees.child(object.tree(), "metadata");
    if (metadata.text("uid").isEmpty()) {
      String uid =
          UUID.nameUUIDFromBytes(object.ref().toString().getBytes(StandardCharsets.UTF_8))
              .toString();
      metadata = metadata.with("uid", Tree.Scalar.text(uid));
    }
    if (metadata.text("creationTimestamp").isEmpty()) {
      metadata = metadata.with("creationTimestamp", Tree.Scalar.text(CREATED));
    }
    return object.tree().with("metadata", metadata);
  }

  private void chooseNodes() {
    Set<String> names = new LinkedHashSet<>();
    if (nodeCount.isPresent()) {
      nodeTrees.clear();
      podTrees.replaceAll((_, tree) -> unscheduled(tree));
      for (int i = 1; i <= nodeCount.getAsInt(); i++) {
        names.add("n" + i);
      }
    } else {
      podTrees.values().forEach(tree -> nodeName(tree).ifPresent(names::add));
      names.removeAll(nodeTrees.keySet());
      for (int i = 1; nodeTrees.isEmpty() && names.size() < NODES_WHEN_NONE; i++) {
        names.add("n" + i);
      }
    }
    if (!names.isEmpty()) {
      invented.add("nodes " + String.join(", ", names));
    }
    for (String name : names) {
      ObjectRef ref = new ObjectRef("Node", name);
      Tree.Mapping tree = Trees.mapping("apiVersion", "v1", "kind", "Node");
      tree = tree.with("metadata", Trees.mapping("name", name));
      nodeTrees.put(
          name, identified(new ManifestObject(Kinds.NODE, "v1", ref, tree, Optional.empty())));
    }
  }

  private static Tree.Mapping unscheduled(Tree.Mapping pod) {
    Tree.Mapping spec = Trees.child(pod, "spec").without("nodeName");
    Tree.Mapping status = Trees.child(pod, "status");
    return pod.with("spec", spec).with("status", status.without("podIP").without("podIPs"));
  }

  private static Optional<String> nodeName(Tree.Mapping pod) {
    return Trees.child(pod, "spec").text("nodeName").filter(name -> !name.isEmpty());
  }

  private void takeWhatIsGiven() {
    for (Tree.Mapping tree : nodeTrees.values()) {
      podCidrs(tree).forEach(ranges::take);
    }
    for (Tree.Mapping tree : podTrees.values()) {
      podIps(tree).forEach(ranges::take);
    }
  }

  private static List<Prefix> podCidrs(Tree.Mapping node) {
    Tree.Mapping spec = Trees.child(node, "spec");
    List<String> texts = new ArrayList<>(Trees.texts(spec, "podCIDRs"));
    if (texts.isEmpty()) {
      spec.text("podCIDR").ifPresent(texts::add);
    }
    return texts.stream().flatMap(text -> Prefix.tryParse(text).stream()).toList();
  }

  private static List<Ip> podIps(Tree.Mapping pod) {
    Tree.Mapping status = Trees.child(pod, "status");
    List<String> texts = new ArrayList<>(Trees.texts(status, "podIPs", "ip"));
    if (texts.isEmpty()) {
      status.text("podIP").ifPresent(texts::add);
    }
    return texts.stream().flatMap(text -> Ip.tryParse(text).stream()).toList();
  }

  private SceneNode node(String name, Tree.Mapping tree) {
    Tree.Mapping complete = tree;
    if (podCidrs(tree).isEmpty() && !fromPools()) {
      List<Prefix> cidrs = new ArrayList<>();
      for (Ip address : NodeAddresses.given(tree)) {
        Family family = address.family();
        Prefix base = poolRanges.getOrDefault(family, family == Family.V4 ? PODS_V4 : PODS_V6);
        int length = family == Family.V4 ? 24 : 64;
        cidrs.add(ranges.range(base, Math.max(length, base.length() + 2)));
      }
      invented.add("podCIDRs " + cidrs + " of node " + name);
      Tree.Mapping spec =
          Trees.child(tree, "spec")
              .with("podCIDR", Tree.Scalar.text(cidrs.getFirst().toString()))
              .with("podCIDRs", Trees.texts(cidrs));
      complete = tree.with("spec", spec);
    }
    ObjectRef ref = new ObjectRef("Node", name);
    if (Kinds.NODE.parse(ref, complete).value().orElse(null)
        instanceof ClusterEvent.NodeSeen(Node node)) {
      return new SceneNode(node, complete);
    }
    throw new IllegalArgumentException("node " + name + " cannot be used as written");
  }

  /** Pods without a node go to the nodes in turn. */
  private void schedule() {
    int next = 0;
    for (var pod : podTrees.entrySet()) {
      if (nodeName(pod.getValue()).isEmpty()) {
        String node = nodes.get(next++ % nodes.size()).name().text();
        Tree.Mapping spec =
            Trees.child(pod.getValue(), "spec").with("nodeName", Tree.Scalar.text(node));
        pod.setValue(pod.getValue().with("spec", spec));
      }
    }
  }

  private Optional<ScenePod> pod(String key, Tree.Mapping tree) {
    ObjectRef ref = new ObjectRef("Pod", key);
    Tree.Mapping unstarted = tree.without("status");
    boolean finished =
        Trees.child(tree, "status")
            .text("phase")
            .filter(phase -> phase.equals("Succeeded") || phase.equals("Failed"))
            .isPresent();
    if (finished) {
      others.add(tree);
      return Optional.empty();
    }
    if (!(Kinds.POD.parse(ref, unstarted).value().orElse(null)
        instanceof ClusterEvent.PodSeen(Pod pod))) {
      throw new IllegalArgumentException("pod " + key + " cannot be used as written");
    }
    NodeName nodeName = pod.node().orElseThrow();
    Node node =
        nodes.stream()
            .map(SceneNode::node)
            .filter(candidate -> candidate.name().equals(nodeName))
            .findFirst()
            .orElseThrow();
    List<Ip> ips = podIps(tree);
    if (pod.hostNetwork()) {
      ips = node.addresses();
    } else if (ips.isEmpty() && !fromPools()) {
      List<Ip> chosen = new ArrayList<>();
      node.podCidrs().forEach(range -> chosen.add(ranges.address(range, 2)));
      ips = chosen;
    }
    return Optional.of(ScenePods.running(pod, tree, ips));
  }
}
