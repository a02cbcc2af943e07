package dev.sund.doctor.cluster;

import dev.sund.kube.api.ApiObjects;
import dev.sund.kube.api.ApiRefusal;
import dev.sund.kube.manifest.ObjectTaker;
import dev.sund.kube.policy.SceneObjects;
import dev.sund.kube.tree.Tree;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A cluster's objects, by kind and name; of two of one name the later is taken. One thread. */
public final class ClusterObjects implements ObjectTaker {
  /** The kinds that checks ask about, in the order in which a server is asked for them. */
  enum Kind {
    NAMESPACE("Namespace", "namespaces", "v1"),
    NODE("Node", "nodes", "v1"),
    SERVICE("Service", "services", "v1"),
    SLICE("EndpointSlice", "endpointslices", "discovery.k8s.io/v1"),
    /** After the slices: a pod that was made between the two is too young to be missed in them. */
    POD("Pod", "pods", "v1"),
    POLICY("NetworkPolicy", "networkpolicies", "networking.k8s.io/v1"),
    CLUSTER_POLICY(
        "ClusterNetworkPolicy", "clusternetworkpolicies", "policy.networking.k8s.io/v1alpha2"),
    SERVICE_RANGE(
        "ServiceCIDR", "servicecidrs", "networking.k8s.io/v1", "networking.k8s.io/v1beta1"),
    CALICO_POOL("IPPool", "ippools", "crd.projectcalico.org/v1", "projectcalico.org/v3"),
    METALLB_POOL("IPAddressPool", "ipaddresspools", "metallb.io/v1beta1"),
    METALLB_L2("L2Advertisement", "l2advertisements", "metallb.io/v1beta1"),
    METALLB_BGP("BGPAdvertisement", "bgpadvertisements", "metallb.io/v1beta1"),
    CILIUM_POOL(
        "CiliumLoadBalancerIPPool",
        "ciliumloadbalancerippools",
        "cilium.io/v2",
        "cilium.io/v2alpha1");

    private final String kind;
    private final String plural;
    private final List<String> versions;

    Kind(String kind, String plural, String... versions) {
      this.kind = kind;
      this.plural = plural;
      this.versions = List.of(versions);
    }

    String plural() {
      return plural;
    }

    private static Optional<Kind> of(String kind, String version) {
      for (Kind one : values()) {
        if (one.kind.equals(kind) && one.versions.contains(version)) {
          return Optional.of(one);
        }
      }
      return Optional.empty();
    }
  }

  private final Map<Kind, Map<String, Tree.Mapping>> objects = new EnumMap<>(Kind.class);
  private final Map<Kind, String> refused = new EnumMap<>(Kind.class);
  private final SceneObjects scene = new SceneObjects();

  @Override
  public boolean take(String file, Tree.Mapping object) {
    boolean ofScene = scene.take(file, object);
    Optional<Kind> kind =
        Kind.of(object.text("kind").orElse(""), object.text("apiVersion").orElse(""));
    kind.ifPresent(
        one -> objects.computeIfAbsent(one, _ -> new LinkedHashMap<>()).put(name(object), object));
    return ofScene || kind.isPresent();
  }

  /**
   * Takes all that an API server shows, by lists alone. A kind that the server does not know it has
   * none of; one that it refuses is remembered.
   *
   * @throws IOException when it cannot be asked, or does not know who asks
   */
  public void takeAll(ApiObjects api) throws IOException {
    for (Kind kind : Kind.values()) {
      for (String version : kind.versions) {
        String path = (version.contains("/") ? "/apis/" : "/api/") + version + "/" + kind.plural;
        try {
          List<Tree.Mapping> items = api.list(path);
          for (Tree.Mapping item : items) {
            take(
                "",
                item.with("kind", Tree.Scalar.text(kind.kind))
                    .with("apiVersion", Tree.Scalar.text(version)));
          }
          if (!items.isEmpty()) {
            break;
          }
        } catch (ApiRefusal e) {
          if (e.isForbidden()) {
            refused.put(kind, String.valueOf(e.getMessage()));
          } else if (!e.isNotFound()) {
            throw e;
          }
        }
      }
    }
  }

  /** Whether there is nothing that checks ask about. */
  public boolean isEmpty() {
    return objects.isEmpty();
  }

  Collection<Tree.Mapping> all(Kind kind) {
    return objects.getOrDefault(kind, Map.of()).values();
  }

  /** The kinds that were not shown, each with what the server says of it. */
  Map<Kind, String> refused() {
    return refused;
  }

  SceneObjects scene() {
    return scene;
  }

  /** {@code NAMESPACE/NAME}, or a name alone where there is no namespace. */
  static String name(Tree.Mapping object) {
    Optional<Tree.Mapping> metadata = object.mapping("metadata");
    String name = metadata.flatMap(meta -> meta.text("name")).orElse("");
    return metadata.flatMap(meta -> meta.text("namespace")).map(in -> in + "/" + name).orElse(name);
  }

  /** The namespace of a {@code NAMESPACE/NAME}; empty when it has none. */
  static String namespace(String name) {
    return name.substring(0, Math.max(0, name.indexOf('/')));
  }

  /** What is at a path of keys; empty when something on the way is missing. */
  static Optional<Tree> at(Tree.Mapping from, String... keys) {
    Tree here = from;
    for (String key : keys) {
      Optional<Tree> next = here instanceof Tree.Mapping map ? map.get(key) : Optional.empty();
      if (next.isEmpty()) {
        return next;
      }
      here = next.get();
    }
    return Optional.of(here);
  }

  /** The text at a path of keys; empty when there is none. */
  static String text(Tree.Mapping from, String... keys) {
    return at(from, keys).map(ClusterObjects::scalar).orElse("");
  }

  /** The items of the list at a path of keys. */
  static List<Tree.Mapping> items(Tree.Mapping from, String... keys) {
    List<Tree.Mapping> found = new ArrayList<>();
    if (at(from, keys).orElse(null) instanceof Tree.Sequence list) {
      for (Tree item : list.items()) {
        if (item instanceof Tree.Mapping one) {
          found.add(one);
        }
      }
    }
    return found;
  }

  /** The texts of the list at a path of keys. */
  static List<String> texts(Tree.Mapping from, String... keys) {
    List<String> found = new ArrayList<>();
    if (at(from, keys).orElse(null) instanceof Tree.Sequence list) {
      list.items().forEach(item -> found.add(scalar(item)));
    }
    found.removeIf(String::isEmpty);
    return found;
  }

  /** Keys with texts at a path of keys. */
  static Map<String, String> pairs(Tree.Mapping from, String... keys) {
    Map<String, String> found = new LinkedHashMap<>();
    if (at(from, keys).orElse(null) instanceof Tree.Mapping map) {
      map.fields().forEach((key, value) -> found.put(key, scalar(value)));
    }
    return found;
  }

  private static String scalar(Tree tree) {
    return tree instanceof Tree.Scalar one && one.kind() != Tree.Kind.NULL ? one.text() : "";
  }
}
