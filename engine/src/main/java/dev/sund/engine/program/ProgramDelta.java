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
 * @param frontends changes by place, protocol and port
 * @param endpoints changes by frontend and slot
 */
public record ProgramDelta(
    List<Change<String, LocalPod>> localPods,
    List<Change<Prefix, Route>> routes,
    List<Change<String, Tunnel>> tunnels,
    List<Change<TunnelPeer.Key, TunnelPeer>> tunnelPeers,
    List<Change<Masquerade.Key, Masquerade>> masquerade,
    List<Change<Frontend.Key, Frontend>> frontends,
    List<Change<Endpoint.Key, Endpoint>> endpoints) {
  /** Nothing changed. */
  public static final ProgramDelta NONE =
      new ProgramDelta(List.of(), List.of(), List.of(), List.of(), List.of(), List.of(), List.of());

  public ProgramDelta {
    localPods = List.copyOf(localPods);
    routes = List.copyOf(routes);
    tunnels = List.copyOf(tunnels);
    tunnelPeers = List.copyOf(tunnelPeers);
    masquerade = List.copyOf(masquerade);
    frontends = List.copyOf(frontends);
    endpoints = List.copyOf(endpoints);
  }

  /** A delta of the fabric alone: nothing changed in what destinations are translated to. */
  public ProgramDelta(
      List<Change<String, LocalPod>> localPods,
      List<Change<Prefix, Route>> routes,
      List<Change<String, Tunnel>> tunnels,
      List<Change<TunnelPeer.Key, TunnelPeer>> tunnelPeers,
      List<Change<Masquerade.Key, Masquerade>> masquerade) {
    this(localPods, routes, tunnels, tunnelPeers, masquerade, List.of(), List.of());
  }

  /** The number of changed entries. */
  public int size() {
    return localPods.size()
        + routes.size()
        + tunnels.size()
        + tunnelPeers.size()
        + masquerade.size()
        + frontends.size()
        + endpoints.size();
  }

  /** Whether nothing changed. */
  public boolean isEmpty() {
    return size() == 0;
  }
}
