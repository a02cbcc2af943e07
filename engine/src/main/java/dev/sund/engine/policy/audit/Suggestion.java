package dev.sund.engine.policy.audit;

import dev.sund.engine.policy.WorkloadLabels;
import dev.sund.engine.policy.seen.Recorded;
import dev.sund.engine.policy.seen.SeenFlow;
import dev.sund.engine.policy.seen.SeenParty;
import dev.sund.model.Family;
import dev.sund.model.ObjectRef;
import dev.sund.model.Prefix;
import dev.sund.model.Protocol;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * The least that a namespace's pods need by what was seen: a default deny for both directions, the
 * way to the cluster's DNS for all of them, and for each workload the peers and ports of its
 * connections. What is born on a pod's own node needs no rule.
 *
 * @param namespace whose pods it is about
 * @param yaml the policies, ready to be reviewed
 * @param remarks what was not seen or cannot be written, a line each
 */
public record Suggestion(String namespace, String yaml, List<String> remarks) {
  private static final int DNS_PORT = 53;

  public Suggestion {
    remarks = List.copyOf(remarks);
  }

  /**
   * Suggests policies.
   *
   * @param recorded what was seen on nodes, of other namespaces too
   * @throws IllegalArgumentException when the namespace has no pods that policies can be about
   */
  public static Suggestion of(PolicyScene scene, String namespace, Collection<Recorded> recorded) {
    return new Writing(scene, namespace).suggest(recorded);
  }

  /** Peers as YAML, what was asked of each, and by which Services. */
  private static final class Needs {
    final SortedMap<String, Asked> ingress = new TreeMap<>();
    final SortedMap<String, Asked> egress = new TreeMap<>();
  }

  private static final class Asked {
    final SortedSet<String> ports = new TreeSet<>();
    final SortedSet<String> services = new TreeSet<>();
  }

  private static final class Writing {
    private final PolicyScene scene;
    private final String namespace;
    private final SeenEnds ends;
    private final SortedMap<ObjectRef, List<ScenePod>> workloads = new TreeMap<>();
    private final SortedMap<ObjectRef, Needs> needs = new TreeMap<>();

    /** Peers that answer names for the whole cluster. */
    private final SortedSet<String> resolvers = new TreeSet<>();

    private final SortedSet<String> remarks = new TreeSet<>();

    Writing(PolicyScene scene, String namespace) {
      this.scene = scene;
      this.namespace = namespace;
      this.ends = new SeenEnds(scene.pods());
      for (ScenePod pod : scene.pods()) {
        if (pod.pod().counts()) {
          workloads.computeIfAbsent(pod.workload(), _ -> new ArrayList<>()).add(pod);
        }
      }
      workloads.forEach((workload, pods) -> {
        if (isOwn(pods)) {
          needs.put(workload, new Needs());
        }
        if (pods.stream().anyMatch(Writing::isResolver)) {
          resolvers.add(peer(workload));
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

    private static boolean isResolver(ScenePod pod) {
      return Objects.equals(pod.pod().labels().get(Exposure.DNS_LABEL), Exposure.DNS_APP);
    }

    Suggestion suggest(Collection<Recorded> recorded) {
      recorded.forEach(one -> one.flows().forEach(this::take));
      StringBuilder yaml = new StringBuilder(deny());
      if (resolvers.isEmpty()) {
        remarks.add("no DNS of the cluster is known: names resolve where port 53 was seen");
      } else {
        yaml.append("---\n").append(dns());
      }
      needs.forEach((workload, need) -> {
        if (need.ingress.isEmpty() && need.egress.isEmpty()) {
          remarks.add(
              workload + ": no connection of it was seen, and everything but DNS would be closed");
        } else {
          yaml.append("---\n").append(policy(workload, need));
        }
      });
      return new Suggestion(namespace, yaml.toString(), List.copyOf(remarks));
    }

    private void take(SeenFlow seen) {
      Set<ObjectRef> from = workloads(seen.from());
      Set<ObjectRef> to = workloads(seen.to());
      boolean asks = from.stream().anyMatch(needs::containsKey);
      boolean isAsked = to.stream().anyMatch(needs::containsKey);
      nobody(seen, seen.from(), from);
      nobody(seen, seen.to(), to);
      if (seen.from() instanceof SeenParty.OwnNode || (!asks && !isAsked)) {
        return;
      }
      if (seen.protocol() == Protocol.ICMP) {
        remarks.add(text(seen) + ": a NetworkPolicy has no word for ICMP; it would be closed");
        return;
      }
      String port =
          "- {protocol: %s, port: %d}"
              .formatted(seen.protocol().label().toUpperCase(Locale.ROOT), seen.port());
      for (String peer : peers(seen, seen.to(), to)) {
        if (asks && !isLookup(seen, peer)) {
          from.forEach(one -> note(needs.get(one), true, peer, port, seen.service()));
        }
      }
      for (String peer : isAsked ? peers(seen, seen.from(), from) : Set.<String>of()) {
        to.forEach(one -> note(needs.get(one), false, peer, port, seen.service()));
      }
    }

    private static void note(
        @Nullable Needs need, boolean out, String peer, String port, String service) {
      if (need != null) {
        Asked asked = (out ? need.egress : need.ingress).computeIfAbsent(peer, _ -> new Asked());
        asked.ports.add(port);
        if (!service.isEmpty()) {
          asked.services.add(service);
        }
      }
    }

    /** Whether all pods of the namespace may do this anyway. */
    private boolean isLookup(SeenFlow seen, String peer) {
      if (seen.port() != DNS_PORT || seen.protocol() == Protocol.SCTP) {
        return false;
      }
      if (seen.to() instanceof SeenParty.Range(Prefix prefix) && prefix.address().isLinkLocal()) {
        resolvers.add(peer); // a cache on the node
      }
      return resolvers.contains(peer);
    }

    private Set<ObjectRef> workloads(SeenParty party) {
      Set<ObjectRef> found = new LinkedHashSet<>();
      ends.pods(party).forEach(pod -> found.add(pod.workload()));
      return found;
    }

    private static String text(SeenFlow seen) {
      return new SeenConnection(
              seen.from().toString(),
              seen.to().toString(),
              seen.protocol(),
              seen.port(),
              seen.times())
          .toString();
    }

    /** Says that pods of this namespace were seen that are no more. */
    private void nobody(SeenFlow seen, SeenParty party, Set<ObjectRef> workloads) {
      if (workloads.isEmpty()
          && party instanceof SeenParty.Pods(String in, SortedMap<String, String> _)
          && in.equals(namespace)) {
        remarks.add(text(seen) + ": no pod is " + party + " now, and nothing is written for it");
      }
    }

    /** A party as peers of a rule. */
    private Set<String> peers(SeenFlow seen, SeenParty party, Set<ObjectRef> workloads) {
      Set<String> peers = new LinkedHashSet<>();
      workloads.forEach(one -> peers.add(peer(one)));
      if (workloads.isEmpty()) {
        if (party instanceof SeenParty.Range(Prefix prefix)) {
          peers.add(block(prefix));
          if (!prefix.isHost()) {
            remarks.add(text(seen) + ": so many addresses were seen that a range stands for them");
          }
        } else {
          remarks.add(text(seen) + ": nobody is known as " + party + ", and nothing is written");
        }
      }
      return peers;
    }

    private String peer(ObjectRef workload) {
      List<ScenePod> pods = workloads.getOrDefault(workload, List.of());
      String labels = "podSelector: " + selector(workload, pods) + "\n";
      return isOwn(pods)
          ? "- " + labels
          : "- namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: "
              + pods.getFirst().namespace()
              + "}}\n  "
              + labels;
    }

    /** Addresses that are no pod's: not even where the range has those of pods in it. */
    private String block(Prefix range) {
      SortedSet<String> except = new TreeSet<>();
      scene.nodes().stream()
          .flatMap(node -> node.podCidrs().stream())
          .filter(pods -> range.length() < pods.length() && range.contains(pods))
          .forEach(pods -> except.add(text(pods)));
      return "- ipBlock: {cidr: "
          + text(range)
          + (except.isEmpty() ? "" : ", except: [" + String.join(", ", except) + "]")
          + "}\n";
    }

    private static String text(Prefix range) {
      return range.family() == Family.V6 ? "\"" + range + "\"" : range.toString();
    }

    /** The labels that all pods of a workload have, and will have in its next version. */
    private String selector(ObjectRef workload, List<ScenePod> pods) {
      Map<String, String> common =
          new LinkedHashMap<>(WorkloadLabels.of(pods.getFirst().pod().labels()));
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

    private String dns() {
      StringBuilder yaml = new StringBuilder();
      yaml.append("# All pods of the namespace: one that looked its names up before may have to")
          .append(" again.\n")
          .append("apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata:\n")
          .append("  name: allow-dns\n  namespace: ")
          .append(namespace)
          .append("\nspec:\n  podSelector: {}\n  policyTypes: [Egress]\n  egress:\n  - to:\n");
      resolvers.forEach(peer -> indented(yaml, peer));
      yaml.append("    ports:\n");
      for (String protocol : List.of("UDP", "TCP")) {
        yaml.append("    - {protocol: " + protocol + ", port: " + DNS_PORT + "}\n");
      }
      return yaml.toString();
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
        StringBuilder yaml, String field, String who, SortedMap<String, Asked> peers) {
      if (peers.isEmpty()) {
        return;
      }
      SortedMap<String, List<String>> byPorts = new TreeMap<>();
      peers.forEach((peer, asked) ->
          byPorts
              .computeIfAbsent(String.join("\n", asked.ports), _ -> new ArrayList<>())
              .add(
                  asked.services.isEmpty()
                      ? peer
                      : "# asked as Service " + String.join(", ", asked.services) + "\n" + peer));
      yaml.append("  ").append(field).append(":\n");
      byPorts.forEach((ports, all) -> {
        yaml.append("  - ").append(who).append(":\n");
        all.forEach(peer -> indented(yaml, peer));
        yaml.append("    ports:\n");
        indented(yaml, ports);
      });
    }

    private static void indented(StringBuilder yaml, String lines) {
      lines.lines().forEach(line -> yaml.append("    ").append(line).append('\n'));
    }
  }
}
