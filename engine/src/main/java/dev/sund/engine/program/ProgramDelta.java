package dev.sund.engine.program;

import dev.sund.model.Prefix;
import java.util.List;

/**
 * What changed between two states of a node's program, table by table.
 *
 * @param localPods changes by device
 * @param routes changes by destination
 * @param tunnels changes by device
 * @param tunnelPeers changes by device and next hop
 * @param masquerade changes by part and range
 */
public record ProgramDelta(
    List<Change<String, LocalPod>> localPods,
    List<Change<Prefix, Route>> routes,
    List<Change<String, Tunnel>> tunnels,
    List<Change<TunnelPeer.Key, TunnelPeer>> tunnelPeers,
    List<Change<Masquerade.Key, Masquerade>> masquerade) {
  /** Nothing changed. */
  public static final ProgramDelta NONE =
      new ProgramDelta(List.of(), List.of(), List.of(), List.of(), List.of());

  public ProgramDelta {
    localPods = List.copyOf(localPods);
    routes = List.copyOf(routes);
    tunnels = List.copyOf(tunnels);
    tunnelPeers = List.copyOf(tunnelPeers);
    masquerade = List.copyOf(masquerade);
  }

  /** The number of changed entries. */
  public int size() {
    return localPods.size()
        + routes.size()
        + tunnels.size()
        + tunnelPeers.size()
        + masquerade.size();
  }

  /** Whether nothing changed. */
  public boolean isEmpty() {
    return size() == 0;
  }
}
