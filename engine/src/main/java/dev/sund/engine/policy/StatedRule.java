package dev.sund.engine.policy;

import dev.sund.engine.cluster.Policy;
import dev.sund.model.RuleId;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A rule that can fit some connection, as it is asked. */
final class StatedRule implements Comparable<StatedRule> {
  final Stated of;
  final RuleId id;
  final Policy.Action action;

  /** Written in one way each, without repeats; {@code Anyone} alone where it is among them. */
  final List<Policy.Peer> peers;

  final boolean anyone;

  /** Whether ports make no difference; then there are no ranges and no names. */
  final boolean allPorts;

  final List<Policy.PortRange> ranges;
  final List<Policy.NamedPort> names;

  /** What its peers are while its policy concerns a pod of this node. */
  List<Atom> atoms = List.of();

  /** What its names are meanwhile, of a rule about the way out. */
  List<PortName> portNames = List.of();

  private Digest.@Nullable Value digest;

  StatedRule(Stated of, Policy.Rule rule) {
    this.of = of;
    this.id = of.policy.ruleId(rule.direction(), rule.index());
    this.action = rule.action();
    this.anyone = rule.peers().stream().anyMatch(Policy.Anyone.class::isInstance);
    this.peers =
        anyone
            ? List.of(new Policy.Anyone())
            : rule.peers().stream().map(Atom::canonical).distinct().toList();
    this.allPorts = rule.ports().stream().anyMatch(Policy.AllPorts.class::isInstance);
    List<Policy.PortRange> numbered = new ArrayList<>();
    List<Policy.NamedPort> named = new ArrayList<>();
    if (!allPorts) {
      for (Policy.PeerPort port : rule.ports()) {
        switch (port) {
          case Policy.AllPorts _ -> {}
          case Policy.PortRange range -> numbered.add(range);
          case Policy.NamedPort name -> named.add(name);
        }
      }
    }
    this.ranges = List.copyOf(numbered);
    this.names = named.stream().distinct().toList();
  }

  Policy.Tier tier() {
    return of.policy.tier();
  }

  /** Whether it can fit anything. */
  boolean fitsSomething() {
    return !peers.isEmpty() && (allPorts || !ranges.isEmpty() || !names.isEmpty());
  }

  /** Whether the other end is one of its peers. */
  boolean fits(PeerClass peer) {
    if (anyone) {
      return true;
    }
    for (Atom atom : atoms) {
      if (peer.atoms.contains(atom)) {
        return true;
      }
    }
    return false;
  }

  /** Who it is, what it does and for whom; nothing of ports. Asked for while it has its atoms. */
  Digest.Value digest() {
    if (digest == null) {
      Digest content = new Digest().text(id.toString()).text(tier().name()).text(action.name());
      List<Atom> sorted = atoms.stream().sorted().toList();
      content.number(sorted.size());
      sorted.forEach(atom -> content.value(atom.digest));
      digest = content.done();
    }
    return digest;
  }

  @Override
  public int compareTo(StatedRule other) {
    int order = of.compareTo(other.of);
    if (order == 0) {
      order = id.direction().compareTo(other.id.direction());
    }
    return order == 0 ? Integer.compare(id.index(), other.id.index()) : order;
  }
}
