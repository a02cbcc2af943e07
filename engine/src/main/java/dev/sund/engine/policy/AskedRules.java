package dev.sund.engine.policy;

import dev.sund.engine.cluster.Policy;
import dev.sund.engine.program.PolicyVerdict;
import dev.sund.model.RuleId;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** The rules that are asked of a range of ports, in their order, and what is so when none fits. */
final class AskedRules {
  /** The rule of what no policy decides. */
  static final RuleId OPEN = RuleId.builtin("no-policy-decides");

  final long number;
  final List<Asked> rules;

  /** What closes the pod when no rule fits; empty when it stays open. */
  final Optional<RuleId> closedBy;

  /** How many profiles have a range with it. */
  int profiles;

  /** Whether it has verdicts. */
  boolean live;

  private @Nullable PolicyVerdict others;

  /**
   * A rule that fits the port.
   *
   * @param names by which of these names alone it does, if the peer means it by one of them; empty
   *     when the port's number fits
   * @param code the port that is to be meant
   */
  record Asked(StatedRule rule, List<PortName> names, int code) {
    boolean fits(PeerClass peer) {
      return rule.fits(peer)
          && (names.isEmpty() || names.stream().anyMatch(name -> peer.means(name, code)));
    }
  }

  AskedRules(long number, List<Asked> rules, Optional<RuleId> closedBy) {
    this.number = number;
    this.rules = List.copyOf(rules);
    this.closedBy = closedBy;
  }

  /** Eight bytes of a digest of its content. */
  static long number(List<Asked> rules, Optional<RuleId> closedBy) {
    Digest content = new Digest().number(rules.size());
    for (Asked asked : rules) {
      content.value(asked.rule.digest()).number(asked.names.size());
      if (!asked.names.isEmpty()) {
        content.number(asked.code);
        asked.names.forEach(name -> content.value(name.digest));
      }
    }
    content.text(closedBy.map(RuleId::toString).orElse(""));
    return content.done().word(0);
  }

  /** What is said to peers that nothing tells from all others. */
  PolicyVerdict others() {
    if (others == null) {
      others = judge(PeerClass.OTHERS);
    }
    return others;
  }

  /** What is said to peers of a class. */
  PolicyVerdict judge(PeerClass peer) {
    Optional<Policy.Tier> passed = Optional.empty();
    for (Asked asked : rules) {
      StatedRule rule = asked.rule;
      if (passed.equals(Optional.of(rule.tier())) || !asked.fits(peer)) {
        continue;
      }
      switch (rule.action) {
        case ACCEPT -> {
          return verdict(peer, true, rule.id);
        }
        case DENY -> {
          return verdict(peer, false, rule.id);
        }
        case PASS -> passed = Optional.of(rule.tier());
      }
    }
    return verdict(peer, closedBy.isEmpty(), closedBy.orElse(OPEN));
  }

  private PolicyVerdict verdict(PeerClass peer, boolean allowed, RuleId rule) {
    return new PolicyVerdict(new PolicyVerdict.Key(number, peer.number), allowed, rule);
  }

  /** The classes that one of its rules tells from others. */
  Set<PeerClass> classes() {
    Set<PeerClass> found = new HashSet<>();
    for (Asked asked : rules) {
      asked.rule.atoms.forEach(atom -> found.addAll(atom.classes));
      if (asked.rule.anyone) { // of all others' rules names fit only whom the rule fits
        asked.names.forEach(name -> found.addAll(name.classes));
      }
    }
    return found;
  }

  void eachAtom(Consumer<Atom> taker) {
    rules.forEach(asked -> asked.rule.atoms.forEach(taker));
  }

  /** The names that alone tell a class from others: all else is told by a rule's atoms first. */
  void eachName(Consumer<PortName> taker) {
    for (Asked asked : rules) {
      if (asked.rule.anyone) {
        asked.names.forEach(taker);
      }
    }
  }
}
