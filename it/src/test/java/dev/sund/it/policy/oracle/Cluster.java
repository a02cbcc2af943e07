package dev.sund.it.policy.oracle;

import java.net.InetAddress;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** What there is in a cluster besides policies, as its objects say. */
final class Cluster {
  /**
   * A pod.
   *
   * @param ports what its containers declare, as the API has it
   */
  record Pod(
      String namespace,
      String name,
      String node,
      Map<String, String> labels,
      List<Map<String, Object>> ports) {}

  private final Map<String, Map<String, String>> namespaces = new HashMap<>();
  private final Map<String, Pod> pods = new HashMap<>();
  private final Map<String, Map<String, String>> nodes = new HashMap<>();
  private final Map<String, List<InetAddress>> nodeAddresses = new HashMap<>();

  void add(Map<String, Object> object) throws NotUnderstood {
    Map<String, Object> metadata = Json.map(object.get("metadata"));
    String name = Json.text(metadata.get("name"));
    switch (Json.text(object.get("kind"))) {
      case "Namespace" -> {
        Map<String, String> labels = labels(metadata);
        labels.put("kubernetes.io/metadata.name", name); // the API server sees to it
        namespaces.put(name, labels);
      }
      case "Node" -> {
        nodes.put(name, labels(metadata));
        List<InetAddress> addresses = new ArrayList<>();
        for (Object address : Json.list(Json.map(object.get("status")).get("addresses"))) {
          Map<String, Object> one = Json.map(address);
          if (Json.text(one.get("type")).endsWith("IP")) {
            addresses.add(InetAddress.ofLiteral(Json.text(one.get("address"))));
          }
        }
        // Sund's own: a node is its tunnels' addresses too.
        for (Object range : Json.list(Json.map(object.get("spec")).get("podCIDRs"))) {
          addresses.add(InetAddress.ofLiteral(Json.text(range).replaceFirst("/.*", "")));
        }
        if (Json.map(metadata.get("annotations")).get("sund.dev/tunnel-addresses")
            instanceof String tunnels) {
          for (String address : tunnels.split(",")) {
            addresses.add(InetAddress.ofLiteral(address));
          }
        }
        nodeAddresses.put(name, addresses);
      }
      case "Pod" -> pod(object, metadata, name);
      default -> {
        // says nothing of who there is
      }
    }
  }

  private void pod(Map<String, Object> object, Map<String, Object> metadata, String name)
      throws NotUnderstood {
    Map<String, Object> spec = Json.map(object.get("spec"));
    Object phase = Json.map(object.get("status")).get("phase");
    boolean finished = "Succeeded".equals(phase) || "Failed".equals(phase);
    if (finished || Boolean.TRUE.equals(spec.get("hostNetwork"))) {
      return; // its address is nobody's, or its node's: policies see no pod there (N26)
    }
    List<Map<String, Object>> ports = new ArrayList<>();
    for (Object container : Json.list(spec.get("containers"))) {
      addPorts(Json.map(container), ports);
    }
    for (Object container : Json.list(spec.get("initContainers"))) {
      if ("Always".equals(Json.map(container).get("restartPolicy"))) { // a sidecar
        addPorts(Json.map(container), ports);
      }
    }
    String namespace = Json.text(metadata.get("namespace"));
    String node = Json.text(spec.get("nodeName"));
    pods.put(namespace + "/" + name, new Pod(namespace, name, node, labels(metadata), ports));
  }

  private static void addPorts(Map<String, Object> container, List<Map<String, Object>> ports)
      throws NotUnderstood {
    for (Object port : Json.list(container.get("ports"))) {
      ports.add(Json.map(port));
    }
  }

  private static Map<String, String> labels(Map<String, Object> metadata) throws NotUnderstood {
    Map<String, String> labels = new HashMap<>();
    for (Map.Entry<String, Object> label : Json.map(metadata.get("labels")).entrySet()) {
      labels.put(label.getKey(), Json.text(label.getValue()));
    }
    return labels;
  }

  Optional<Pod> pod(End end) {
    return end.isPod() ? Optional.ofNullable(pods.get(end.pod())) : Optional.empty();
  }

  Map<String, String> labelsOfNamespace(String name) {
    return namespaces.getOrDefault(name, Map.of());
  }

  /** Whether it is an address of a node that the selector selects. */
  boolean isAddressOfNode(Object selector, InetAddress address) throws NotUnderstood {
    Selectors.matches(selector, Map.of()); // it must be understood even where there are no nodes
    boolean is = false;
    for (Map.Entry<String, Map<String, String>> node : nodes.entrySet()) {
      is |=
          Selectors.matches(selector, node.getValue())
              && nodeAddresses.getOrDefault(node.getKey(), List.of()).contains(address);
    }
    return is;
  }

  /**
   * Whether the pod at this end gives the port that is asked this name.
   *
   * @param protocol in which; empty for any
   * @param asked the protocol that is asked
   */
  boolean hasPort(End destination, String name, String protocol, String asked, int number) {
    Optional<Pod> pod = pod(destination);
    if (pod.isEmpty() || !(protocol.isEmpty() || protocol.equals(asked))) {
      return false;
    }
    for (Map<String, Object> port : pod.get().ports()) {
      boolean same = asked.equals(port.getOrDefault("protocol", "TCP"));
      if (same && name.equals(port.get("name")) && port.get("containerPort").equals(number)) {
        return true;
      }
    }
    return false;
  }

  static final Set<String> PROTOCOLS = Set.of("TCP", "UDP", "SCTP");
}
