package dev.sund.engine.program;

import dev.sund.model.Prefix;
import java.util.List;

/**
 * What changed between two states of a node's {@link PolicyTables}, table by table.
 *
 * @param pods changes by address and direction
 * @param ports changes by profile, protocol and first port
 * @param peers changes by range
 * @param verdicts changes by peers and class
 */
public record PolicyDelta(
    List<Change<PodPolicy.Key, PodPolicy>> pods,
    List<Change<PolicyPort.Key, PolicyPort>> ports,
    List<Change<Prefix, PolicyPeer>> peers,
    List<Change<PolicyVerdict.Key, PolicyVerdict>> verdicts) {
  /** Nothing changed. */
  public static final PolicyDelta NONE =
      new PolicyDelta(List.of(), List.of(), List.of(), List.of());

  public PolicyDelta {
    pods = List.copyOf(pods);
    ports = List.copyOf(ports);
    peers = List.copyOf(peers);
    verdicts = List.copyOf(verdicts);
  }

  /** The number of changed entries. */
  public int size() {
    return pods.size() + ports.size() + peers.size() + verdicts.size();
  }
}
