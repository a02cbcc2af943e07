package dev.sund.engine.policy.audit;

import dev.sund.engine.cluster.Policy;
import dev.sund.engine.policy.reach.PortSet;
import dev.sund.model.Prefix;
import java.util.BitSet;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * A rule, and whom it is about among the pods there are.
 *
 * @param policy that it is of
 * @param place in the order in which rules are asked
 * @param subjects its policy's pods
 * @param pods those that its peers select, blocks left out
 */
record RuleScope(Policy policy, Policy.Rule rule, int place, BitSet subjects, BitSet pods) {
  boolean anyone() {
    return rule.peers().stream().anyMatch(Policy.Anyone.class::isInstance);
  }

  List<Policy.Block> blocks() {
    return rule.peers().stream()
        .filter(Policy.Block.class::isInstance)
        .map(Policy.Block.class::cast)
        .toList();
  }

  Set<Policy.Peer> nodes() {
    Set<Policy.Peer> nodes = new HashSet<>(rule.peers());
    nodes.removeIf(peer -> !(peer instanceof Policy.Nodes));
    return nodes;
  }

  /** Its ports by number. */
  PortSet numbers() {
    PortSet all = PortSet.NONE;
    for (Policy.PeerPort port : rule.ports()) {
      all =
          switch (port) {
            case Policy.AllPorts() -> PortSet.ALL;
            case Policy.PortRange(var protocol, int first, int last) ->
                all.union(PortSet.of(protocol, first, last));
            case Policy.NamedPort _ -> all;
          };
    }
    return all;
  }

  Set<Policy.PeerPort> names() {
    Set<Policy.PeerPort> names = new HashSet<>(rule.ports());
    names.removeIf(port -> !(port instanceof Policy.NamedPort));
    return names;
  }

  /** Whether every connection of its pods that this rule fits fits the other one too. */
  boolean isCoveredBy(RuleScope other) {
    return rule.direction() == other.rule.direction()
        && fitsSomething()
        && contains(other.subjects, subjects)
        && peersAreIn(other)
        && portsAreIn(other);
  }

  boolean fitsSomething() {
    return !rule.ports().isEmpty()
        && (anyone() || !pods.isEmpty() || !blocks().isEmpty() || !nodes().isEmpty());
  }

  /** Whether it may cover some of what another rule fits, and is not that rule. */
  boolean mayCoverSomeOf(RuleScope other) {
    return place != other.place
        && rule.direction() == other.rule.direction()
        && fitsSomething()
        && subjects.intersects(other.subjects);
  }

  private boolean peersAreIn(RuleScope other) {
    if (other.anyone()) {
      return true;
    }
    return !anyone()
        && contains(other.pods, pods)
        && other.nodes().containsAll(nodes())
        && blocks().stream().allMatch(other::isAround);
  }

  /** Whether one of its blocks has all of this one. */
  boolean isAround(Policy.Block block) {
    return blocks().stream().anyMatch(around -> isIn(block, around));
  }

  private static boolean isIn(Policy.Block block, Policy.Block around) {
    return around.range().contains(block.range())
        && around.except().stream().allMatch(hole -> isOut(block, hole));
  }

  private static boolean isOut(Policy.Block block, Prefix hole) {
    return !hole.overlaps(block.range())
        || block.except().stream().anyMatch(own -> own.contains(hole));
  }

  private boolean portsAreIn(RuleScope other) {
    PortSet theirs = other.numbers();
    return theirs.isAll() || (theirs.contains(numbers()) && other.names().containsAll(names()));
  }

  /** Whether some connection of the pods there are may fit both. */
  boolean meets(RuleScope other) {
    return rule.direction() == other.rule.direction()
        && subjects.intersects(other.subjects)
        && (anyone() || other.anyone() || pods.intersects(other.pods))
        && !numbers().intersection(other.numbers()).isEmpty();
  }

  private static boolean contains(BitSet all, BitSet part) {
    BitSet rest = (BitSet) part.clone();
    rest.andNot(all);
    return rest.isEmpty();
  }
}
