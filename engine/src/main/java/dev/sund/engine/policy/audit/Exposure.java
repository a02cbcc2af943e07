package dev.sund.engine.policy.audit;

import dev.sund.engine.cluster.Policy;
import dev.sund.engine.policy.reach.Outside;
import dev.sund.engine.policy.reach.PodGroup;
import dev.sund.engine.policy.reach.PortSet;
import dev.sund.engine.policy.reach.Reachability;
import dev.sund.model.Family;
import dev.sund.model.ObjectRef;
import dev.sund.model.Protocol;
import dev.sund.model.RuleId.Direction;
import dev.sund.model.Severity;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Function;

/** What policies leave open, namespace by namespace and workload by workload. */
final class Exposure {
  static final String DNS_LABEL = "k8s-app";
  static final String DNS_APP = "kube-dns";
  private static final PortSet DNS =
      PortSet.of(Protocol.UDP, 53, 53).union(PortSet.of(Protocol.TCP, 53, 53));

  private final PolicyScene scene;
  private final Reachability reach;
  private final Workloads workloads;
  private final List<AuditFinding> findings;
  private final List<Outside> internet;
  private final Map<String, List<ScenePod>> byNamespace = new TreeMap<>();

  Exposure(
      PolicyScene scene, Reachability reach, Workloads workloads, List<AuditFinding> findings) {
    this.scene = scene;
    this.reach = reach;
    this.workloads = workloads;
    this.findings = findings;
    this.internet = reach.outside().stream().filter(Outside::internet).toList();
    for (ScenePod pod : scene.pods()) {
      byNamespace.computeIfAbsent(pod.namespace(), _ -> new ArrayList<>()).add(pod);
    }
  }

  void review() {
    byNamespace.forEach((namespace, pods) -> {
      List<ScenePod> covered = pods.stream().filter(pod -> pod.pod().counts()).toList();
      if (!covered.isEmpty()) {
        defaultDeny(namespace, covered, Direction.INGRESS);
        defaultDeny(namespace, covered, Direction.EGRESS);
      }
      notCovered(namespace, pods);
    });
    byWorkload(
        Check.REACHABLE_FROM_EVERYWHERE,
        this::fromEverywhere,
        ports ->
            "policies let every other pod and the Internet's addresses connect to it on "
                + words(ports)
                + ".",
        "Isolate it for ingress, and allow those that need it.",
        namespace -> Remedies.sameNamespace(namespace));
    byWorkload(
        Check.REACHES_INTERNET,
        this::toInternet,
        ports -> "it may connect to addresses of the Internet on " + words(ports) + ".",
        "Isolate it for egress, and allow the blocks and ports that it needs.",
        namespace -> Remedies.defaultDeny(namespace, "Egress"));
    dns();
  }

  // Default deny.

  private void defaultDeny(String namespace, List<ScenePod> pods, Direction direction) {
    if (scene.policies().stream().anyMatch(policy -> denies(policy, namespace, direction))) {
      return;
    }
    long open =
        pods.stream().filter(pod -> reach.isolating(pod.pod().key(), direction).isEmpty()).count();
    String type = direction == Direction.INGRESS ? "Ingress" : "Egress";
    Map<String, Long> numbers = new LinkedHashMap<>();
    numbers.put("pods", (long) pods.size());
    numbers.put("notIsolated", open);
    findings.add(
        new AuditFinding(
            direction == Direction.INGRESS
                ? Check.NO_DEFAULT_DENY_INGRESS
                : Check.NO_DEFAULT_DENY_EGRESS,
            open == 0 ? Severity.INFO : Severity.WARNING,
            new ObjectRef("Namespace", namespace),
            "",
            "no policy isolates all of its pods for %s: %d of %d %s isolated by none%s."
                .formatted(
                    type.toLowerCase(Locale.ROOT),
                    open,
                    pods.size(),
                    open == 1 ? "is" : "are",
                    open == 0 ? ", and the next one may be" : ""),
            List.of(),
            numbers,
            "Apply a default deny, after the policies that allow what is needed.",
            Remedies.defaultDeny(namespace, type)));
  }

  /** Whether a policy closes every pod of a namespace, those to come too. */
  private boolean denies(Policy policy, String namespace, Direction direction) {
    Policy.Pods subject = policy.subject();
    Map<String, String> labels =
        scene.namespaces().stream()
            .filter(one -> one.name().equals(namespace))
            .findFirst()
            .orElseThrow()
            .labels();
    if (!subject.pods().isAll() || !subject.has(namespace, labels, Map.of())) {
      return false;
    }
    return switch (policy.tier()) {
      case NAMESPACE -> policy.isolates().contains(direction);
      case ADMIN, BASELINE ->
          policy.rules().stream()
              .anyMatch(rule ->
                  rule.direction() == direction
                      && rule.action() == Policy.Action.DENY
                      && rule.ports().contains(new Policy.AllPorts())
                      && rule.peers().stream().anyMatch(Exposure::isEveryPod));
    };
  }

  private static boolean isEveryPod(Policy.Peer peer) {
    return switch (peer) {
      case Policy.Anyone() -> true;
      case Policy.Pods(var namespace, var namespaces, var pods) ->
          namespace.isEmpty() && namespaces.isAll() && pods.isAll();
      case Policy.Block _, Policy.Nodes _ -> false;
    };
  }

  private void notCovered(String namespace, List<ScenePod> pods) {
    long onNodes = pods.stream().filter(pod -> pod.pod().hostNetwork()).count();
    if (onNodes > 0) {
      findings.add(
          new AuditFinding(
              Check.NOT_COVERED,
              Severity.INFO,
              new ObjectRef("Namespace", namespace),
              "",
              "%d of %d pods %s on the node's network: no policy is about them, and to others they"
                      .formatted(onNodes, pods.size(), onNodes == 1 ? "is" : "are")
                  + " are the node's address.",
              pods.stream()
                  .filter(pod -> pod.pod().hostNetwork())
                  .map(ScenePod::workload)
                  .distinct()
                  .sorted()
                  .toList(),
              Map.of("pods", (long) pods.size(), "onNodes", onNodes),
              "Leave hostNetwork out where it is not needed.",
              ""));
    }
  }

  // Everywhere and the Internet.

  static String words(PortSet ports) {
    return ports.isAll() ? "every port" : ports.toString();
  }

  /** The ports on which pods' own policies let all others connect. */
  private PortSet fromEverywhere(PodGroup to) {
    PortSet from = internet(to, Direction.INGRESS);
    for (PodGroup other : reach.groups()) {
      if (from.isEmpty()) {
        return from;
      }
      if (other.index() != to.index() || to.pods().size() > 1) {
        PortSet open = PortSet.NONE;
        for (Family family : to.classes().keySet()) {
          open = open.union(reach.allowed(to, Direction.INGRESS, other, family));
        }
        from = from.intersection(open);
      }
    }
    return from;
  }

  private PortSet toInternet(PodGroup from) {
    return internet(from, Direction.EGRESS);
  }

  private PortSet internet(PodGroup pods, Direction direction) {
    PortSet open = PortSet.NONE;
    for (Outside outside : internet) {
      open = open.union(reach.allowed(pods, direction, outside, outside.family()));
    }
    return open;
  }

  /** One finding for each workload with a pod of which something is open. */
  private void byWorkload(
      Check check,
      Function<PodGroup, PortSet> asked,
      Function<PortSet, String> text,
      String remedy,
      Function<String, String> patch) {
    Map<ObjectRef, Paths> open = new TreeMap<>();
    for (PodGroup group : reach.groups()) {
      PortSet ports = asked.apply(group);
      if (!ports.isEmpty()) {
        workloads
            .of(group)
            .forEach(
                (workload, count) -> open.merge(workload, new Paths(ports, count), Paths::and));
      }
    }
    open.forEach((workload, paths) ->
        findings.add(
            new AuditFinding(
                check,
                paths.ports().isAll() ? check.severity() : lower(check),
                workload,
                "",
                text.apply(paths.ports()),
                List.of(),
                Map.of("pods", paths.pairs(), "ofPods", workloads.size(workload)),
                remedy,
                patch.apply(namespace(workload)))));
  }

  private static Severity lower(Check check) {
    return check == Check.REACHES_INTERNET ? Severity.INFO : check.severity();
  }

  private static String namespace(ObjectRef workload) {
    return workload.name().substring(0, workload.name().indexOf('/'));
  }

  // Names.

  private void dns() {
    List<PodGroup> servers =
        scene.pods().stream()
            .filter(pod -> DNS_APP.equals(pod.pod().labels().get(DNS_LABEL)))
            .flatMap(pod -> reach.group(pod.pod().key()).stream())
            .distinct()
            .toList();
    Map<ObjectRef, Paths> without = new TreeMap<>();
    for (PodGroup group : reach.groups()) {
      boolean isolated =
          group.pods().stream().anyMatch(pod -> !reach.isolating(pod, Direction.EGRESS).isEmpty());
      Optional<PortSet> missing = isolated ? missing(group, servers) : Optional.empty();
      missing.ifPresent(ports ->
          workloads
              .of(group)
              .forEach((workload, count) ->
                  without.merge(workload, new Paths(ports, count), Paths::and)));
    }
    without.forEach((workload, paths) ->
        findings.add(
            new AuditFinding(
                Check.EGRESS_WITHOUT_DNS,
                paths.ports().contains(Protocol.UDP, 53) ? Severity.WARNING : Severity.INFO,
                workload,
                "",
                "it may connect to others, but not to %s on %s."
                    .formatted(servers.isEmpty() ? "anybody" : "the cluster's DNS", paths.ports()),
                List.of(),
                Map.of("pods", paths.pairs(), "ofPods", workloads.size(workload)),
                "Allow port 53 by UDP and TCP to the pods that resolve names.",
                Remedies.dns(namespace(workload)))));
  }

  /** The ports of DNS that pods cannot ask, though they may ask something; empty when none is. */
  private Optional<PortSet> missing(PodGroup group, List<PodGroup> servers) {
    PortSet any = PortSet.NONE;
    for (Family family : group.classes().keySet()) {
      for (Outside outside : reach.outside()) {
        any = any.union(reach.allowed(group, Direction.EGRESS, outside, family));
      }
      for (PodGroup other : reach.groups()) {
        if (servers.isEmpty() ? any.contains(DNS) : !any.isEmpty()) {
          break;
        }
        any = any.union(reach.allowed(group, Direction.EGRESS, other, family));
      }
    }
    PortSet open = PortSet.NONE;
    for (PodGroup server : servers) {
      open = open.union(server.index() == group.index() ? DNS : reach.open(group, server));
    }
    PortSet missing = DNS.minus(servers.isEmpty() ? any : open);
    return any.isEmpty() || missing.isEmpty() ? Optional.empty() : Optional.of(missing);
  }
}
