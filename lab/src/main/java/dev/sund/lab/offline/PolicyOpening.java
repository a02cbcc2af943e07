package dev.sund.lab.offline;

import dev.sund.engine.cluster.ClusterEvent;
import dev.sund.engine.cluster.Pod;
import dev.sund.engine.cluster.Policy;
import dev.sund.engine.policy.WorkloadLabels;
import dev.sund.engine.trace.Trace;
import dev.sund.engine.trace.Trace.Blocked;
import dev.sund.kube.manifest.ManifestFiles;
import dev.sund.model.Ip;
import dev.sund.model.LabelSelector.Requirement;
import dev.sund.model.ObjectRef;
import dev.sund.model.Prefix;
import dev.sund.model.Protocol;
import dev.sund.model.RuleId.Direction;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * The smallest change that lets a packet through which policies stop: policies to add, none of
 * which closes anything. A NetworkPolicy where pods are isolated; where a ClusterNetworkPolicy
 * denies, one that accepts, asked just before it. What is found has been tried: the packet is
 * traced again with the change applied.
 */
public final class PolicyOpening {
  /** Both ends may be closed, each by a policy of the cluster and by one of its namespace. */
  private static final int MOST = 4;

  private final Map<Ip, Pod> pods = new HashMap<>();
  private final Map<ObjectRef, Policy> policies;

  private PolicyOpening(OfflineCluster cluster) {
    cluster.pods().values().stream()
        .filter(pod -> !pod.hostNetwork())
        .forEach(pod -> pod.ips().forEach(ip -> pods.put(ip, pod)));
    policies = cluster.policies();
  }

  /**
   * The change for a packet that policies stop.
   *
   * @param trace of the packet, in this cluster
   * @return YAML to apply; empty when no policy stops the packet, or none can let it through
   */
  public static Optional<String> of(OfflineCluster cluster, Trace trace) {
    List<String> documents = new ArrayList<>();
    OfflineCluster changed = cluster;
    Optional<Blocked> blocked = trace.blocked();
    while (blocked.isPresent()) {
      Optional<String> next = new PolicyOpening(changed).document(blocked.get());
      if (next.isEmpty() || documents.size() == MOST || documents.contains(next.get())) {
        return Optional.empty();
      }
      documents.add(next.get());
      changed = changed.with(events(next.get()));
      List<Integer> slots = trace.choices().stream().map(Trace.Choice::slot).toList();
      blocked = changed.trace(trace.packet(), slots).blocked();
    }
    return documents.isEmpty() ? Optional.empty() : Optional.of(String.join("---\n", documents));
  }

  private static List<ClusterEvent> events(String yaml) {
    byte[] text = yaml.getBytes(StandardCharsets.UTF_8);
    return ManifestFiles.read(List.of(ManifestFiles.STANDARD_INPUT), new ByteArrayInputStream(text))
        .events();
  }

  private Optional<String> document(Blocked blocked) {
    Pod pod = pods.get(blocked.pod());
    Policy policy = policies.get(blocked.rule().object());
    if (pod == null || policy == null) {
      return Optional.empty();
    }
    return switch (policy.tier()) {
      case NAMESPACE -> Optional.of(networkPolicy(blocked, pod, policy));
      case ADMIN, BASELINE -> clusterPolicy(blocked, pod, policy);
    };
  }

  private static boolean isIngress(Blocked blocked) {
    return blocked.direction() == Direction.INGRESS;
  }

  private String name(Blocked blocked, Pod pod) {
    String other =
        Optional.ofNullable(pods.get(blocked.peer()))
            .map(PolicyOpening::workload)
            .orElse(blocked.peer().toString().replace(':', '-').replace('.', '-'));
    String port = blocked.port() == 0 ? "" : "-" + blocked.port();
    String name =
        isIngress(blocked)
            ? "allow-" + other + "-to-" + workload(pod) + port
            : "allow-" + workload(pod) + "-out-to-" + other + port;
    name = name.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9-]+", "-").replaceAll("-+", "-");
    name = name.length() > 63 ? name.substring(0, 63) : name;
    return name.replaceAll("-+$", "");
  }

  private static String workload(Pod pod) {
    for (String key : List.of("app.kubernetes.io/name", "app", "k8s-app", "name")) {
      String value = pod.labels().get(key);
      if (value != null && !value.isEmpty()) {
        return value;
      }
    }
    return pod.key().name();
  }

  /** The pods that it selects are isolated already: it closes nothing. */
  private String networkPolicy(Blocked blocked, Pod pod, Policy isolating) {
    boolean in = isIngress(blocked);
    StringBuilder yaml = new StringBuilder();
    yaml.append("apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata:\n  name: ")
        .append(name(blocked, pod))
        .append("\n  namespace: ")
        .append(pod.key().namespace())
        .append("\nspec:\n");
    selector(yaml, "  ", "podSelector", labels(pod), others(isolating, pod));
    yaml.append("  policyTypes:\n  - ").append(in ? "Ingress" : "Egress").append('\n');
    yaml.append(in ? "  ingress:\n  - from:\n" : "  egress:\n  - to:\n");
    Pod peer = pods.get(blocked.peer());
    if (peer == null || labels(peer).isEmpty()) {
      yaml.append("    - ipBlock:\n        cidr: ")
          .append(Prefix.host(blocked.peer()))
          .append('\n');
    } else {
      StringBuilder one = new StringBuilder();
      if (!peer.key().namespace().equals(pod.key().namespace())) {
        selector(one, "      ", "namespaceSelector", named(peer), List.of());
      }
      selector(one, "      ", "podSelector", labels(peer), List.of());
      yaml.append("    - ").append(one.substring(6));
    }
    if (blocked.port() != 0) {
      yaml.append("    ports:\n    - protocol: ")
          .append(blocked.protocol().label().toUpperCase(Locale.ROOT))
          .append("\n      port: ")
          .append(blocked.port())
          .append('\n');
    }
    return yaml.toString();
  }

  /** What the isolating policy asks of its pods beyond the labels that are asked for anyway. */
  private static List<Requirement> others(Policy isolating, Pod pod) {
    return isolating.subject().pods().requirements().stream()
        .filter(one -> !labels(pod).containsKey(one.key()))
        .toList();
  }

  private Optional<String> clusterPolicy(Blocked blocked, Pod pod, Policy denying) {
    Pod peer = pods.get(blocked.peer());
    boolean in = isIngress(blocked);
    int priority = freeBefore(denying);
    if (priority < 0 || (in && peer == null)) {
      return Optional.empty();
    }
    StringBuilder yaml = new StringBuilder();
    yaml.append("apiVersion: policy.networking.k8s.io/v1alpha2\n")
        .append("kind: ClusterNetworkPolicy\nmetadata:\n  name: ")
        .append(name(blocked, pod))
        .append("\nspec:\n  tier: ")
        .append(denying.tier() == Policy.Tier.ADMIN ? "Admin" : "Baseline")
        .append("\n  priority: ")
        .append(priority)
        .append("\n  subject:\n    pods:\n");
    selector(yaml, "      ", "namespaceSelector", named(pod), List.of());
    selector(yaml, "      ", "podSelector", labels(pod), List.of());
    yaml.append(in ? "  ingress:\n" : "  egress:\n")
        .append("  - action: Accept\n")
        .append(in ? "    from:\n" : "    to:\n");
    if (peer == null) {
      yaml.append("    - networks:\n      - ").append(Prefix.host(blocked.peer())).append('\n');
    } else {
      yaml.append("    - pods:\n");
      selector(yaml, "        ", "namespaceSelector", named(peer), List.of());
      selector(yaml, "        ", "podSelector", labels(peer), List.of());
    }
    if (blocked.port() != 0 && blocked.protocol() != Protocol.ICMP) {
      yaml.append("    protocols:\n    - ")
          .append(blocked.protocol().label())
          .append(":\n        destinationPort:\n          number: ")
          .append(blocked.port())
          .append('\n');
    }
    return Optional.of(yaml.toString());
  }

  /** The last priority before this policy's that no other of its tier has; -1 when none is. */
  private int freeBefore(Policy policy) {
    for (int priority = policy.priority() - 1; priority >= 0; priority--) {
      int wanted = priority;
      if (policies.values().stream()
          .noneMatch(one -> one.tier() == policy.tier() && one.priority() == wanted)) {
        return priority;
      }
    }
    return -1;
  }

  private static Map<String, String> labels(Pod pod) {
    return WorkloadLabels.of(pod.labels());
  }

  private static Map<String, String> named(Pod pod) {
    return Map.of("kubernetes.io/metadata.name", pod.key().namespace());
  }

  private static void selector(
      StringBuilder yaml,
      String indent,
      String field,
      Map<String, String> labels,
      List<Requirement> expressions) {
    if (labels.isEmpty() && expressions.isEmpty()) {
      yaml.append(indent).append(field).append(": {}\n");
      return;
    }
    yaml.append(indent).append(field).append(":\n");
    if (!labels.isEmpty()) {
      yaml.append(indent).append("  matchLabels:\n");
      labels.forEach((key, value) ->
          yaml.append(indent)
              .append("    ")
              .append(key)
              .append(": ")
              .append(quoted(value))
              .append('\n'));
    }
    if (!expressions.isEmpty()) {
      yaml.append(indent).append("  matchExpressions:\n");
      for (Requirement one : expressions) {
        yaml.append(indent)
            .append("  - {key: ")
            .append(one.key())
            .append(", operator: ")
            .append(one.operator().text());
        if (!one.values().isEmpty()) {
          yaml.append(", values: [")
              .append(String.join(", ", one.values().stream().map(PolicyOpening::quoted).toList()))
              .append(']');
        }
        yaml.append("}\n");
      }
    }
  }

  /** Values such as {@code true} or {@code 12} are text here. */
  private static String quoted(String value) {
    return value.matches("[A-Za-z][A-Za-z0-9_.-]*")
            && !value.matches("(?i)true|false|yes|no|on|off|null|y|n")
        ? value
        : '"' + value + '"';
  }
}
