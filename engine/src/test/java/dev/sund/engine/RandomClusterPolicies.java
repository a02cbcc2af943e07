package dev.sund.engine;

import dev.sund.engine.cluster.ClusterEvent;
import dev.sund.engine.cluster.Namespace;
import dev.sund.engine.cluster.Policy;
import dev.sund.model.Condition;
import dev.sund.model.LabelSelector;
import dev.sund.model.LabelSelector.Operator;
import dev.sund.model.LabelSelector.Requirement;
import dev.sund.model.ObjectRef;
import dev.sund.model.Prefix;
import dev.sund.model.Protocol;
import dev.sund.model.Reason;
import dev.sund.model.RuleId.Direction;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;

/** Random policies of a small world, and what they go by. */
final class RandomClusterPolicies {
  private final Random random;

  RandomClusterPolicies(Random random) {
    this.random = random;
  }

  ClusterEvent event() {
    return switch (random.nextInt(6)) {
      case 0 ->
          new ClusterEvent.NamespaceSeen(new Namespace("shop", "uid-shop", 1, labels(), Map.of()));
      case 1 ->
          random.nextInt(3) == 0
              ? new ClusterEvent.NamespaceGone("shop")
              : new ClusterEvent.PolicyGone(policy().ref());
      default -> {
        Policy policy = policy();
        yield new ClusterEvent.PolicySeen(
            policy,
            random.nextInt(4) > 0
                ? List.of()
                : List.of(
                    new Condition(
                        Reason.POLICY_NOT_UNDERSTOOD,
                        policy.ref(),
                        "spec",
                        "It is wrong.",
                        "Mend it.")));
      }
    };
  }

  Map<String, String> labels() {
    return random.nextInt(3) == 0 ? Map.of() : Map.of("app", pick("x", "y"));
  }

  private Policy policy() {
    if (random.nextInt(4) == 0) {
      String name = "c" + random.nextInt(2);
      return new Policy(
          new ObjectRef(Policy.CLUSTER_NETWORK_POLICY, name),
          "uid-" + name,
          1,
          1 + random.nextInt(3),
          random.nextBoolean() ? Policy.Tier.ADMIN : Policy.Tier.BASELINE,
          random.nextInt(2),
          Policy.Pods.of(selector(), selector()),
          Set.of(),
          rules(true));
    }
    String name = "shop/n" + random.nextInt(2);
    return new Policy(
        new ObjectRef(Policy.NETWORK_POLICY, name),
        "uid-" + name,
        1,
        1 + random.nextInt(3),
        Policy.Tier.NAMESPACE,
        0,
        Policy.Pods.in("shop", selector()),
        random.nextBoolean() ? Set.of(Direction.INGRESS) : Set.of(Direction.EGRESS),
        rules(false));
  }

  private LabelSelector selector() {
    return random.nextBoolean()
        ? LabelSelector.ALL
        : new LabelSelector(
            List.of(new Requirement("app", Operator.IN, new TreeSet<>(Set.of(pick("x", "y"))))));
  }

  private List<Policy.Rule> rules(boolean ofCluster) {
    List<Policy.Rule> rules = new ArrayList<>();
    for (Direction direction : List.of(Direction.INGRESS, Direction.EGRESS)) {
      int count = random.nextInt(3);
      for (int i = 0; i < count; i++) {
        rules.add(
            new Policy.Rule(
                direction,
                i,
                "",
                ofCluster ? Policy.Action.values()[random.nextInt(3)] : Policy.Action.ACCEPT,
                List.of(peer()),
                List.of(port())));
      }
    }
    return rules;
  }

  private Policy.Peer peer() {
    return switch (random.nextInt(4)) {
      case 0 -> new Policy.Anyone();
      case 1 -> Policy.Pods.in("shop", selector());
      case 2 -> new Policy.Block(Prefix.parse(pick("10.244.1.0/24", "fd00::/16")), List.of());
      default -> new Policy.Nodes(LabelSelector.ALL);
    };
  }

  private Policy.PeerPort port() {
    return random.nextBoolean()
        ? new Policy.AllPorts()
        : random.nextBoolean()
            ? new Policy.PortRange(Protocol.TCP, 80, 80 + random.nextInt(3))
            : new Policy.NamedPort(Optional.of(Protocol.TCP), "http");
  }

  private String pick(String... among) {
    return among[random.nextInt(among.length)];
  }
}
