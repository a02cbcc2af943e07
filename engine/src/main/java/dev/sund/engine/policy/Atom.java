package dev.sund.engine.policy;

import dev.sund.engine.cluster.Policy;
import dev.sund.model.Prefix;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.NavigableSet;
import java.util.Set;
import java.util.TreeSet;

/**
 * A peer of rules, however many rules of how many policies name it: what an address fits or does
 * not. It lives while a policy that concerns a pod of this node names it.
 */
final class Atom implements Comparable<Atom> {
  final Policy.Peer content;
  final Digest.Value digest;

  /** The rules that name it, in the order of policies. */
  final NavigableSet<StatedRule> rules = new TreeSet<>();

  /** Whether addresses have been asked for it. */
  boolean live;

  /** The names of ports that rules about the way out use of these peers, and how many rules do. */
  final Map<PortName, Integer> names = new HashMap<>();

  /** Whether addresses have to be asked anew though it lives as before: its names changed. */
  boolean renamed;

  /** The classes of addresses that fit it. */
  final Set<PeerClass> classes = new HashSet<>();

  /** The lists with a rule that names it. */
  final Set<AskedRules> lists = new HashSet<>();

  Atom(Policy.Peer content) {
    this.content = content;
    this.digest = digest(content);
  }

  /** A peer as it is written in one way only. */
  static Policy.Peer canonical(Policy.Peer peer) {
    return switch (peer) {
      case Policy.Block(Prefix range, var except) ->
          new Policy.Block(
              range, except.stream().filter(range::contains).distinct().sorted().toList());
      case Policy.Anyone _, Policy.Pods _, Policy.Nodes _ -> peer;
    };
  }

  /** Whether a rule names it. */
  boolean isNamed() {
    return !rules.isEmpty();
  }

  private static Digest.Value digest(Policy.Peer content) {
    Digest digest = new Digest();
    switch (content) {
      case Policy.Anyone() -> digest.number(1);
      case Policy.Pods(var namespace, var namespaces, var pods) -> {
        digest.number(2).text(namespace.orElse(""));
        digest.selector(namespaces).selector(pods);
      }
      case Policy.Block(Prefix range, var except) -> {
        digest.number(3).text(range.toString()).number(except.size());
        except.forEach(one -> digest.text(one.toString()));
      }
      case Policy.Nodes(var nodes) -> digest.number(4).selector(nodes);
    }
    return digest.done();
  }

  @Override
  public int compareTo(Atom other) {
    return digest.compareTo(other.digest);
  }
}
