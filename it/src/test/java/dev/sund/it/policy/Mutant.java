package dev.sund.it.policy;

import dev.sund.engine.cluster.Policy;
import dev.sund.engine.cluster.Policy.Action;
import dev.sund.engine.cluster.Policy.AllPorts;
import dev.sund.engine.cluster.Policy.Anyone;
import dev.sund.engine.cluster.Policy.Block;
import dev.sund.engine.cluster.Policy.NamedPort;
import dev.sund.engine.cluster.Policy.Nodes;
import dev.sund.engine.cluster.Policy.Peer;
import dev.sund.engine.cluster.Policy.PeerPort;
import dev.sund.engine.cluster.Policy.Pods;
import dev.sund.engine.cluster.Policy.PortRange;
import dev.sund.engine.cluster.Policy.Rule;
import dev.sund.engine.cluster.Policy.Tier;
import dev.sund.engine.policy.PolicyPod;
import dev.sund.engine.program.PolicyPeer;
import dev.sund.engine.program.PolicyTables;
import dev.sund.model.Family;
import dev.sund.model.LabelSelector;
import dev.sund.model.LabelSelector.Operator;
import dev.sund.model.LabelSelector.Requirement;
import dev.sund.model.Prefix;
import dev.sund.model.Protocol;
import dev.sund.model.RuleId.Direction;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.UnaryOperator;

/** Mistakes that a compiler of policies could make, each made on what goes in or comes out. */
enum Mutant {
  /** None. */
  SOUND,
  EXCEPT_IS_DROPPED,
  LAST_PORT_OF_A_RANGE_IS_LEFT_OUT,
  A_RANGE_HAS_A_PORT_TOO_MANY,
  NAMESPACE_SELECTOR_IS_IGNORED,
  POD_SELECTOR_BESIDE_A_NAMESPACE_SELECTOR_IS_IGNORED,
  SELECTORS_OF_ONE_PEER_ARE_ALTERNATIVES,
  POD_SELECTOR_ALONE_REACHES_ALL_NAMESPACES,
  NAMED_PORT_IS_ANOTHER_PODS,
  NAMED_PORT_IS_OF_ANY_PROTOCOL,
  TIERS_ARE_SWAPPED,
  PASS_ACCEPTS,
  PASS_IS_PASSED_OVER,
  NO_RULES_ISOLATE_NOBODY,
  TYPES_ARE_ALWAYS_BOTH,
  DIRECTIONS_ARE_SWAPPED,
  UDP_IS_TCP,
  SCTP_IS_TCP,
  NOT_IN_NEEDS_THE_LABEL,
  ONLY_THE_FIRST_VALUE_COUNTS,
  LONGEST_RANGE_IS_IGNORED,
  PRIORITIES_ARE_REVERSED,
  RULES_ARE_REVERSED,
  ONLY_THE_FIRST_RULE_COUNTS,
  IPV6_IS_FORGOTTEN,
  NODES_ARE_NOBODY,
  ALL_PORTS_LEAVES_OUT_ICMP,
  WHAT_IS_NOT_UNDERSTOOD_FAILS_OPEN,
  PODS_ON_THEIR_NODES_NETWORK_ARE_PODS,
  POLICIES_OF_A_NAMESPACE_ARE_ABOUT_ALL;

  private static final Set<Direction> BOTH = EnumSet.of(Direction.INGRESS, Direction.EGRESS);

  /** The policy as the compiler is told it. */
  Policy policy(Policy sound) {
    return switch (this) {
      case EXCEPT_IS_DROPPED ->
          peers(
              sound,
              peer -> peer instanceof Block block ? new Block(block.range(), List.of()) : peer);
      case LAST_PORT_OF_A_RANGE_IS_LEFT_OUT -> ports(sound, port -> ended(port, -1));
      case A_RANGE_HAS_A_PORT_TOO_MANY -> ports(sound, port -> ended(port, 1));
      case NAMESPACE_SELECTOR_IS_IGNORED ->
          peers(
              sound,
              peer ->
                  peer instanceof Pods pods && pods.namespace().isEmpty()
                      ? Pods.of(LabelSelector.ALL, pods.pods())
                      : peer);
      case POD_SELECTOR_BESIDE_A_NAMESPACE_SELECTOR_IS_IGNORED ->
          peers(
              sound,
              peer ->
                  peer instanceof Pods pods && pods.namespace().isEmpty()
                      ? Pods.of(pods.namespaces(), LabelSelector.ALL)
                      : peer);
      case SELECTORS_OF_ONE_PEER_ARE_ALTERNATIVES -> rules(sound, Mutant::alternatives);
      case POD_SELECTOR_ALONE_REACHES_ALL_NAMESPACES ->
          peers(
              sound,
              peer ->
                  peer instanceof Pods pods && pods.namespace().isPresent()
                      ? Pods.of(LabelSelector.ALL, pods.pods())
                      : peer);
      case NAMED_PORT_IS_OF_ANY_PROTOCOL ->
          ports(
              sound,
              port ->
                  port instanceof NamedPort named
                      ? new NamedPort(Optional.empty(), named.name())
                      : port);
      case TIERS_ARE_SWAPPED ->
          switch (sound.tier()) {
            case ADMIN -> with(sound, Tier.BASELINE, sound.priority());
            case NAMESPACE -> sound;
            case BASELINE -> with(sound, Tier.ADMIN, sound.priority());
          };
      case PASS_ACCEPTS ->
          rules(
              sound,
              rule ->
                  rule.action() == Action.PASS
                      ? with(rule, Action.ACCEPT, rule.peers(), rule.ports())
                      : rule);
      case PASS_IS_PASSED_OVER ->
          rules(
              sound,
              rule ->
                  rule.action() == Action.PASS
                      ? with(rule, Action.ACCEPT, List.of(), List.of())
                      : rule);
      case NO_RULES_ISOLATE_NOBODY -> {
        EnumSet<Direction> ruled = EnumSet.noneOf(Direction.class);
        sound.rules().forEach(rule -> ruled.add(rule.direction()));
        ruled.retainAll(sound.isolates());
        yield with(sound, ruled, sound.rules());
      }
      case TYPES_ARE_ALWAYS_BOTH ->
          sound.tier() == Tier.NAMESPACE ? with(sound, BOTH, sound.rules()) : sound;
      case DIRECTIONS_ARE_SWAPPED -> swapped(sound);
      case UDP_IS_TCP -> ports(sound, port -> of(port, Protocol.UDP, Protocol.TCP));
      case SCTP_IS_TCP -> ports(sound, port -> of(port, Protocol.SCTP, Protocol.TCP));
      case NOT_IN_NEEDS_THE_LABEL ->
          selectors(
              sound,
              one ->
                  one.operator() == Operator.NOT_IN
                      ? List.of(one, new Requirement(one.key(), Operator.EXISTS, new TreeSet<>()))
                      : List.of(one));
      case ONLY_THE_FIRST_VALUE_COUNTS ->
          selectors(
              sound,
              one ->
                  one.values().isEmpty()
                      ? List.of(one)
                      : List.of(
                          new Requirement(
                              one.key(),
                              one.operator(),
                              new TreeSet<>(List.of(one.values().first())))));
      case PRIORITIES_ARE_REVERSED ->
          sound.tier() == Tier.NAMESPACE
              ? sound
              : with(sound, sound.tier(), 1000 - sound.priority());
      case RULES_ARE_REVERSED -> with(sound, sound.isolates(), reversed(sound.rules()));
      case ONLY_THE_FIRST_RULE_COUNTS ->
          with(
              sound,
              sound.isolates(),
              sound.rules().stream().filter(rule -> rule.index() == 0).toList());
      case NODES_ARE_NOBODY -> rules(sound, Mutant::withoutNodes);
      case ALL_PORTS_LEAVES_OUT_ICMP -> rules(sound, Mutant::withoutIcmp);
      case WHAT_IS_NOT_UNDERSTOOD_FAILS_OPEN ->
          rules(
              sound,
              rule ->
                  rule.peers().isEmpty()
                      ? with(rule, rule.action(), List.of(new Anyone()), List.of(new AllPorts()))
                      : rule);
      case POLICIES_OF_A_NAMESPACE_ARE_ABOUT_ALL ->
          new Policy(
              sound.ref(),
              sound.uid(),
              sound.created(),
              sound.generation(),
              sound.tier(),
              sound.priority(),
              new Pods(
                  sound.subject().namespace(), sound.subject().namespaces(), LabelSelector.ALL),
              sound.isolates(),
              sound.rules());
      case SOUND,
          NAMED_PORT_IS_ANOTHER_PODS,
          LONGEST_RANGE_IS_IGNORED,
          IPV6_IS_FORGOTTEN,
          PODS_ON_THEIR_NODES_NETWORK_ARE_PODS ->
          sound;
    };
  }

  /** The pods as the compiler is told them. */
  List<PolicyPod> pods(List<PolicyPod> sound) {
    List<PolicyPod> told = new ArrayList<>();
    for (int i = 0; i < sound.size(); i++) {
      PolicyPod pod = sound.get(i);
      PolicyPod next = sound.get((i + 1) % sound.size());
      told.add(
          new PolicyPod(
              pod.key(),
              pod.uid(),
              pod.created(),
              pod.labels(),
              this != PODS_ON_THEIR_NODES_NETWORK_ARE_PODS && pod.hostNetwork(),
              pod.finished(),
              this == IPV6_IS_FORGOTTEN
                  ? pod.addresses().stream().filter(ip -> ip.family() == Family.V4).toList()
                  : pod.addresses(),
              this == NAMED_PORT_IS_ANOTHER_PODS ? next.ports() : pod.ports()));
    }
    return told;
  }

  /** The tables as packets ask them. */
  PolicyTables tables(PolicyTables sound) {
    if (this != LONGEST_RANGE_IS_IGNORED) {
      return sound;
    }
    TreeMap<Prefix, PolicyPeer> peers = new TreeMap<>();
    for (PolicyPeer peer : sound.peers().values()) {
      PolicyPeer shortest = peer;
      for (PolicyPeer other : sound.peers().values()) {
        if (other.range().contains(peer.range())
            && other.range().length() < shortest.range().length()) {
          shortest = other;
        }
      }
      peers.put(peer.range(), new PolicyPeer(peer.range(), shortest.peerClass(), peer.rule()));
    }
    return new PolicyTables(sound.pods(), sound.ports(), peers, sound.verdicts());
  }

  private static PeerPort ended(PeerPort port, int later) {
    return port instanceof PortRange range && range.last() > range.first() && range.last() < 65535
        ? new PortRange(range.protocol(), range.first(), range.last() + later)
        : port;
  }

  private static PeerPort of(PeerPort port, Protocol from, Protocol to) {
    return port instanceof PortRange range && range.protocol() == from
        ? new PortRange(to, range.first(), range.last())
        : port;
  }

  private static Rule alternatives(Rule rule) {
    List<Peer> peers = new ArrayList<>();
    for (Peer peer : rule.peers()) {
      if (peer instanceof Pods pods
          && pods.namespace().isEmpty()
          && !pods.namespaces().isAll()
          && !pods.pods().isAll()) {
        peers.add(Pods.of(pods.namespaces(), LabelSelector.ALL));
        peers.add(Pods.of(LabelSelector.ALL, pods.pods()));
      } else {
        peers.add(peer);
      }
    }
    return with(rule, rule.action(), peers, rule.ports());
  }

  private static Rule withoutNodes(Rule rule) {
    return with(
        rule,
        rule.action(),
        rule.peers().stream().filter(peer -> !(peer instanceof Nodes)).toList(),
        rule.ports());
  }

  private static Rule withoutIcmp(Rule rule) {
    return rule.ports().contains(new AllPorts())
        ? with(
            rule,
            rule.action(),
            rule.peers(),
            List.of(
                PortRange.all(Protocol.TCP),
                PortRange.all(Protocol.UDP),
                PortRange.all(Protocol.SCTP)))
        : rule;
  }

  private static Policy swapped(Policy policy) {
    EnumSet<Direction> isolates = EnumSet.noneOf(Direction.class);
    policy.isolates().forEach(direction -> isolates.add(other(direction)));
    List<Rule> rules = new ArrayList<>();
    for (Direction direction : List.of(Direction.EGRESS, Direction.INGRESS)) {
      for (Rule rule : policy.rules()) {
        if (rule.direction() == direction) {
          rules.add(
              new Rule(
                  other(direction),
                  rule.index(),
                  rule.name(),
                  rule.action(),
                  rule.peers(),
                  rule.ports()));
        }
      }
    }
    return with(policy, isolates, rules);
  }

  private static Direction other(Direction direction) {
    return direction == Direction.INGRESS ? Direction.EGRESS : Direction.INGRESS;
  }

  private static List<Rule> reversed(List<Rule> rules) {
    List<Rule> all = new ArrayList<>();
    for (Direction direction : List.of(Direction.INGRESS, Direction.EGRESS)) {
      List<Rule> of = rules.stream().filter(rule -> rule.direction() == direction).toList();
      for (int i = 0; i < of.size(); i++) {
        Rule from = of.get(of.size() - 1 - i);
        all.add(new Rule(direction, i, from.name(), from.action(), from.peers(), from.ports()));
      }
    }
    return all;
  }

  private static Policy peers(Policy policy, UnaryOperator<Peer> change) {
    return rules(
        policy,
        rule ->
            with(rule, rule.action(), rule.peers().stream().map(change).toList(), rule.ports()));
  }

  private static Policy ports(Policy policy, UnaryOperator<PeerPort> change) {
    return rules(
        policy,
        rule ->
            with(rule, rule.action(), rule.peers(), rule.ports().stream().map(change).toList()));
  }

  private static Policy rules(Policy policy, UnaryOperator<Rule> change) {
    return with(policy, policy.isolates(), policy.rules().stream().map(change).toList());
  }

  private static Rule with(Rule rule, Action action, List<Peer> peers, List<PeerPort> ports) {
    return new Rule(rule.direction(), rule.index(), rule.name(), action, peers, ports);
  }

  private static Policy with(Policy policy, Tier tier, int priority) {
    return new Policy(
        policy.ref(),
        policy.uid(),
        policy.created(),
        policy.generation(),
        tier,
        priority,
        policy.subject(),
        policy.isolates(),
        policy.rules());
  }

  private static Policy with(Policy policy, Set<Direction> isolates, List<Rule> rules) {
    return new Policy(
        policy.ref(),
        policy.uid(),
        policy.created(),
        policy.generation(),
        policy.tier(),
        policy.priority(),
        policy.subject(),
        isolates,
        rules);
  }

  private interface Requirements {
    List<Requirement> of(Requirement one);
  }

  private static Policy selectors(Policy policy, Requirements change) {
    Policy changed =
        peers(
            policy,
            peer ->
                switch (peer) {
                  case Pods pods -> changed(pods, change);
                  case Nodes nodes -> new Nodes(changed(nodes.nodes(), change));
                  case Anyone anyone -> anyone;
                  case Block block -> block;
                });
    return new Policy(
        changed.ref(),
        changed.uid(),
        changed.created(),
        changed.generation(),
        changed.tier(),
        changed.priority(),
        changed(changed.subject(), change),
        changed.isolates(),
        changed.rules());
  }

  private static Pods changed(Pods pods, Requirements change) {
    return new Pods(
        pods.namespace(), changed(pods.namespaces(), change), changed(pods.pods(), change));
  }

  private static LabelSelector changed(LabelSelector selector, Requirements change) {
    return new LabelSelector(
        selector.requirements().stream().flatMap(one -> change.of(one).stream()).toList());
  }
}
