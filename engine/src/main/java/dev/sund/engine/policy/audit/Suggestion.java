package dev.sund.engine.policy.audit;

import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.ObjectRef;
import dev.sund.model.Prefix;
import dev.sund.model.Protocol;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * The least that a namespace's pods need by what was seen: a default deny for both directions, and
 * for each workload the peers and ports of its connections.
 *
 * @param namespace whose pods it is about
 * @param yaml the policies, ready to be reviewed
 * @param remarks what was not seen or cannot be written, a line each
 */
public record Suggestion(String namespace, String yaml, List<String> remarks) {
  /** Labels that differ between the pods of one workload, or with each version of it. */
  private static final Set<String> PASSING =
      Set.of(
          "pod-template-hash",
          "pod-template-generation",
          "controller-revision-hash",
          "statefulset.kubernetes.io/pod-name",
          "apps.kubernetes.io/pod-index",
          "controller-uid",
          "batch.kubernetes.io/controller-uid",
          "batch.kubernetes.io/job-name",
          "job-name");

  public Suggestion {
    remarks = List.copyOf(remarks);
  }

  /**
   * Suggests policies.
   *
   * @param connections that were seen, of other namespaces too
   * @throws IllegalArgumentException when the namespace has no pods that policies can be about
   */
  public static Suggestion of(
      PolicyScene scene, String namespace, List<SeenConnection> connections) {
    return new Writing(scene, namespace).suggest(connections);
  }

  /** A peer as YAML, and the ports that were seen with it. */
  private static final class Needs {
    final SortedMap<String, SortedSet<String>> ingress = new TreeMap<>();
    final SortedMap<String, SortedSet<String>> egress = new TreeMap<>();
  }

  private static final class Writing {
    private final PolicyScene scene;
    private final String namespace;
    private final SortedMap<ObjectRef, List<ScenePod>> workloads = new TreeMap<>();
    private final SortedMap<ObjectRef, Needs> needs = new TreeMap<>();
    private final SortedSet<String> remarks = new TreeSet<>();

    Writing(PolicyScene scene, String namespace) {
      this.scene = scene;
      this.namespace = namespace;
      for (ScenePod pod : scene.pods()) {
        if (pod.pod().counts()) {
          workloads.computeIfAbsent(pod.workload(), _ -> new ArrayList<>()).add(pod);
        }
      }
      workloads.forEach((workload, pods) -> {
        if (isOwn(pods)) {
          needs.put(workload, new Needs());
        }
      });
      if (needs.isEmpty()) {
        throw new IllegalArgumentException(
            "namespace " + namespace + " has no pods that policies can be about");
      }
    }

    private boolean isOwn(List<ScenePod> pods) {
      return pods.getFirst().namespace().equals(namespace);
    }

    Suggestion suggest(List<SeenConnection> connections) {
      connections.forEach(this::take);
      StringBuilder yaml = new StringBuilder(deny());
      needs.forEach((workload, need) -> {
        if (need.ingress.isEmpty() && need.egress.isEmpty()) {
          remarks.add(workload + ": no connection of it was seen, and everything would be closed");
        } else {
          yaml.append("---\n").append(policy(workload, need));
        }
      });
      return new Suggestion(namespace, yaml.toString(), List.copyOf(remarks));
    }

    private void take(SeenConnection seen) {
      Optional<ObjectRef> from = workload(seen.from());
      Optional<ObjectRef> to = workload(seen.to());
      @Nullable Needs asking = from.map(needs::get).orElse(null);
      @Nullable Needs asked = to.map(needs::get).orElse(null);
      if (asking == null && asked == null) {
        return;
      }
      if (seen.protocol() == Protocol.ICMP) {
        remarks.add(seen + ": a NetworkPolicy has no word for ICMP alone; it would be closed");
        return;
      }
      String port =
          "- {protocol: %s, port: %d}"
              .formatted(seen.protocol().label().toUpperCase(Locale.ROOT), seen.port());
      if (asking != null) {
        peer(seen, seen.to(), to)
            .ifPresent(peer -> asking.egress.computeIfAbsent(peer, _ -> new TreeSet<>()).add(port));
      }
      if (asked != null) {
        peer(seen, seen.from(), from)
            .ifPresent(peer -> asked.ingress.computeIfAbsent(peer, _ -> new TreeSet<>()).add(port));
      }
    }

    private Optional<ObjectRef> workload(String name) {
      Optional<Ip> address = Ip.tryParse(name);
      return scene.pods().stream()
          .filter(pod -> pod.pod().counts())
          .filter(pod ->
              address.isPresent()
                  ? pod.pod().addresses().contains(address.get())
                  : pod.pod().key().toString().equals(name)
                      || pod.workload().toString().equals(name))
          .map(ScenePod::workload)
          .findFirst();
    }

    private Optional<String> peer(SeenConnection seen, String name, Optional<ObjectRef> workload) {
      if (workload.isEmpty()) {
        Optional<Ip> address = Ip.tryParse(name);
        if (address.isEmpty()) {
          remarks.add(seen + ": nobody is known as " + name + ", and nothing is written for it");
        }
        return address.map(ip -> "- ipBlock: {cidr: " + text(Prefix.host(ip)) + "}\n");
      }
      List<ScenePod> pods = workloads.getOrDefault(workload.get(), List.of());
      String labels = "  podSelector: " + selector(workload.get(), pods) + "\n";
      return Optional.of(
          isOwn(pods)
              ? "- " + labels.strip() + "\n"
              : "- namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: "
                  + pods.getFirst().namespace()
                  + "}}\n"
                  + labels);
    }

    private static String text(Prefix range) {
      return range.family() == Family.V6 ? "\"" + range + "\"" : range.toString();
    }

    /** The labels that all pods of a workload have, and will have in its next version. */
    private String selector(ObjectRef workload, List<ScenePod> pods) {
      Map<String, String> common =
          new LinkedHashMap<>(new TreeMap<>(pods.getFirst().pod().labels()));
      common.keySet().removeAll(PASSING);
      pods.forEach(pod -> common.entrySet().retainAll(pod.pod().labels().entrySet()));
      String own = pods.getFirst().namespace();
      boolean others =
          scene.pods().stream()
              .anyMatch(pod ->
                  pod.pod().counts()
                      && pod.namespace().equals(own)
                      && !pod.workload().equals(workload)
                      && pod.pod().labels().entrySet().containsAll(common.entrySet()));
      if (others) {
        remarks.add(workload + ": its labels " + common + " select other pods of " + own + " too");
      }
      List<String> terms = new ArrayList<>();
      common.forEach((key, value) -> terms.add("\"" + key + "\": \"" + value + "\""));
      return common.isEmpty() ? "{}" : "{matchLabels: {" + String.join(", ", terms) + "}}";
    }

    private String deny() {
      return """
      apiVersion: networking.k8s.io/v1
      kind: NetworkPolicy
      metadata:
        name: default-deny
        namespace: %s
      spec:
        podSelector: {}
        policyTypes: [Ingress, Egress]
      """
          .formatted(namespace);
    }

    private String policy(ObjectRef workload, Needs need) {
      StringBuilder yaml = new StringBuilder();
      String name = workload.name().substring(workload.name().indexOf('/') + 1);
      boolean plain = workload.kind().equals("Deployment") || workload.kind().equals("Pod");
      yaml.append("# ").append(workload).append('\n');
      yaml.append("apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata:\n  name: ");
      yaml.append(name)
          .append(plain ? "" : "-" + workload.kind().toLowerCase(Locale.ROOT))
          .append("-seen\n  namespace: ")
          .append(namespace)
          .append("\nspec:\n  podSelector: ")
          .append(selector(workload, workloads.getOrDefault(workload, List.of())))
          .append("\n  policyTypes: [Ingress, Egress]\n");
      rules(yaml, "ingress", "from", need.ingress);
      rules(yaml, "egress", "to", need.egress);
      return yaml.toString();
    }

    /** Peers with the same ports share a rule. */
    private static void rules(
        StringBuilder yaml, String field, String who, SortedMap<String, SortedSet<String>> peers) {
      if (peers.isEmpty()) {
        return;
      }
      SortedMap<String, List<String>> byPorts = new TreeMap<>();
      peers.forEach((peer, ports) ->
          byPorts.computeIfAbsent(String.join("\n", ports), _ -> new ArrayList<>()).add(peer));
      yaml.append("  ").append(field).append(":\n");
      byPorts.forEach((ports, all) -> {
        yaml.append("  - ").append(who).append(":\n");
        all.forEach(
            peer -> peer.lines().forEach(line -> yaml.append("    ").append(line).append('\n')));
        yaml.append("    ports:\n");
        ports.lines().forEach(line -> yaml.append("    ").append(line).append('\n'));
      });
    }
  }
}
