package dev.sund.lab.scene;

import dev.sund.engine.cluster.ClusterEvent;
import dev.sund.engine.cluster.Pod;
import dev.sund.kube.object.Kinds;
import dev.sund.kube.tree.Tree;
import dev.sund.lab.scene.Scene.SceneNode;
import dev.sund.lab.scene.Scene.ScenePod;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.NodeName;
import dev.sund.model.ObjectRef;
import dev.sund.model.Prefix;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;

/** Makes pods that run of objects: what the scheduler and the address management would decide. */
public final class ScenePods {
  private static final Pattern TEMPLATE_HASH =
      Pattern.compile("(.+)-[bcdfghjklmnpqrstvwxz2456789]{5,10}");

  private ScenePods() {}

  /** The pod as it is when it runs with these addresses. */
  static ScenePod running(Pod pod, Tree.Mapping tree, List<Ip> ips) {
    return new ScenePod(pod.at(ips), group(pod, tree), tree.without("status"));
  }

  /** What an object is told of as; empty when it cannot be used as written. */
  public static Optional<Pod> parse(Tree.Mapping tree) {
    ObjectRef ref = Kinds.POD.ref(tree).orElseThrow();
    return Kinds.POD.parse(ref, tree).value().orElse(null) instanceof ClusterEvent.PodSeen(Pod pod)
        ? Optional.of(pod)
        : Optional.empty();
  }

  /**
   * A pod that has come to a cluster which stands; without addresses where the agents give them.
   *
   * @param tree the object, with a node of the scene
   * @throws IllegalArgumentException when it cannot be used as written, or its node's ranges have
   *     no free address
   */
  public static ScenePod come(Tree.Mapping tree, Scene scene) {
    Pod pod =
        parse(tree.without("status"))
            .orElseThrow(() -> new IllegalArgumentException("it cannot be used as written"));
    NodeName name =
        pod.node().orElseThrow(() -> new IllegalArgumentException("it is not scheduled"));
    SceneNode node =
        scene
            .node(name)
            .orElseThrow(() -> new IllegalArgumentException("the lab has no node " + name));
    if (pod.hostNetwork()) {
      return running(pod, tree, node.node().addresses());
    }
    Set<Ip> taken = new TreeSet<>();
    scene.pods().forEach(each -> taken.addAll(each.pod().ips()));
    List<Ip> stated = parse(tree).map(Pod::ips).orElse(List.of());
    if (scene.addressesFromPools()) {
      return running(pod, tree, stated);
    }
    List<Ip> ips = new ArrayList<>();
    for (Prefix range : node.node().podCidrs()) {
      Family family = range.family();
      ips.add(
          stated.stream()
              .filter(ip -> ip.family() == family && range.contains(ip) && !taken.contains(ip))
              .findFirst()
              .orElseGet(() -> free(range, taken)));
    }
    return running(pod, tree, ips);
  }

  private static Ip free(Prefix range, Set<Ip> taken) {
    Ranges ranges = new Ranges();
    taken.forEach(ranges::take);
    return ranges.address(range, 2);
  }

  /** The namespace and the name of whatever made the pod: one line of the matrix for all alike. */
  private static String group(Pod pod, Tree.Mapping tree) {
    String name = pod.key().name();
    for (Tree item : Trees.items(Trees.child(tree, "metadata"), "ownerReferences")) {
      if (item instanceof Tree.Mapping owner && owner.text("name").isPresent()) {
        name = owner.text("name").get();
        var hashed = TEMPLATE_HASH.matcher(name);
        if (owner.text("kind").equals(Optional.of("ReplicaSet")) && hashed.matches()) {
          name = hashed.group(1);
        }
        break;
      }
    }
    return pod.key().namespace() + "/" + name;
  }
}
