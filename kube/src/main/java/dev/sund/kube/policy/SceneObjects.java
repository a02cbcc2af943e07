package dev.sund.kube.policy;

import dev.sund.engine.cluster.ClusterEvent;
import dev.sund.engine.cluster.Namespace;
import dev.sund.engine.cluster.Node;
import dev.sund.engine.cluster.Pod;
import dev.sund.engine.cluster.Policy;
import dev.sund.engine.policy.PolicyPod;
import dev.sund.engine.policy.audit.PolicyScene;
import dev.sund.engine.policy.audit.ScenePod;
import dev.sund.kube.api.ApiObjects;
import dev.sund.kube.api.ApiRefusal;
import dev.sund.kube.manifest.ObjectTaker;
import dev.sund.kube.object.ClusterNetworkPolicyParser;
import dev.sund.kube.object.Kinds;
import dev.sund.kube.object.NetworkPolicyParser;
import dev.sund.kube.object.Parsed;
import dev.sund.kube.object.Problem;
import dev.sund.kube.tree.Tree;
import dev.sund.model.Condition;
import dev.sund.model.ObjectRef;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Objects that policies ask about, by kind and name: of files as they are read, or as an API server
 * has them. Of two of one name the later is taken.
 */
public final class SceneObjects implements ObjectTaker {
  private static final String SERVICE = "Service";
  private static final Map<String, String> PLAIN =
      Map.of(
          "Namespace",
          "v1",
          "Node",
          "v1",
          "Pod",
          "v1",
          SERVICE,
          "v1",
          Policy.NETWORK_POLICY,
          NetworkPolicyParser.API_VERSION,
          Policy.CLUSTER_NETWORK_POLICY,
          ClusterNetworkPolicyParser.API_VERSION);
  private static final Map<String, String> WORKLOADS =
      Map.of(
          "Deployment", "apps/v1",
          "StatefulSet", "apps/v1",
          "DaemonSet", "apps/v1",
          "ReplicaSet", "apps/v1",
          "ReplicationController", "v1",
          "Job", "batch/v1",
          "CronJob", "batch/v1");
  private static final Map<String, String> PATHS =
      Map.of(
          "Namespace",
          "/api/v1/namespaces",
          "Node",
          "/api/v1/nodes",
          "Pod",
          "/api/v1/pods",
          SERVICE,
          "/api/v1/services",
          Policy.NETWORK_POLICY,
          "/apis/networking.k8s.io/v1/networkpolicies",
          Policy.CLUSTER_NETWORK_POLICY,
          "/apis/policy.networking.k8s.io/v1alpha2/clusternetworkpolicies");
  private static final Set<String> OF_CLUSTER =
      Set.of("Namespace", "Node", Policy.CLUSTER_NETWORK_POLICY);

  private final Map<ObjectRef, Stated> objects = new LinkedHashMap<>();
  private final Map<String, Place> places = new HashMap<>();

  private record Stated(String file, Tree.Mapping tree) {}

  /**
   * Where something stands.
   *
   * @param line from 1
   */
  public record Place(String file, int line) {}

  @Override
  public boolean take(String file, Tree.Mapping object) {
    String kind = object.text("kind").orElse("");
    String version = object.text("apiVersion").orElse("");
    if (!version.equals(PLAIN.get(kind)) && !version.equals(WORKLOADS.get(kind))) {
      return false;
    }
    Optional<ObjectRef> ref = ref(kind, object);
    ref.ifPresent(named -> {
      objects.put(named, new Stated(file, object));
      if (object.line() > 0) {
        places.put(named.toString(), new Place(file, object.line()));
      }
    });
    return ref.isPresent();
  }

  private static Optional<ObjectRef> ref(String kind, Tree.Mapping object) {
    Optional<Tree.Mapping> metadata = object.mapping("metadata");
    Optional<String> name =
        metadata.flatMap(meta -> meta.text("name")).filter(text -> !text.isEmpty());
    String namespace =
        metadata
            .flatMap(meta -> meta.text("namespace"))
            .filter(text -> !text.isEmpty())
            .orElse("default");
    return name.filter(text -> text.indexOf('/') < 0 && namespace.indexOf('/') < 0)
        .map(
            text -> new ObjectRef(kind, OF_CLUSTER.contains(kind) ? text : namespace + "/" + text));
  }

  /**
   * Takes all that an API server has. A kind that it does not know it has none of.
   *
   * @throws IOException when it cannot be asked, or does not allow it
   */
  public void takeAll(ApiObjects api) throws IOException {
    for (Map.Entry<String, String> path : PATHS.entrySet()) {
      String kind = path.getKey();
      for (Tree.Mapping item : list(api, path.getValue())) {
        Tree.Mapping whole =
            item.with("kind", Tree.Scalar.text(kind))
                .with("apiVersion", Tree.Scalar.text(PLAIN.getOrDefault(kind, "")));
        take("", whole);
      }
    }
  }

  private static List<Tree.Mapping> list(ApiObjects api, String path) throws IOException {
    try {
      return api.list(path);
    } catch (ApiRefusal e) {
      if (e.isNotFound()) {
        return List.of();
      }
      throw e;
    }
  }

  /** Whether there is nothing. */
  public boolean isEmpty() {
    return objects.isEmpty();
  }

  /** The names of all objects. */
  public Set<ObjectRef> names() {
    return Set.copyOf(objects.keySet());
  }

  /** These with those of another one in place of or beside them. */
  public SceneObjects with(SceneObjects change) {
    SceneObjects both = new SceneObjects();
    both.objects.putAll(objects);
    both.objects.putAll(change.objects);
    both.places.putAll(places);
    both.places.putAll(change.places);
    return both;
  }

  /** These without objects of some names. */
  public SceneObjects without(Set<ObjectRef> gone) {
    SceneObjects rest = new SceneObjects();
    rest.objects.putAll(objects);
    rest.objects.keySet().removeAll(gone);
    rest.places.putAll(places);
    return rest;
  }

  /**
   * The labels by which a Service selects pods; none when it selects by none, empty when there is
   * no such Service.
   *
   * @param name {@code NAMESPACE/NAME}
   */
  public Optional<Map<String, String>> selector(String name) {
    return Optional.ofNullable(objects.get(new ObjectRef(SERVICE, name)))
        .map(stated -> {
          Map<String, String> labels = new LinkedHashMap<>();
          stated
              .tree
              .mapping("spec")
              .flatMap(spec -> spec.mapping("selector"))
              .ifPresent(selector ->
                  selector
                      .fields()
                      .keySet()
                      .forEach(
                          key -> selector.text(key).ifPresent(value -> labels.put(key, value))));
          return labels;
        });
  }

  /** Where an object stands in files, or a field of it by {@code KIND NAME FIELD}. */
  public Optional<Place> place(String name) {
    return Optional.ofNullable(places.get(name));
  }

  /** The scene of all of them. */
  public PolicyScene scene() {
    List<Policy> policies = new ArrayList<>();
    List<Namespace> namespaces = new ArrayList<>();
    List<Node> nodes = new ArrayList<>();
    List<ScenePod> pods = new ArrayList<>();
    List<Condition> conditions = new ArrayList<>();
    objects.forEach((ref, stated) -> {
      switch (ref.kind()) {
        case Policy.NETWORK_POLICY ->
            policy(ref, stated, NetworkPolicyParser.parse(ref, stated.tree), conditions)
                .ifPresent(policies::add);
        case Policy.CLUSTER_NETWORK_POLICY ->
            policy(ref, stated, ClusterNetworkPolicyParser.parse(ref, stated.tree), conditions)
                .ifPresent(policies::add);
        case "Namespace" -> {
          if (event(ref, Kinds.NAMESPACE, stated.tree).orElse(null)
              instanceof ClusterEvent.NamespaceSeen seen) {
            namespaces.add(seen.namespace());
          }
        }
        case "Node" -> {
          if (event(ref, Kinds.NODE, stated.tree).orElse(null)
              instanceof ClusterEvent.NodeSeen seen) {
            nodes.add(seen.node());
          }
        }
        case "Pod" -> pod(ref, stated.tree, maker(ref, stated.tree)).ifPresent(pods::add);
        default -> {} // workloads come after all pods
      }
    });
    Set<ObjectRef> running = new HashSet<>();
    pods.forEach(pod -> running.add(pod.workload()));
    objects.forEach((ref, stated) -> {
      if (WORKLOADS.containsKey(ref.kind()) && !running.contains(ref) && wants(stated.tree)) {
        template(stated.tree)
            .flatMap(template -> pod(new ObjectRef("Pod", ref.name()), template, ref))
            .ifPresent(pods::add);
      }
    });
    return PolicyScene.of(policies, namespaces, nodes, pods, conditions);
  }

  private Optional<Policy> policy(
      ObjectRef ref, Stated stated, Parsed<Policy> parsed, List<Condition> conditions) {
    for (Problem problem : parsed.problems()) {
      conditions.add(problem.condition());
      if (problem.line() > 0) {
        places.put(ref + " " + problem.condition().field(), new Place(stated.file, problem.line()));
      }
    }
    return parsed.value();
  }

  private static Optional<ClusterEvent> event(ObjectRef ref, Kinds kind, Tree.Mapping tree) {
    return kind.parse(ref, tree).value();
  }

  private static Optional<ScenePod> pod(ObjectRef ref, Tree.Mapping tree, ObjectRef maker) {
    if (event(ref, Kinds.POD, tree).orElse(null) instanceof ClusterEvent.PodSeen(Pod pod)) {
      return Optional.of(new ScenePod(PolicyPod.of(pod), maker));
    }
    return Optional.empty();
  }

  /** What a pod is of: its owner, and of a ReplicaSet of a Deployment that. */
  private static ObjectRef maker(ObjectRef pod, Tree.Mapping tree) {
    Optional<Tree.Mapping> metadata = tree.mapping("metadata");
    if (metadata.flatMap(meta -> meta.get("ownerReferences")).orElse(null)
        instanceof Tree.Sequence owners) {
      for (Tree owner : owners.items()) {
        if (owner instanceof Tree.Mapping one
            && one.text("kind").isPresent()
            && one.text("name").isPresent()
            && !one.text("kind").get().equals("Node")) {
          String namespace = pod.name().substring(0, pod.name().indexOf('/') + 1);
          String name = one.text("name").get();
          String hash =
              metadata
                  .flatMap(meta -> meta.mapping("labels"))
                  .flatMap(labels -> labels.text("pod-template-hash"))
                  .map(text -> "-" + text)
                  .orElse("");
          return one.text("kind").get().equals("ReplicaSet")
                  && !hash.isEmpty()
                  && name.endsWith(hash)
              ? new ObjectRef(
                  "Deployment", namespace + name.substring(0, name.length() - hash.length()))
              : new ObjectRef(one.text("kind").get(), namespace + name);
        }
      }
    }
    return pod;
  }

  /** Whether a workload is to have pods, and is nobody else's. */
  private static boolean wants(Tree.Mapping workload) {
    boolean owned =
        workload.mapping("metadata").flatMap(meta -> meta.get("ownerReferences")).isPresent();
    boolean none =
        workload.mapping("spec").flatMap(spec -> spec.text("replicas")).equals(Optional.of("0"));
    boolean done =
        workload.mapping("status").flatMap(status -> status.get("completionTime")).isPresent();
    return !owned && !none && !done;
  }

  /** The pod that a workload would make. */
  private static Optional<Tree.Mapping> template(Tree.Mapping workload) {
    Optional<Tree.Mapping> spec = workload.mapping("spec");
    Optional<Tree.Mapping> template =
        spec.flatMap(of -> of.mapping("jobTemplate"))
            .flatMap(job -> job.mapping("spec"))
            .or(() -> spec)
            .flatMap(of -> of.mapping("template"));
    return template.map(of -> {
      Map<String, Tree> metadata = new LinkedHashMap<>();
      workload
          .mapping("metadata")
          .ifPresent(own -> {
            own.get("name").ifPresent(name -> metadata.put("name", name));
            own.get("namespace").ifPresent(namespace -> metadata.put("namespace", namespace));
          });
      of.mapping("metadata")
          .flatMap(meta -> meta.get("labels"))
          .ifPresent(labels -> metadata.put("labels", labels));
      Map<String, Tree> pod = new LinkedHashMap<>();
      pod.put("apiVersion", Tree.Scalar.text("v1"));
      pod.put("kind", Tree.Scalar.text("Pod"));
      pod.put("metadata", Tree.Mapping.of(metadata));
      of.get("spec").ifPresent(own -> pod.put("spec", own));
      return Tree.Mapping.of(pod);
    });
  }
}
