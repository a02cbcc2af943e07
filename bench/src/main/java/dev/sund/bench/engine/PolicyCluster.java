package dev.sund.bench.engine;

import dev.sund.engine.cluster.Namespace;
import dev.sund.engine.cluster.Policy;
import dev.sund.engine.policy.PolicyCompiler;
import dev.sund.engine.policy.PolicyPod;
import dev.sund.engine.policy.reach.Reachability;
import dev.sund.model.Ip;
import dev.sund.model.LabelSelector;
import dev.sund.model.ObjectRef;
import dev.sund.model.PodKey;
import dev.sund.model.Port;
import dev.sund.model.Prefix;
import dev.sund.model.Protocol;
import dev.sund.model.RuleId.Direction;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * A cluster with policies in each namespace, seen from one of its nodes: 100 pods a namespace in
 * ten applications, ten policies a namespace, each about one application and with rules for its
 * neighbours, for a namespace by its labels, for a block, and for names of ports. Every hundredth
 * pod is on the node, one of each namespace.
 */
final class PolicyCluster {
  static final int NAMESPACES = 100;
  static final int PODS = 100;
  static final int POLICIES = 10;
  private static final int APPLICATIONS = 10;

  private final List<Namespace> namespaces = new ArrayList<>();
  private final List<Policy> policies = new ArrayList<>();
  private final List<PolicyPod> pods = new ArrayList<>();
  private final List<PolicyPod> here = new ArrayList<>();

  PolicyCluster() {
    for (int i = 0; i < NAMESPACES; i++) {
      String name = "team-" + i;
      namespaces.add(
          new Namespace(
              name,
              "uid-" + name,
              1,
              Map.of("kubernetes.io/metadata.name", name, "stage", "stage-" + i % 4)));
      for (int k = 0; k < POLICIES; k++) {
        policies.add(policy(name, i, k));
      }
      for (int k = 0; k < PODS; k++) {
        PolicyPod pod = pod(i, k, k % APPLICATIONS);
        pods.add(pod);
        if (k == i) {
          here.add(pod);
        }
      }
    }
  }

  /** A compiler that has been told all of it, and has compiled it. */
  PolicyCompiler compiled() {
    PolicyCompiler compiler = new PolicyCompiler();
    tell(compiler);
    compiler.compile();
    return compiler;
  }

  /** Tells a compiler all of it. */
  void tell(PolicyCompiler compiler) {
    namespaces.forEach(compiler::put);
    pods.forEach(compiler::put);
    policies.forEach(compiler::put);
    here.forEach(pod -> compiler.attach(pod.key(), pod.addresses()));
  }

  /** Who may reach whom in all of it. */
  Reachability reachability() {
    return Reachability.of(policies, namespaces, List.of(), pods);
  }

  List<PolicyPod> pods() {
    return pods;
  }

  /** Another pod of each namespace in turn, as one of the next application. */
  PolicyPod relabelled(int change) {
    int namespace = change % NAMESPACES;
    int pod = (7 * change + change / NAMESPACES) % PODS;
    return pod(namespace, pod, (pod + 1 + change / (NAMESPACES * PODS)) % APPLICATIONS);
  }

  /** The pod as it was before. */
  PolicyPod original(PolicyPod pod) {
    int namespace = Integer.parseInt(pod.key().namespace().substring("team-".length()));
    int number = Integer.parseInt(pod.key().name().substring("pod-".length()));
    return pods.get(namespace * PODS + number);
  }

  private static PolicyPod pod(int namespace, int number, int application) {
    int position = namespace * PODS + number;
    PodKey key = new PodKey("team-" + namespace, "pod-" + number);
    return new PolicyPod(
        key,
        "uid-" + key,
        position,
        Map.of("app", "app-" + application, "tier", "tier-" + application % 3),
        false,
        false,
        List.of(Ip.parse("10.0.0.0").plus(position), Ip.parse("fd00::").plus(position)),
        List.of(new Port(8000 + application, Protocol.TCP, "http")));
  }

  private static Policy policy(String namespace, int team, int number) {
    LabelSelector subject =
        number == 0 ? LabelSelector.ALL : label("app", "app-" + number % APPLICATIONS);
    List<Policy.Rule> rules = new ArrayList<>();
    if (number > 0) {
      rules.add(
          rule(
              Direction.INGRESS,
              0,
              List.of(
                  Policy.Pods.in(namespace, label("app", "app-" + (number + 1) % APPLICATIONS)),
                  Policy.Pods.of(label("stage", "stage-" + team % 4), label("tier", "tier-0"))),
              List.of(new Policy.NamedPort(Optional.of(Protocol.TCP), "http"))));
      rules.add(
          rule(
              Direction.INGRESS,
              1,
              List.of(
                  new Policy.Block(
                      Prefix.parse("192.168.0.0/16"),
                      List.of(Prefix.parse("192.168." + number + ".0/24")))),
              List.of(new Policy.PortRange(Protocol.TCP, 443, 443))));
      rules.add(
          rule(
              Direction.EGRESS,
              0,
              List.of(Policy.Pods.in(namespace, LabelSelector.ALL)),
              List.of(new Policy.NamedPort(Optional.of(Protocol.TCP), "http"))));
      rules.add(
          rule(
              Direction.EGRESS,
              1,
              List.of(new Policy.Anyone()),
              List.of(
                  new Policy.PortRange(Protocol.UDP, 53, 53),
                  new Policy.PortRange(Protocol.TCP, 53, 53))));
    }
    ObjectRef ref = new ObjectRef(Policy.NETWORK_POLICY, namespace + "/policy-" + number);
    return new Policy(
        ref,
        "uid-" + ref.name(),
        1,
        1,
        Policy.Tier.NAMESPACE,
        0,
        Policy.Pods.in(namespace, subject),
        Set.of(Direction.INGRESS, Direction.EGRESS),
        rules);
  }

  private static Policy.Rule rule(
      Direction direction, int index, List<Policy.Peer> peers, List<Policy.PeerPort> ports) {
    return new Policy.Rule(direction, index, "", Policy.Action.ACCEPT, peers, ports);
  }

  private static LabelSelector label(String key, String value) {
    return LabelSelector.of(Map.of(key, value));
  }
}
