package dev.sund.engine.policy.audit;

import dev.sund.engine.cluster.Policy;
import dev.sund.engine.policy.reach.PortSet;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Whether several rules together fit all that one rule fits: for each of its pods, each of its
 * peers and each of its ports some of them does. A block is covered by one block around it, not by
 * parts; a name of a port by the same name.
 */
final class Together {
  private final RuleScope rule;
  private final List<RuleScope> others;
  private final Map<BitSet, Boolean> known = new HashMap<>();

  private Together(RuleScope rule, List<RuleScope> others) {
    this.rule = rule;
    this.others = others;
  }

  /**
   * Those of the others that are needed to cover a rule.
   *
   * @return in their order; none when they do not cover it
   */
  static List<RuleScope> cover(RuleScope rule, List<RuleScope> others) {
    List<RuleScope> needed = new ArrayList<>();
    for (RuleScope other : others) {
      if (other.mayCoverSomeOf(rule)) {
        needed.add(other);
      }
    }
    if (!covers(rule, needed)) {
      return List.of();
    }
    for (int last = needed.size() - 1; last >= 0 && needed.size() > 1; last--) {
      List<RuleScope> fewer = new ArrayList<>(needed);
      fewer.remove(last);
      if (covers(rule, fewer)) {
        needed = fewer;
      }
    }
    return needed;
  }

  private static boolean covers(RuleScope rule, List<RuleScope> others) {
    return rule.fitsSomething() && new Together(rule, others).covers();
  }

  private boolean covers() {
    Set<BitSet> seen = new HashSet<>();
    for (int pod : rule.subjects().stream().toArray()) {
      BitSet about = new BitSet();
      for (int i = 0; i < others.size(); i++) {
        about.set(i, others.get(i).subjects().get(pod));
      }
      if (seen.add(about) && !peersAreCovered(about)) {
        return false;
      }
    }
    return true;
  }

  private boolean peersAreCovered(BitSet about) {
    if (rule.anyone()) {
      return portsAreCovered(about, RuleScope::anyone);
    }
    for (int pod : rule.pods().stream().toArray()) {
      if (!portsAreCovered(about, other -> other.anyone() || other.pods().get(pod))) {
        return false;
      }
    }
    for (Policy.Peer node : rule.nodes()) {
      if (!portsAreCovered(about, other -> other.anyone() || other.nodes().contains(node))) {
        return false;
      }
    }
    for (Policy.Block block : rule.blocks()) {
      if (!portsAreCovered(about, other -> other.anyone() || other.isAround(block))) {
        return false;
      }
    }
    return true;
  }

  private interface FitsPeer {
    boolean test(RuleScope other);
  }

  private boolean portsAreCovered(BitSet about, FitsPeer fits) {
    BitSet those = new BitSet();
    for (int i = about.nextSetBit(0); i >= 0; i = about.nextSetBit(i + 1)) {
      those.set(i, fits.test(others.get(i)));
    }
    return known.computeIfAbsent(those, this::portsAreCovered);
  }

  private boolean portsAreCovered(BitSet those) {
    PortSet numbers = PortSet.NONE;
    Set<Policy.PeerPort> names = new HashSet<>();
    for (int i = those.nextSetBit(0); i >= 0; i = those.nextSetBit(i + 1)) {
      numbers = numbers.union(others.get(i).numbers());
      names.addAll(others.get(i).names());
    }
    return numbers.isAll() || (numbers.contains(rule.numbers()) && names.containsAll(rule.names()));
  }
}
