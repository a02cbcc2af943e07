package dev.sund.engine.program;

import dev.sund.engine.cluster.NodeFacts;
import dev.sund.model.Ip;
import dev.sund.model.NodeName;
import dev.sund.model.Prefix;
import java.util.Collections;
import java.util.List;
import java.util.NavigableMap;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What one node does to a connection's first packet: immutable tables, nothing else.
 *
 * <p>Made by the compilers ("wanted") or lifted from the kernel by the drivers ("in force"); both
 * are traced by the same interpreter and compared row by row.
 *
 * @param node whose program it is
 * @param nodeAddresses the node's addresses in the cluster ({@code InternalIP}), one a family
 * @param facts what the node has that Sund did not make; the program runs beside it
 * @param localPods by device
 * @param routes by destination
 * @param tunnels by device
 * @param tunnelPeers by device and next hop
 * @param masquerade by part and range
 * @param frontends by place, protocol and port
 * @param endpoints by frontend, view and slot
 * @param sourceRanges by frontend and range
 * @param policy which connections of its pods go on
 * @param bridgePorts by device
 */
public record PacketProgram(
    NodeName node,
    List<Ip> nodeAddresses,
    NodeFacts facts,
    SortedMap<String, LocalPod> localPods,
    NavigableMap<Prefix, Route> routes,
    SortedMap<String, Tunnel> tunnels,
    SortedMap<TunnelPeer.Key, TunnelPeer> tunnelPeers,
    SortedMap<Masquerade.Key, Masquerade> masquerade,
    SortedMap<Frontend.Key, Frontend> frontends,
    SortedMap<Endpoint.Key, Endpoint> endpoints,
    SortedMap<SourceRange.Key, SourceRange> sourceRanges,
    PolicyTables policy,
    SortedMap<String, BridgePort> bridgePorts) {

  public PacketProgram {
    nodeAddresses = List.copyOf(nodeAddresses);
    localPods = Collections.unmodifiableSortedMap(new TreeMap<>(localPods));
    routes = Collections.unmodifiableNavigableMap(new TreeMap<>(routes));
    tunnels = Collections.unmodifiableSortedMap(new TreeMap<>(tunnels));
    tunnelPeers = Collections.unmodifiableSortedMap(new TreeMap<>(tunnelPeers));
    masquerade = Collections.unmodifiableSortedMap(new TreeMap<>(masquerade));
    frontends = Collections.unmodifiableSortedMap(new TreeMap<>(frontends));
    endpoints = Collections.unmodifiableSortedMap(new TreeMap<>(endpoints));
    sourceRanges = Collections.unmodifiableSortedMap(new TreeMap<>(sourceRanges));
    bridgePorts = Collections.unmodifiableSortedMap(new TreeMap<>(bridgePorts));
  }

  /** A program of a node without containers on bridges. */
  public PacketProgram(
      NodeName node,
      List<Ip> nodeAddresses,
      NodeFacts facts,
      SortedMap<String, LocalPod> localPods,
      NavigableMap<Prefix, Route> routes,
      SortedMap<String, Tunnel> tunnels,
      SortedMap<TunnelPeer.Key, TunnelPeer> tunnelPeers,
      SortedMap<Masquerade.Key, Masquerade> masquerade,
      SortedMap<Frontend.Key, Frontend> frontends,
      SortedMap<Endpoint.Key, Endpoint> endpoints,
      SortedMap<SourceRange.Key, SourceRange> sourceRanges,
      PolicyTables policy) {
    this(
        node,
        nodeAddresses,
        facts,
        localPods,
        routes,
        tunnels,
        tunnelPeers,
        masquerade,
        frontends,
        endpoints,
        sourceRanges,
        policy,
        new TreeMap<>());
  }

  /** A program without policies. */
  public PacketProgram(
      NodeName node,
      List<Ip> nodeAddresses,
      NodeFacts facts,
      SortedMap<String, LocalPod> localPods,
      NavigableMap<Prefix, Route> routes,
      SortedMap<String, Tunnel> tunnels,
      SortedMap<TunnelPeer.Key, TunnelPeer> tunnelPeers,
      SortedMap<Masquerade.Key, Masquerade> masquerade,
      SortedMap<Frontend.Key, Frontend> frontends,
      SortedMap<Endpoint.Key, Endpoint> endpoints,
      SortedMap<SourceRange.Key, SourceRange> sourceRanges) {
    this(
        node,
        nodeAddresses,
        facts,
        localPods,
        routes,
        tunnels,
        tunnelPeers,
        masquerade,
        frontends,
        endpoints,
        sourceRanges,
        PolicyTables.EMPTY);
  }

  /** A program whose frontends may be asked from everywhere. */
  public PacketProgram(
      NodeName node,
      List<Ip> nodeAddresses,
      NodeFacts facts,
      SortedMap<String, LocalPod> localPods,
      NavigableMap<Prefix, Route> routes,
      SortedMap<String, Tunnel> tunnels,
      SortedMap<TunnelPeer.Key, TunnelPeer> tunnelPeers,
      SortedMap<Masquerade.Key, Masquerade> masquerade,
      SortedMap<Frontend.Key, Frontend> frontends,
      SortedMap<Endpoint.Key, Endpoint> endpoints) {
    this(
        node,
        nodeAddresses,
        facts,
        localPods,
        routes,
        tunnels,
        tunnelPeers,
        masquerade,
        frontends,
        endpoints,
        new TreeMap<>());
  }

  /** The same program with these policies. */
  public PacketProgram with(PolicyTables tables) {
    return new PacketProgram(
        node,
        nodeAddresses,
        facts,
        localPods,
        routes,
        tunnels,
        tunnelPeers,
        masquerade,
        frontends,
        endpoints,
        sourceRanges,
        tables,
        bridgePorts);
  }

  /** A program without entries. */
  public static PacketProgram empty(NodeName node) {
    return new PacketProgram(
        node,
        List.of(),
        NodeFacts.NONE,
        new TreeMap<>(),
        new TreeMap<>(),
        new TreeMap<>(),
        new TreeMap<>(),
        new TreeMap<>(),
        new TreeMap<>(),
        new TreeMap<>());
  }
}
