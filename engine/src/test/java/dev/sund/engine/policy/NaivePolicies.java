package dev.sund.engine.policy;

import dev.sund.engine.cluster.Namespace;
import dev.sund.engine.cluster.Node;
import dev.sund.engine.cluster.Policy;
import dev.sund.model.Ip;
import dev.sund.model.LabelSelector;
import dev.sund.model.NodeName;
import dev.sund.model.ObjectRef;
import dev.sund.model.PodKey;
import dev.sund.model.Port;
import dev.sund.model.Protocol;
import dev.sund.model.RuleId;
import dev.sund.model.RuleId.Direction;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What policies say, read off their records for one connection at a time. */
final class NaivePolicies {
  final Map<ObjectRef, Policy> policies = new HashMap<>();
  final Map<String, Namespace> namespaces = new HashMap<>();
  final Map<NodeName, Node> nodes = new HashMap<>();
  final Map<PodKey, PolicyPod> pods = new HashMap<>();
  final Map<PodKey, List<Ip>> attached = new HashMap<>();

  /** The rule that decides; empty when no policy is about the pod in this direction. */
  record Verdict(boolean allowed, Optional<RuleId> rule, List<RuleId> isolating) {}

  /** Who has an address: none, but for tests in which pods contend for one. */
  private Optional<PodKey> holder(Ip ip) {
    return attached.entrySet().stream()
        .filter(one -> one.getValue().contains(ip))
        .map(Map.Entry::getKey)
        .min(Comparator.<PodKey, Boolean>comparing(key -> isSeen(key)).thenComparing(newest()))
        .or(() ->
            pods.values().stream()
                .filter(pod -> isSeen(pod.key()) && pod.addresses().contains(ip))
                .map(PolicyPod::key)
                .min(newest()));
  }

  private Comparator<PodKey> newest() {
    return Comparator.<PodKey>comparingLong(key -> isSeen(key) ? -pods.get(key).created() : 0)
        .thenComparing(key -> key);
  }

  private boolean isSeen(PodKey key) {
    PolicyPod pod = pods.get(key);
    return pod != null && !pod.hostNetwork() && !pod.finished();
  }

  private Optional<PolicyPod> podAt(Ip ip) {
    return holder(ip).filter(this::isSeen).map(pods::get);
  }

  Verdict judge(Ip pod, Direction direction, Ip peer, Protocol protocol, int port) {
    Optional<PodKey> key = holder(pod);
    if (key.isEmpty() || !attached.getOrDefault(key.get(), List.of()).contains(pod)) {
      return new Verdict(true, Optional.empty(), List.of());
    }
    if (!isSeen(key.get())) {
      RuleId unknown = RuleId.builtin("pod-unknown");
      return new Verdict(false, Optional.of(unknown), List.of(unknown));
    }
    PolicyPod subject = pods.get(key.get());
    List<Policy> about =
        policies.values().stream()
            .filter(policy -> selects(policy.subject(), subject))
            .sorted(
                Comparator.comparing(Policy::tier)
                    .thenComparing(Policy::priority)
                    .thenComparing(one -> one.subject().namespace().orElse(""))
                    .thenComparing(one -> one.ref().name()))
            .toList();
    List<RuleId> isolating =
        about.stream()
            .filter(policy -> policy.isolates().contains(direction))
            .map(policy -> policy.ruleId(direction, 0))
            .toList();
    Optional<PolicyPod> destination =
        direction == Direction.INGRESS ? Optional.of(subject) : podAt(peer);
    boolean any = !isolating.isEmpty();
    for (Policy.Tier tier : Policy.Tier.values()) {
      boolean passed = false;
      for (Policy policy : about) {
        if (policy.tier() != tier
            || (tier == Policy.Tier.NAMESPACE && !policy.isolates().contains(direction))) {
          continue;
        }
        for (Policy.Rule rule : policy.rules()) {
          if (rule.direction() != direction || rule.peers().isEmpty() || rule.ports().isEmpty()) {
            continue;
          }
          any = true;
          if (passed
              || rule.peers().stream().noneMatch(one -> fits(one, peer))
              || rule.ports().stream().noneMatch(one -> fits(one, destination, protocol, port))) {
            continue;
          }
          RuleId id = policy.ruleId(direction, rule.index());
          switch (rule.action()) {
            case ACCEPT -> {
              return new Verdict(true, Optional.of(id), isolating);
            }
            case DENY -> {
              return new Verdict(false, Optional.of(id), isolating);
            }
            case PASS -> passed = true;
          }
        }
      }
      if (tier == Policy.Tier.NAMESPACE && !isolating.isEmpty()) {
        return new Verdict(false, Optional.of(isolating.getFirst()), isolating);
      }
    }
    return new Verdict(
        true, any ? Optional.of(RuleId.builtin("no-policy-decides")) : Optional.empty(), isolating);
  }

  private boolean selects(Policy.Pods selector, PolicyPod pod) {
    String namespace = pod.key().namespace();
    boolean there =
        selector.namespace().isPresent()
            ? selector.namespace().get().equals(namespace)
            : selectsNamespace(selector.namespaces(), namespace);
    return there && selector.pods().matches(pod.labels());
  }

  private boolean selectsNamespace(LabelSelector selector, String namespace) {
    Namespace known = namespaces.get(namespace);
    return known == null ? selector.isAll() : selector.matches(known.labels());
  }

  private boolean fits(Policy.Peer peer, Ip ip) {
    return switch (peer) {
      case Policy.Anyone() -> true;
      case Policy.Pods pods -> podAt(ip).filter(pod -> selects(pods, pod)).isPresent();
      case Policy.Block(var range, var except) ->
          range.contains(ip) && except.stream().noneMatch(one -> one.contains(ip));
      case Policy.Nodes(var selector) ->
          nodes.values().stream()
              .anyMatch(
                  node -> node.everyAddress().contains(ip) && selector.matches(node.labels()));
    };
  }

  private static boolean fits(
      Policy.PeerPort wanted, Optional<PolicyPod> destination, Protocol protocol, int port) {
    return switch (wanted) {
      case Policy.AllPorts() -> true;
      case Policy.PortRange(var of, var first, var last) ->
          of == protocol && first <= port && port <= last;
      case Policy.NamedPort(var of, var name) ->
          destination.stream()
              .flatMap(pod -> pod.ports().stream())
              .anyMatch((Port one) ->
                  one.name().equals(name)
                      && (of.isEmpty() || of.get() == one.protocol())
                      && one.protocol() == protocol
                      && one.number() == port);
    };
  }
}
