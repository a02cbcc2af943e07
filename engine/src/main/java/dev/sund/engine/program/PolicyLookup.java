package dev.sund.engine.program;

import dev.sund.engine.program.PolicyTables.Judgement;
import dev.sund.model.Ip;
import dev.sund.model.Prefix;
import dev.sund.model.Protocol;
import dev.sund.model.RuleId;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Asks the four tables of policies about one connection. The rows are somebody else's and are not
 * copied: valid as long as nobody changes them.
 *
 * @param pods by address and direction
 * @param ports by profile, protocol and first port
 * @param peers by range
 * @param verdicts by peers and class
 */
public record PolicyLookup(
    Map<PodPolicy.Key, PodPolicy> pods,
    NavigableMap<PolicyPort.Key, PolicyPort> ports,
    Map<Prefix, PolicyPeer> peers,
    Map<PolicyVerdict.Key, PolicyVerdict> verdicts) {

  /** As {@link PolicyTables#judge}. */
  public Judgement judge(Ip pod, RuleId.Direction direction, Ip peer, Protocol protocol, int port) {
    @Nullable PodPolicy policy = pods.get(new PodPolicy.Key(pod, direction));
    if (policy == null) {
      return new Judgement(Optional.empty(), List.of());
    }
    long asked = portOf(policy.profile(), protocol, port).peers();
    @Nullable PolicyVerdict verdict = verdicts.get(new PolicyVerdict.Key(asked, classOf(peer)));
    if (verdict == null) {
      PolicyVerdict.Key others = PolicyVerdict.Key.others(asked);
      verdict = verdicts.get(others);
      if (verdict == null) {
        throw new IllegalStateException("there is no verdict " + others);
      }
    }
    return new Judgement(Optional.of(verdict), policy.isolating());
  }

  private PolicyPort portOf(long profile, Protocol protocol, int port) {
    if (protocol != Protocol.ICMP) {
      var found = ports.floorEntry(new PolicyPort.Key(profile, Optional.of(protocol), port));
      if (found != null
          && found.getKey().profile() == profile
          && found.getKey().protocol().equals(Optional.of(protocol))
          && found.getValue().last() >= port) {
        return found.getValue();
      }
    }
    @Nullable PolicyPort others = ports.get(PolicyPort.Key.others(profile));
    if (others == null) {
      throw new IllegalStateException("there is no row " + PolicyPort.Key.others(profile));
    }
    return others;
  }

  /** The policies that isolate a pod in a direction; empty when none does. */
  public List<RuleId> isolating(Ip pod, RuleId.Direction direction) {
    @Nullable PodPolicy policy = pods.get(new PodPolicy.Key(pod, direction));
    return policy == null ? List.of() : policy.isolating();
  }

  /** The class of an address: that of the longest range that contains it. */
  public int classOf(Ip address) {
    for (int length = address.family().bits(); length >= 0; length--) {
      @Nullable PolicyPeer peer = peers.get(Prefix.around(address, length));
      if (peer != null) {
        return peer.peerClass();
      }
    }
    return PolicyPeer.OTHERS;
  }
}
