package dev.sund.agent.verify;

import dev.sund.dataplane.BridgeLinks;
import dev.sund.dataplane.SocketRoutes;
import dev.sund.dataplane.nft.BridgeTableDriver;
import dev.sund.dataplane.nft.NftPort;
import dev.sund.engine.cluster.ClusterEvent;
import dev.sund.engine.cluster.Pod;
import dev.sund.engine.cluster.PortOnBridge;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.NetNs;
import dev.sund.kernel.nft.NftSocket;
import dev.sund.model.Ip;
import dev.sund.model.NodeName;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Which containers are on the node's bridges, which no object of the cluster tells of: those that
 * have links and addresses in the kernel are meant to be as they are. Which pods they are, their
 * addresses say.
 */
final class BridgedPods {
  private BridgedPods() {}

  static List<PortOnBridge> of(NetNs namespace, NodeName node, List<ClusterEvent> cluster)
      throws KernelException {
    Map<String, List<Ip>> senders;
    try (NftPort frames = NftPort.ofBridges(NftSocket.open(namespace))) {
      senders = BridgeTableDriver.senders(frames.contents());
    }
    if (senders.isEmpty()) {
      return List.of();
    }
    List<PortOnBridge> found = new ArrayList<>();
    try (SocketRoutes kernel = SocketRoutes.open(namespace)) {
      for (BridgeLinks.Joined joined : BridgeLinks.joined(kernel)) {
        List<Ip> addresses = senders.getOrDefault(joined.device(), List.of());
        if (!addresses.isEmpty()) {
          Optional<Pod> pod = pod(addresses, node, cluster);
          found.add(
              new PortOnBridge(
                  joined.container(),
                  joined.device(),
                  joined.bridge(),
                  pod.map(Pod::key),
                  pod.map(Pod::uid).orElse(""),
                  addresses,
                  joined.hairpin()));
        }
      }
    }
    return found;
  }

  private static Optional<Pod> pod(List<Ip> addresses, NodeName node, List<ClusterEvent> cluster) {
    for (ClusterEvent event : cluster) {
      if (event instanceof ClusterEvent.PodSeen(Pod pod)
          && pod.node().equals(Optional.of(node))
          && !pod.hostNetwork()
          && !pod.finished()
          && pod.ips().stream().anyMatch(addresses::contains)) {
        return Optional.of(pod);
      }
    }
    return Optional.empty();
  }
}
