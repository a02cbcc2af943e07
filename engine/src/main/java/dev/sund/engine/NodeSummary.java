package dev.sund.engine;

import dev.sund.model.Family;
import dev.sund.model.Ip;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * A node's program in a few numbers.
 *
 * @param uplinks where the node meets the underlay, at most one for each family
 * @param podMtu the MTU of pods' default routes, for each family of which there is an uplink
 * @param localPods pods of this node that have their network
 * @param routes all routes
 * @param tunnels the tunnels' devices, sorted
 * @param tunnelPeers nodes at the other ends of tunnels, counted once for each tunnel
 * @param frontends addresses and ports that are translated
 */
public record NodeSummary(
    List<Uplink> uplinks,
    SortedMap<Family, Integer> podMtu,
    int localPods,
    int routes,
    List<String> tunnels,
    int tunnelPeers,
    int frontends) {
  /** Of a node of which nothing is known. */
  public static final NodeSummary NONE =
      new NodeSummary(List.of(), new TreeMap<>(), 0, 0, List.of(), 0, 0);

  public NodeSummary {
    uplinks = List.copyOf(uplinks);
    podMtu = Collections.unmodifiableSortedMap(new TreeMap<>(podMtu));
    tunnels = List.copyOf(tunnels);
  }

  /**
   * Where a node meets the underlay.
   *
   * @param address the node's own
   * @param device the device that packets to other nodes leave by
   * @param mtu that device's MTU in bytes
   */
  public record Uplink(Ip address, String device, int mtu) {}

  static NodeSummary of(
      Fabric fabric, int localPods, int routes, List<String> tunnels, int peers, int frontends) {
    List<Uplink> uplinks = new ArrayList<>();
    SortedMap<Family, Integer> podMtu = new TreeMap<>();
    for (Family family : Family.values()) {
      fabric
          .uplink(family)
          .ifPresent(uplink -> {
            uplinks.add(new Uplink(uplink.address(), uplink.device(), uplink.mtu()));
            podMtu.put(family, fabric.podMtu(family));
          });
    }
    return new NodeSummary(uplinks, podMtu, localPods, routes, tunnels, peers, frontends);
  }
}
