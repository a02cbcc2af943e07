package dev.sund.engine.program;

import dev.sund.model.Ip;
import dev.sund.model.Prefix;
import dev.sund.model.Protocol;
import dev.sund.model.RuleId;
import java.util.Collections;
import java.util.List;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * The part of a node's program that says which connections of its pods policies allow: four tables,
 * asked one after the other, so that a packet costs the same however many policies there are.
 *
 * <pre>
 *  pod, direction ──► PodPolicy ── profile ──► PolicyPort ── peers ──┐
 *                                 protocol, port ──┘                 ├──► PolicyVerdict: allowed, rule
 *  peer's address ──► PolicyPeer ── class ───────────────────────────┘
 * </pre>
 *
 * <p>Immutable.
 *
 * @param pods by address and direction
 * @param ports by profile, protocol and first port
 * @param peers by range
 * @param verdicts by peers and class
 */
public record PolicyTables(
    SortedMap<PodPolicy.Key, PodPolicy> pods,
    NavigableMap<PolicyPort.Key, PolicyPort> ports,
    NavigableMap<Prefix, PolicyPeer> peers,
    SortedMap<PolicyVerdict.Key, PolicyVerdict> verdicts) {
  /** No policy concerns any pod of the node. */
  public static final PolicyTables EMPTY =
      new PolicyTables(new TreeMap<>(), new TreeMap<>(), new TreeMap<>(), new TreeMap<>());

  public PolicyTables {
    pods = Collections.unmodifiableSortedMap(new TreeMap<>(pods));
    ports = Collections.unmodifiableNavigableMap(new TreeMap<>(ports));
    peers = Collections.unmodifiableNavigableMap(new TreeMap<>(peers));
    verdicts = Collections.unmodifiableSortedMap(new TreeMap<>(verdicts));
  }

  /**
   * What policy says of a connection, by these tables alone.
   *
   * @param verdict the row that decided; empty when no policy concerns the pod in this direction
   * @param isolating the policies that isolate the pod in it
   */
  public record Judgement(Optional<PolicyVerdict> verdict, List<RuleId> isolating) {
    /** Whether the connection goes on. */
    public boolean allowed() {
      return verdict.isEmpty() || verdict.get().allowed();
    }
  }

  /**
   * Judges a connection's first packet.
   *
   * @param pod an address of a pod of this node
   * @param direction whether that pod is asked or asks
   * @param peer the other end's address, as this node sees it
   * @param protocol the packet's
   * @param port the destination's, 0 when the protocol has none
   * @throws IllegalStateException when a row that must be there is not, naming its key: the tables
   *     were lifted from a kernel in which it is missing
   */
  public Judgement judge(Ip pod, RuleId.Direction direction, Ip peer, Protocol protocol, int port) {
    return lookup().judge(pod, direction, peer, protocol, port);
  }

  /** These tables, to be asked. */
  public PolicyLookup lookup() {
    return new PolicyLookup(pods, ports, peers, verdicts);
  }

  /** The number of rows. */
  public int size() {
    return pods.size() + ports.size() + peers.size() + verdicts.size();
  }

  /** The class of an address: that of the longest range that contains it. */
  public int classOf(Ip address) {
    return lookup().classOf(address);
  }
}
