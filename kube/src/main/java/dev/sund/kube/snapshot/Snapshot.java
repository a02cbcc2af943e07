package dev.sund.kube.snapshot;

import dev.sund.engine.FabricSettings;
import dev.sund.engine.PoolsInForce;
import dev.sund.engine.cluster.ClusterEvent;
import dev.sund.engine.cluster.FabricLayer;
import dev.sund.engine.cluster.FabricLayer.MtuLimit;
import dev.sund.engine.cluster.FabricLayer.Scope;
import dev.sund.engine.cluster.IpPool;
import dev.sund.kube.api.ApiObjects;
import dev.sund.kube.api.ApiPath;
import dev.sund.kube.api.ApiRefusal;
import dev.sund.kube.manifest.FabricObject;
import dev.sund.kube.object.IpPoolObject;
import dev.sund.kube.object.Kinds;
import dev.sund.kube.tree.JsonText;
import dev.sund.kube.tree.Tree;
import dev.sund.model.ObjectRef;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * Collects a cluster's objects for {@code sund lab -f} and {@code sund trace -f}. Of each object
 * only the fields that Sund uses are kept. The environment of Calico's nodes, which Sund uses too,
 * is left out: what it amounts to is written as pools and as a Fabric.
 */
public final class Snapshot {
  private final ApiObjects api;
  private final List<Tree.Mapping> items = new ArrayList<>();
  private final List<ClusterEvent> events = new ArrayList<>();
  private final List<FabricLayer> environments = new ArrayList<>();
  private final Map<String, Integer> counts = new TreeMap<>();
  private final List<String> unread = new ArrayList<>();

  private Snapshot(ApiObjects api) {
    this.api = api;
  }

  /**
   * What was taken.
   *
   * @param json a {@code v1 List} of all objects, one a line
   * @param counts how many objects there are of each kind
   * @param unread what the server refused to show, a sentence each
   */
  public record Taken(String json, Map<String, Integer> counts, List<String> unread) {
    public Taken {
      counts = Map.copyOf(counts);
      unread = List.copyOf(unread);
    }
  }

  /**
   * Takes a snapshot. Lists come one after another: an object may have changed between two.
   *
   * @throws IOException when the server cannot be reached
   */
  public static Taken take(ApiObjects api) throws IOException {
    return new Snapshot(api).taken();
  }

  private Taken taken() throws IOException {
    for (Kinds kind : Kinds.values()) {
      Set<String> seen = new HashSet<>();
      for (String version : kind.apiVersions()) {
        for (String name : kind.names().isEmpty() ? Set.of("") : kind.names()) {
          list(kind, version, name, seen);
        }
      }
    }
    amounts();
    StringBuilder json =
        new StringBuilder("{\"apiVersion\":\"v1\",\"kind\":\"List\",\"items\":[\n");
    String between = "";
    for (Tree.Mapping item : items) {
      json.append(between);
      JsonText.write(item, json);
      between = ",\n";
    }
    return new Taken(json.append("\n]}\n").toString(), counts, unread);
  }

  private void list(Kinds kind, String version, String name, Set<String> seen) throws IOException {
    String path = ApiPath.of(version, kind.plural()).all();
    try {
      String query = name.isEmpty() ? "" : "?fieldSelector=metadata.name%3D" + name;
      for (Tree.Mapping object : api.list(path + query)) {
        Optional<ObjectRef> ref = kind.ref(object);
        if (ref.isPresent() && kind.reads(ref.get()) && seen.add(ref.get().name())) {
          take(kind, version, ref.get(), object);
        }
      }
    } catch (ApiRefusal e) {
      if (!e.isNotFound()) {
        unread.add(path + (name.isEmpty() ? "" : " " + name) + ": " + e.getMessage());
      }
    }
  }

  private void take(Kinds kind, String version, ObjectRef ref, Tree.Mapping object) {
    Optional<ClusterEvent> event = kind.parse(ref, object).value();
    event.ifPresent(events::add);
    if (kind == Kinds.DAEMON_SET) {
      if (event.isPresent() && event.get() instanceof ClusterEvent.LayerSeen(var layer)) {
        environments.add(layer);
      }
      return;
    }
    Map<String, Tree> whole = new LinkedHashMap<>();
    whole.put("apiVersion", Tree.Scalar.text(version));
    whole.put("kind", Tree.Scalar.text(kind.kind()));
    if (kind.shape().used(object) instanceof Tree.Mapping used) {
      whole.putAll(used.fields());
      used.mapping("metadata")
          .ifPresent(metadata -> whole.put("metadata", metadata.without("resourceVersion")));
    }
    if (ref.name().endsWith("/kube-proxy") && whole.get("data") instanceof Tree.Mapping data) {
      whole.put("data", data.without("kubeconfig.conf")); // its way to the API server is its own
    }
    items.add(Tree.Mapping.of(whole));
    counts.merge(kind.kind(), 1, Integer::sum);
  }

  /** What environments amount to, as objects of their own. */
  private void amounts() {
    PoolsInForce pools = new PoolsInForce();
    events.forEach(pools::take);
    for (FabricLayer layer : environments) {
      for (IpPool pool : layer.pools()) {
        if (pool.equals(pools.pools().get(pool.name()))) {
          items.add(IpPoolObject.tree(pool));
          counts.merge("IPPool", 1, Integer::sum);
        }
      }
      FabricSettings otherwise = FabricSettings.DEFAULT;
      Optional<MtuLimit> mtu = layer.mtu(Scope.VXLAN);
      if (layer.vni().isPresent()
          || layer.vxlanPort().isPresent()
          || mtu.isPresent()
          || !layer.nodeAddresses().isEmpty()) {
        FabricSettings settings =
            new FabricSettings(
                layer.vni().orElse(otherwise.vni()),
                layer.vxlanPort().orElse(otherwise.vxlanPort()),
                mtu.map(limit -> OptionalInt.of(smallest(limit))).orElse(OptionalInt.empty()));
        items.add(FabricObject.tree(settings.with(layer.nodeAddresses())));
        counts.merge("Fabric", 1, Integer::sum);
        return; // a cluster has one
      }
    }
  }

  /** A Fabric's MTU counts before the ConfigMap's, so it must not be the larger one. */
  private int smallest(MtuLimit limit) {
    return Stream.concat(
            Stream.of(limit.bytes()),
            events.stream()
                .filter(ClusterEvent.LayerSeen.class::isInstance)
                .map(event -> ((ClusterEvent.LayerSeen) event).layer())
                .flatMap(layer -> layer.mtu(Scope.PODS).stream())
                .map(MtuLimit::bytes))
        .min(Integer::compare)
        .orElse(limit.bytes());
  }
}
