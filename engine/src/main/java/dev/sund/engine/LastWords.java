package dev.sund.engine;

import dev.sund.engine.cluster.ClusterEvent;
import dev.sund.engine.cluster.Node;
import dev.sund.engine.cluster.Policy;
import dev.sund.engine.cluster.Service;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * All that a compiler has been told and still counts: another one that is told the same makes the
 * same program.
 *
 * @param cluster what every node is told: objects of the cluster, in an order of their names
 * @param node what only this node is told: its pods' attachments, its own networks, its kernel's
 *     facts
 */
public record LastWords(List<ClusterEvent> cluster, List<ClusterEvent> node) {
  public LastWords {
    cluster = List.copyOf(cluster);
    node = List.copyOf(node);
  }

  static LastWords of(ClusterState state) {
    List<ClusterEvent> cluster = new ArrayList<>();
    // This node among the others has the addresses that were found, not those that it tells.
    for (Node node : state.nodes().all()) {
      boolean own = node.name().equals(state.self());
      cluster.add(new ClusterEvent.NodeSeen(own ? state.selfAsTold().orElse(node) : node));
    }
    state.pods().forEach(pod -> cluster.add(new ClusterEvent.PodSeen(pod)));
    state.namespaces().forEach(one -> cluster.add(new ClusterEvent.NamespaceSeen(one)));
    state.pools().layers().forEach(layer -> cluster.add(new ClusterEvent.LayerSeen(layer)));
    state.pools().all().forEach(pool -> cluster.add(new ClusterEvent.PoolSeen(pool)));
    state.blocks().all().forEach(block -> cluster.add(new ClusterEvent.BlockSeen(block)));
    for (Policy policy : state.policies().policies()) {
      cluster.add(new ClusterEvent.PolicySeen(policy, List.of()));
    }
    for (Service service : state.services().services()) {
      cluster.add(new ClusterEvent.ServiceSeen(service));
    }
    state.services().slices().forEach(slice -> cluster.add(new ClusterEvent.SliceSeen(slice)));
    cluster.add(new ClusterEvent.ServicesSet(state.services().settings()));
    cluster.sort(Comparator.comparing(ClusterEvent::key));
    if (state.synced()) {
      cluster.add(new ClusterEvent.Synced());
    }
    List<ClusterEvent> node = new ArrayList<>();
    state.facts().ifPresent(facts -> node.add(new ClusterEvent.FactsSeen(facts)));
    node.add(new ClusterEvent.TunnelsAddressed(state.tunnelAddresses()));
    state.alone().networks().forEach(one -> node.add(new ClusterEvent.NetworkSeen(one)));
    state.alone().containers().forEach(one -> node.add(new ClusterEvent.PortsSeen(one)));
    state.alone().ports().forEach(one -> node.add(new ClusterEvent.BridgeJoined(one)));
    state.attachments().all().forEach(one -> node.add(new ClusterEvent.Attached(one)));
    return new LastWords(cluster, node);
  }
}
