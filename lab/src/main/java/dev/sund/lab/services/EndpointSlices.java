package dev.sund.lab.services;

import dev.sund.kube.tree.Tree;
import dev.sund.lab.scene.Trees;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/**
 * The slices that the cluster's controller makes of a Service and the pods that it selects: one for
 * each family and each way in which the names of ports resolve.
 */
public final class EndpointSlices {
  /** The label of slices by which it is known who makes them. */
  static final String MANAGED_BY = "endpointslice.kubernetes.io/managed-by";

  /** Its value for those that a cluster's own controller makes. */
  static final String CONTROLLER = "endpointslice-controller.k8s.io";

  /** The label that names a slice's Service. */
  static final String SERVICE = "kubernetes.io/service-name";

  private static final String ZONE = "topology.kubernetes.io/zone";

  private EndpointSlices() {}

  /**
   * The slices.
   *
   * @param service with its addresses
   * @param pods of all namespaces, with their status
   * @param nodes for their zones
   * @return none when it selects nothing by itself
   */
  public static List<Tree.Mapping> of(
      Tree.Mapping service, List<Tree.Mapping> pods, List<Tree.Mapping> nodes) {
    Tree.Mapping metadata = Trees.child(service, "metadata");
    Tree.Mapping spec = Trees.child(service, "spec");
    Tree.Mapping selector = Trees.child(spec, "selector");
    if (selector.fields().isEmpty()) {
      return List.of();
    }
    String namespace = metadata.text("namespace").orElse("default");
    List<Tree.Mapping> chosen =
        pods.stream()
            .filter(pod ->
                Trees.child(pod, "metadata").text("namespace").orElse("default").equals(namespace))
            .filter(pod -> selects(selector, Trees.child(Trees.child(pod, "metadata"), "labels")))
            .filter(pod -> Trees.child(pod, "status").text("phase").orElse("").equals("Running"))
            .toList();
    Map<String, String> zones = new LinkedHashMap<>();
    for (Tree.Mapping node : nodes) {
      Tree.Mapping of = Trees.child(node, "metadata");
      Trees.child(of, "labels")
          .text(ZONE)
          .ifPresent(zone -> zones.put(of.text("name").orElse(""), zone));
    }
    String name = metadata.text("name").orElse("");
    List<Tree.Mapping> slices = new ArrayList<>();
    for (Ip ip : ServiceAnswers.clusterIps(spec)) {
      Map<Tree.Sequence, List<Tree>> groups = new LinkedHashMap<>();
      for (Tree.Mapping pod : chosen) {
        address(pod, ip.family())
            .ifPresent(address ->
                groups
                    .computeIfAbsent(ports(spec, pod), _ -> new ArrayList<>())
                    .add(endpoint(pod, namespace, address, zones)));
      }
      int number = 0;
      for (var group : groups.entrySet()) {
        String slice = "%s-%s-%d".formatted(name, ip.family().label(), number++);
        slices.add(slice(namespace, name, slice, ip.family(), group.getKey(), group.getValue()));
      }
    }
    return slices;
  }

  private static boolean selects(Tree.Mapping selector, Tree.Mapping labels) {
    return selector.fields().keySet().stream()
        .allMatch(key -> selector.text(key).equals(labels.text(key)));
  }

  private static Optional<Ip> address(Tree.Mapping pod, Family family) {
    return Trees.texts(Trees.child(pod, "status"), "podIPs", "ip").stream()
        .flatMap(text -> Ip.tryParse(text).stream())
        .filter(ip -> ip.family() == family)
        .findFirst();
  }

  /** The Service's ports as they are at a pod; what the pod does not name is left out. */
  private static Tree.Sequence ports(Tree.Mapping spec, Tree.Mapping pod) {
    List<Tree> ports = new ArrayList<>();
    for (Tree item : Trees.items(spec, "ports")) {
      if (!(item instanceof Tree.Mapping port)) {
        continue;
      }
      String protocol = port.text("protocol").orElse("TCP");
      String target = port.text("targetPort").or(() -> port.text("port")).orElse("");
      Optional<String> number =
          target.matches("[0-9]+") ? Optional.of(target) : named(pod, target, protocol);
      number.ifPresent(found ->
          ports.add(
              Trees.mapping("name", port.text("name").orElse(""), "protocol", protocol)
                  .with("port", Tree.Scalar.plain(Integer.parseInt(found)))));
    }
    return Tree.Sequence.of(ports);
  }

  private static Optional<String> named(Tree.Mapping pod, String name, String protocol) {
    for (Tree container : Trees.items(Trees.child(pod, "spec"), "containers")) {
      if (container instanceof Tree.Mapping mapping) {
        for (Tree item : Trees.items(mapping, "ports")) {
          if (item instanceof Tree.Mapping port
              && port.text("name").orElse("").equals(name)
              && port.text("protocol").orElse("TCP").equals(protocol)) {
            return port.text("containerPort");
          }
        }
      }
    }
    return Optional.empty();
  }

  private static Tree endpoint(
      Tree.Mapping pod, String namespace, Ip address, Map<String, String> zones) {
    Tree.Mapping metadata = Trees.child(pod, "metadata");
    boolean leaving = metadata.get("deletionTimestamp").isPresent();
    boolean ready = isReady(pod);
    Map<String, Tree> conditions = new LinkedHashMap<>();
    conditions.put("ready", Tree.Scalar.plain(ready && !leaving));
    conditions.put("serving", Tree.Scalar.plain(ready));
    conditions.put("terminating", Tree.Scalar.plain(leaving));
    String node = Trees.child(pod, "spec").text("nodeName").orElse("");
    Tree.Mapping endpoint =
        Tree.Mapping.of(
            Map.of(
                "addresses",
                Trees.texts(List.of(address)),
                "conditions",
                Tree.Mapping.of(conditions),
                "nodeName",
                Tree.Scalar.text(node),
                "targetRef",
                Trees.mapping(
                    "kind",
                    "Pod",
                    "namespace",
                    namespace,
                    "name",
                    metadata.text("name").orElse(""))));
    String zone = zones.get(node);
    return zone == null ? endpoint : endpoint.with("zone", Tree.Scalar.text(zone));
  }

  private static boolean isReady(Tree.Mapping pod) {
    for (Tree item : Trees.items(Trees.child(pod, "status"), "conditions")) {
      if (item instanceof Tree.Mapping condition
          && condition.text("type").orElse("").equals("Ready")) {
        return condition.text("status").orElse("").toLowerCase(Locale.ROOT).equals("true");
      }
    }
    return true; // a lab's kubelet probes nothing
  }

  private static Tree.Mapping slice(
      String namespace,
      String service,
      String name,
      Family family,
      Tree.Sequence ports,
      List<Tree> endpoints) {
    String uid =
        UUID.nameUUIDFromBytes((namespace + "/" + name).getBytes(StandardCharsets.UTF_8))
            .toString();
    Tree.Mapping metadata =
        Trees.mapping("namespace", namespace, "name", name, "uid", uid)
            .with("labels", Trees.mapping(SERVICE, service, MANAGED_BY, CONTROLLER));
    return Trees.mapping("apiVersion", "discovery.k8s.io/v1", "kind", "EndpointSlice")
        .with("metadata", metadata)
        .with("addressType", Tree.Scalar.text(family == Family.V4 ? "IPv4" : "IPv6"))
        .with("ports", ports)
        .with("endpoints", Tree.Sequence.of(endpoints));
  }
}
