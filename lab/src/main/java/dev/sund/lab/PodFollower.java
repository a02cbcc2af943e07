package dev.sund.lab;

import dev.sund.engine.cluster.Pod;
import dev.sund.kernel.NetNs;
import dev.sund.kube.tree.Tree;
import dev.sund.lab.api.LabApi;
import dev.sund.lab.api.Resource;
import dev.sund.lab.scene.Scene;
import dev.sund.lab.scene.Scene.SceneNode;
import dev.sund.lab.scene.Scene.ScenePod;
import dev.sund.lab.scene.ScenePods;
import dev.sund.lab.topology.Topology;
import dev.sund.model.NodeName;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * Makes the pods that stand those that the API server has: what scheduler and kubelets do in a
 * cluster. A pod without a node goes to the node with the fewest. A pod that cannot be started is
 * tried again whenever this is called; its object stays without a status.
 *
 * <p>On the lab's thread.
 */
final class PodFollower {
  private final LabApi api;
  private final Topology topology;
  private final Function<NodeName, Kubelet> kubelets;
  private final Map<String, String> refusals = new LinkedHashMap<>();

  PodFollower(LabApi api, Topology topology, Function<NodeName, Kubelet> kubelets) {
    this.api = api;
    this.topology = topology;
    this.kubelets = kubelets;
  }

  /**
   * Ends pods that are gone, starts new ones.
   *
   * @param dead nodes that are switched off: their pods stay as they are
   * @param say told a line for each pod that was started, ended, or cannot be started
   * @return the scene with the pods that stand now
   */
  Scene follow(Scene scene, Set<NodeName> dead, Consumer<String> say)
      throws IOException, InterruptedException {
    Map<String, Tree.Mapping> wanted = new LinkedHashMap<>();
    for (Tree.Mapping tree : api.list(Resource.PODS)) {
      ScenePods.parse(tree)
          .filter(pod -> !pod.finished())
          .ifPresent(pod -> wanted.put(pod.key().toString(), tree));
    }
    refusals.keySet().retainAll(wanted.keySet());
    Scene now = scene;
    for (ScenePod pod : scene.pods()) {
      Tree.Mapping tree = wanted.get(pod.pod().key().toString());
      boolean same =
          tree != null
              && ScenePods.parse(tree)
                  .filter(wants -> wants.uid().equals(pod.pod().uid()))
                  .isPresent();
      if (same || dead.contains(pod.node())) {
        continue;
      }
      stop(pod);
      now = without(now, pod);
      say.accept("pod " + pod.pod().key() + " is gone");
    }
    for (var entry : wanted.entrySet()) {
      now = keep(entry.getKey(), entry.getValue(), now, dead, say);
    }
    return now;
  }

  private Scene keep(
      String key, Tree.Mapping tree, Scene scene, Set<NodeName> dead, Consumer<String> say)
      throws IOException, InterruptedException {
    for (ScenePod standing : scene.pods()) {
      if (standing.pod().key().toString().equals(key)) {
        return changed(standing, tree, scene);
      }
    }
    try {
      ScenePod pod = ScenePods.come(scheduled(key, tree, scene, dead), scene);
      if (dead.contains(pod.node())) {
        throw new IllegalArgumentException("node " + pod.node() + " is switched off");
      }
      ScenePod running = start(pod);
      refusals.remove(key);
      say.accept("pod " + key + " runs on " + pod.node() + " with " + running.pod().ips());
      return with(scene, running);
    } catch (IOException | IllegalArgumentException e) {
      String why = String.valueOf(e.getMessage());
      if (!why.equals(refusals.put(key, why))) {
        say.accept("pod " + key + " cannot be started: " + why);
      }
      return scene;
    }
  }

  /** What of a pod can change while it runs: here, the ports that it is known by. */
  private static Scene changed(ScenePod standing, Tree.Mapping tree, Scene scene) {
    Pod now = ScenePods.parse(tree).orElseThrow();
    if (now.ports().equals(standing.pod().ports())) {
      return scene;
    }
    ScenePod come = ScenePods.come(tree, without(scene, standing));
    return with(without(scene, standing), come.with(standing.pod().ips()));
  }

  private Tree.Mapping scheduled(String key, Tree.Mapping tree, Scene scene, Set<NodeName> dead) {
    Tree.Mapping spec = tree.mapping("spec").orElse(Tree.Mapping.of(Map.of()));
    if (!spec.text("nodeName").orElse("").isEmpty()) {
      return tree;
    }
    NodeName node =
        scene.nodes().stream()
            .map(SceneNode::name)
            .filter(name -> !dead.contains(name))
            .min(
                Comparator.comparingLong(
                    name -> scene.pods().stream().filter(pod -> pod.node().equals(name)).count()))
            .orElseThrow(() -> new IllegalArgumentException("every node is switched off"));
    Tree.Mapping bound = spec.with("nodeName", Tree.Scalar.text(node.text()));
    return api.update(Resource.PODS, key, object -> object.with("spec", bound)).orElse(tree);
  }

  /** Gives a pod its network; the pod as it runs. When that fails, nothing of it stays. */
  ScenePod start(ScenePod pod) throws IOException, InterruptedException {
    Kubelet kubelet = kubelets.apply(pod.node());
    if (pod.pod().hostNetwork()) {
      return kubelet.start(pod, topology.machine(pod.node().text()));
    }
    NetNs namespace = topology.createPod(pod.pod().key());
    boolean started = false;
    try {
      ScenePod running = kubelet.start(pod, namespace);
      started = true;
      return running;
    } finally {
      if (!started) {
        topology.removePod(pod.pod().key());
      }
    }
  }

  private void stop(ScenePod pod) throws IOException, InterruptedException {
    var namespace = topology.pod(pod.pod().key());
    if (namespace.isPresent()) {
      kubelets.apply(pod.node()).stop(pod, namespace.get());
      topology.removePod(pod.pod().key());
    }
  }

  private static Scene with(Scene scene, ScenePod pod) {
    List<ScenePod> pods = new ArrayList<>(scene.pods());
    pods.add(pod);
    pods.sort(Comparator.comparing(each -> each.pod().key()));
    return scene.withPods(pods);
  }

  private static Scene without(Scene scene, ScenePod pod) {
    return scene.withPods(scene.pods().stream().filter(each -> !each.equals(pod)).toList());
  }
}
