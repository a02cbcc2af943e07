package dev.sund.engine.program;

import dev.sund.model.Prefix;
import dev.sund.model.RuleId;
import java.util.List;
import java.util.function.Function;

/**
 * What changed between two states of a node's program, table by table.
 *
 * @param localPods changes by device
 * @param routes changes by destination
 * @param tunnels changes by device
 * @param tunnelPeers changes by device and next hop
 * @param masquerade changes by part and range
 * @param frontends changes by place, protocol and port
 * @param endpoints changes by frontend, view and slot
 * @param sourceRanges changes by frontend and range
 * @param policy changes of which connections of its pods go on
 * @param bridgePorts changes by device
 */
public record ProgramDelta(
    List<Change<String, LocalPod>> localPods,
    List<Change<Prefix, Route>> routes,
    List<Change<String, Tunnel>> tunnels,
    List<Change<TunnelPeer.Key, TunnelPeer>> tunnelPeers,
    List<Change<Masquerade.Key, Masquerade>> masquerade,
    List<Change<Frontend.Key, Frontend>> frontends,
    List<Change<Endpoint.Key, Endpoint>> endpoints,
    List<Change<SourceRange.Key, SourceRange>> sourceRanges,
    PolicyDelta policy,
    List<Change<String, BridgePort>> bridgePorts) {
  /** Nothing changed. */
  public static final ProgramDelta NONE =
      new ProgramDelta(
          List.of(), List.of(), List.of(), List.of(), List.of(), List.of(), List.of(), List.of());

  public ProgramDelta {
    localPods = List.copyOf(localPods);
    routes = List.copyOf(routes);
    tunnels = List.copyOf(tunnels);
    tunnelPeers = List.copyOf(tunnelPeers);
    masquerade = List.copyOf(masquerade);
    frontends = List.copyOf(frontends);
    endpoints = List.copyOf(endpoints);
    sourceRanges = List.copyOf(sourceRanges);
    bridgePorts = List.copyOf(bridgePorts);
  }

  /** A delta in which nothing changed on bridges. */
  public ProgramDelta(
      List<Change<String, LocalPod>> localPods,
      List<Change<Prefix, Route>> routes,
      List<Change<String, Tunnel>> tunnels,
      List<Change<TunnelPeer.Key, TunnelPeer>> tunnelPeers,
      List<Change<Masquerade.Key, Masquerade>> masquerade,
      List<Change<Frontend.Key, Frontend>> frontends,
      List<Change<Endpoint.Key, Endpoint>> endpoints,
      List<Change<SourceRange.Key, SourceRange>> sourceRanges,
      PolicyDelta policy) {
    this(
        localPods,
        routes,
        tunnels,
        tunnelPeers,
        masquerade,
        frontends,
        endpoints,
        sourceRanges,
        policy,
        List.of());
  }

  /** A delta in which nothing changed in policies. */
  public ProgramDelta(
      List<Change<String, LocalPod>> localPods,
      List<Change<Prefix, Route>> routes,
      List<Change<String, Tunnel>> tunnels,
      List<Change<TunnelPeer.Key, TunnelPeer>> tunnelPeers,
      List<Change<Masquerade.Key, Masquerade>> masquerade,
      List<Change<Frontend.Key, Frontend>> frontends,
      List<Change<Endpoint.Key, Endpoint>> endpoints,
      List<Change<SourceRange.Key, SourceRange>> sourceRanges) {
    this(
        localPods,
        routes,
        tunnels,
        tunnelPeers,
        masquerade,
        frontends,
        endpoints,
        sourceRanges,
        PolicyDelta.NONE);
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

  /** A delta in which nothing changed in who may ask. */
  public ProgramDelta(
      List<Change<String, LocalPod>> localPods,
      List<Change<Prefix, Route>> routes,
      List<Change<String, Tunnel>> tunnels,
      List<Change<TunnelPeer.Key, TunnelPeer>> tunnelPeers,
      List<Change<Masquerade.Key, Masquerade>> masquerade,
      List<Change<Frontend.Key, Frontend>> frontends,
      List<Change<Endpoint.Key, Endpoint>> endpoints) {
    this(localPods, routes, tunnels, tunnelPeers, masquerade, frontends, endpoints, List.of());
  }

  /** The number of changed entries. */
  public int size() {
    return localPods.size()
        + routes.size()
        + tunnels.size()
        + tunnelPeers.size()
        + masquerade.size()
        + frontends.size()
        + endpoints.size()
        + sourceRanges.size()
        + policy.size()
        + bridgePorts.size();
  }

  /**
   * The changes that follow from this node alone, whatever is in the cluster: its bridges and the
   * ports of containers on them.
   */
  public ProgramDelta ofNodeAlone() {
    return part(true);
  }

  /** The other changes than {@link #ofNodeAlone}. */
  public ProgramDelta ofCluster() {
    return part(false);
  }

  private ProgramDelta part(boolean alone) {
    return new ProgramDelta(
        alone ? List.of() : localPods,
        alone ? List.of() : routes,
        alone ? List.of() : tunnels,
        alone ? List.of() : tunnelPeers,
        masquerade.stream().filter(change -> isOfNode(change.key().part()) == alone).toList(),
        frontends.stream().filter(change -> isOfNode(change, Frontend::rule) == alone).toList(),
        endpoints.stream().filter(change -> isOfNode(change, Endpoint::rule) == alone).toList(),
        alone ? List.of() : sourceRanges,
        alone ? PolicyDelta.NONE : policy,
        alone ? bridgePorts : List.of());
  }

  private static boolean isOfNode(Masquerade.Part part) {
    return switch (part) {
      case BRIDGED, NEIGHBOURS -> true;
      case NAT_OUTGOING, CLUSTER -> false;
    };
  }

  private static <K, V> boolean isOfNode(Change<K, V> change, Function<V, RuleId> rule) {
    return rule.apply(change.row()).object().kind().equals(RuleId.CONTAINER);
  }

  /** Whether nothing changed. */
  public boolean isEmpty() {
    return size() == 0;
  }
}
