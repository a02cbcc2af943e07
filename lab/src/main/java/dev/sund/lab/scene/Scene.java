package dev.sund.lab.scene;

import dev.sund.engine.FabricSettings;
import dev.sund.engine.cluster.Node;
import dev.sund.engine.cluster.Pod;
import dev.sund.engine.ipam.AddressSettings.Mode;
import dev.sund.engine.trace.Underlay;
import dev.sund.kube.tree.Tree;
import dev.sund.model.Ip;
import dev.sund.model.NodeName;
import java.util.List;
import java.util.Optional;

/**
 * A cluster to be built.
 *
 * @param nodes sorted by name; at least one
 * @param pods those that run: scheduled, not finished; sorted by namespace and name
 * @param objects all other objects for the API server, as they are
 * @param underlay the network between the nodes, with a router, a host outside and the host of the
 *     API server
 * @param fabric what is set for the fabric as a whole
 * @param invented what the files left open, one line each
 */
public record Scene(
    List<SceneNode> nodes,
    List<ScenePod> pods,
    List<Tree.Mapping> objects,
    Underlay underlay,
    FabricSettings fabric,
    List<String> invented) {
  /** The router between the subnets. */
  public static final String ROUTER = "router";

  /** The host outside of the cluster. */
  public static final String OUTSIDE = "outside";

  /** The host of the API server. */
  public static final String API = "api";

  public Scene {
    nodes = List.copyOf(nodes);
    pods = List.copyOf(pods);
    objects = List.copyOf(objects);
    invented = List.copyOf(invented);
  }

  /**
   * A node.
   *
   * @param node as the engine knows it
   * @param tree the whole object, complete
   */
  public record SceneNode(Node node, Tree.Mapping tree) {
    /** Its name. */
    public NodeName name() {
      return node.name();
    }
  }

  /**
   * A pod.
   *
   * @param pod as the engine knows it once it runs: with node and addresses; before that without,
   *     where the agents give addresses of pools
   * @param group its namespace and its owner's name, or its own
   * @param tree the object before the kubelet has seen it: without status
   */
  public record ScenePod(Pod pod, String group, Tree.Mapping tree) {
    /** The node that it runs on. */
    public NodeName node() {
      return pod.node().orElseThrow();
    }

    /** The same with these addresses. */
    public ScenePod with(List<Ip> addresses) {
      return new ScenePod(pod.at(addresses), group, tree);
    }
  }

  /** Whether the agents give pods their addresses, from pools, and not the scene. */
  public boolean addressesFromPools() {
    return fabric.addresses().mode() == Mode.POOLS;
  }

  /** The same with other pods, sorted by namespace and name. */
  public Scene withPods(List<ScenePod> others) {
    return new Scene(nodes, others, objects, underlay, fabric, invented);
  }

  /** A machine of the underlay. */
  public Underlay.Host host(String name) {
    return underlay.hosts().stream()
        .filter(host -> host.name().equals(name))
        .findFirst()
        .orElseThrow(() -> new IllegalArgumentException("the underlay has no host " + name));
  }

  /** The addresses of a machine of the underlay, by its links. */
  public List<Ip> addresses(String host) {
    return host(host).links().stream()
        .flatMap(link -> link.addresses().stream())
        .map(address -> address.ip())
        .toList();
  }

  /** The node of this name. */
  public Optional<SceneNode> node(NodeName name) {
    return nodes.stream().filter(node -> node.name().equals(name)).findFirst();
  }
}
