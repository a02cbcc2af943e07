package dev.sund.lab.services;

import dev.sund.engine.cluster.ClusterEvent;
import dev.sund.engine.cluster.Service;
import dev.sund.engine.trace.Underlay.Via;
import dev.sund.kube.object.Kinds;
import dev.sund.kube.tree.Tree;
import dev.sund.lab.api.LabApi;
import dev.sund.lab.api.Resource;
import dev.sund.lab.scene.Scene;
import dev.sund.lab.scene.Scene.SceneNode;
import dev.sund.lab.scene.Trees;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.Prefix;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Plays the parts of a cluster that Services need, over the API server's objects. What is right
 * already is not touched. On the lab's thread.
 */
public final class ServicePlayer {
  private final LabApi api;

  /** Over this API server. */
  public ServicePlayer(LabApi api) {
    this.api = api;
  }

  /** Completes Services and makes their slices. */
  public void play(Scene scene) {
    List<Tree.Mapping> services = api.list(Resource.SERVICES);
    if (services.isEmpty() && api.list(Resource.ENDPOINT_SLICES).isEmpty()) {
      return;
    }
    List<Family> families =
        scene.nodes().getFirst().node().addresses().stream().map(Ip::family).distinct().toList();
    List<Prefix> cidrs =
        api.list(Resource.SERVICE_CIDRS).stream()
            .flatMap(tree -> Trees.texts(Trees.child(tree, "spec"), "cidrs").stream())
            .flatMap(text -> Prefix.tryParse(text).stream())
            .toList();
    List<Tree.Mapping> complete = ServiceAnswers.complete(services, cidrs, families);
    for (int i = 0; i < complete.size(); i++) {
      if (!complete.get(i).equals(services.get(i))) {
        api.put(complete.get(i));
      }
    }
    slices(complete);
  }

  private void slices(List<Tree.Mapping> services) {
    Map<String, Tree.Mapping> there = new LinkedHashMap<>();
    Set<String> byOthers = new HashSet<>();
    for (Tree.Mapping slice : api.list(Resource.ENDPOINT_SLICES)) {
      Tree.Mapping labels = Trees.child(Trees.child(slice, "metadata"), "labels");
      if (labels.text(EndpointSlices.MANAGED_BY).orElse("").equals(EndpointSlices.CONTROLLER)) {
        there.put(name(slice), slice);
      } else {
        byOthers.add(namespace(slice) + "/" + labels.text(EndpointSlices.SERVICE).orElse(""));
      }
    }
    List<Tree.Mapping> pods = api.list(Resource.PODS);
    List<Tree.Mapping> nodes = api.list(Resource.NODES);
    Set<String> wanted = new HashSet<>();
    for (Tree.Mapping service : services) {
      if (byOthers.contains(name(service))) {
        continue; // the files say who answers
      }
      for (Tree.Mapping slice : EndpointSlices.of(service, pods, nodes)) {
        wanted.add(name(slice));
        Tree.Mapping before = there.get(name(slice));
        if (before == null || !sameContent(before, slice)) {
          api.put(slice);
        }
      }
    }
    there.keySet().stream()
        .filter(name -> !wanted.contains(name))
        .forEach(name -> api.delete(Resource.ENDPOINT_SLICES, name));
  }

  private static boolean sameContent(Tree.Mapping one, Tree.Mapping two) {
    return List.of("addressType", "ports", "endpoints").stream()
        .allMatch(key -> one.get(key).equals(two.get(key)));
  }

  /** All Services that can be used as written. */
  public List<Service> services() {
    List<Service> all = new ArrayList<>();
    for (Tree.Mapping tree : api.list(Resource.SERVICES)) {
      Kinds.SERVICE
          .ref(tree)
          .flatMap(ref -> Kinds.SERVICE.parse(ref, tree).value())
          .ifPresent(event -> {
            if (event instanceof ClusterEvent.ServiceSeen(Service service)) {
              all.add(service);
            }
          });
    }
    return all;
  }

  /**
   * How people outside find addresses that no machine carries: by way of a node, for a Service of
   * policy Local one that has an endpoint of it.
   */
  public List<Via> ways(Scene scene) {
    List<Via> ways = new ArrayList<>();
    for (Service service : services()) {
      List<Ip> addresses = new ArrayList<>(service.externalIps());
      service.loadBalancerIps().forEach(balanced -> addresses.add(balanced.address()));
      for (Ip address : addresses) {
        boolean carried = scene.underlay().hosts().stream().anyMatch(host -> host.carries(address));
        if (!carried) {
          node(scene, service, address.family())
              .map(node -> new Via(Prefix.host(address), node))
              .filter(via -> !ways.contains(via))
              .ifPresent(ways::add);
        }
      }
    }
    return ways;
  }

  private Optional<Ip> node(Scene scene, Service service, Family family) {
    Set<String> having = new HashSet<>();
    if (service.externalLocal()) {
      for (Tree.Mapping slice : api.list(Resource.ENDPOINT_SLICES)) {
        Tree.Mapping labels = Trees.child(Trees.child(slice, "metadata"), "labels");
        if (service.key().name().equals(labels.text(EndpointSlices.SERVICE).orElse(""))
            && namespace(slice).equals(service.key().namespace())) {
          having.addAll(Trees.texts(slice, "endpoints", "nodeName"));
        }
      }
    }
    List<SceneNode> nodes =
        scene.nodes().stream()
            .filter(node -> having.isEmpty() || having.contains(node.name().text()))
            .toList();
    return (nodes.isEmpty() ? scene.nodes() : nodes)
        .getFirst().node().addresses().stream().filter(ip -> ip.family() == family).findFirst();
  }

  private static String namespace(Tree.Mapping object) {
    return Trees.child(object, "metadata").text("namespace").orElse("default");
  }

  private static String name(Tree.Mapping object) {
    return namespace(object) + "/" + Trees.child(object, "metadata").text("name").orElse("");
  }
}
