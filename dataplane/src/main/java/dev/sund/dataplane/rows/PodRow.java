package dev.sund.dataplane.rows;

import dev.sund.model.Ip;
import dev.sund.model.Mac;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * A pod's link: both ends with all that hangs on them. Key: {@code device}.
 *
 * @param device the host-side device
 * @param host the node's end
 * @param inside the pod's end; empty when it could not be read
 */
public record PodRow(String device, HostSide host, Optional<InsideSide> inside) {

  /**
   * The node's end of a pod's link.
   *
   * @param mac the gateway's MAC address
   * @param mtu in bytes
   * @param group the link group
   * @param alias the ifalias: whose it is
   * @param up whether it is switched on
   * @param neighbours permanent entries: the pod's addresses
   */
  public record HostSide(
      Mac mac, int mtu, int group, String alias, boolean up, SortedMap<Ip, Mac> neighbours) {
    public HostSide {
      neighbours = java.util.Collections.unmodifiableSortedMap(new TreeMap<>(neighbours));
    }
  }

  /**
   * The pod's end.
   *
   * @param name the device inside, such as {@code eth0}
   * @param mac its address
   * @param mtu in bytes
   * @param up whether it is switched on
   * @param addresses those of global scope with their lengths, as text such as {@code
   *     10.244.1.5/32}
   * @param routes by destination, such as {@code default v4}
   * @param neighbours permanent entries: the gateways
   */
  public record InsideSide(
      String name,
      Mac mac,
      int mtu,
      boolean up,
      SortedSet<String> addresses,
      SortedMap<String, InsideRoute> routes,
      SortedMap<Ip, Mac> neighbours) {
    public InsideSide {
      addresses = java.util.Collections.unmodifiableSortedSet(new TreeSet<>(addresses));
      routes = java.util.Collections.unmodifiableSortedMap(new TreeMap<>(routes));
      neighbours = java.util.Collections.unmodifiableSortedMap(new TreeMap<>(neighbours));
    }
  }

  /**
   * A route inside a pod.
   *
   * @param gateway the next hop, empty for the route to the gateway itself
   * @param mtu the largest packet in bytes, 0 for the device's
   */
  public record InsideRoute(Optional<Ip> gateway, int mtu) {}

  /** This pod with the other's inside: for one whose own could not be read. */
  public PodRow withInsideOf(PodRow other) {
    return new PodRow(device, host, other.inside);
  }

  /**
   * Told row by row: {@code pod-link}, {@code neighbour}, {@code pod-device}, {@code pod-address},
   * {@code pod-route}, {@code pod-neighbour}. What is inside of the pod is named by the host-side
   * device.
   */
  public List<Row> describe() {
    List<Row> rows = new ArrayList<>();
    rows.add(
        Row.of("pod-link", device)
            .with("address", host.mac)
            .with("mtu", host.mtu)
            .with("group", "0x" + Integer.toHexString(host.group))
            .with("alias", host.alias.isEmpty() ? "none" : host.alias)
            .with("up", host.up)
            .row());
    host.neighbours.forEach(
        (ip, mac) -> rows.add(NeighbourRow.permanent(device, ip, mac).describe()));
    inside.ifPresent(side -> describeInside(side, rows));
    return rows;
  }

  private void describeInside(InsideSide side, List<Row> rows) {
    String pod = " in pod of " + device;
    rows.add(
        Row.of("pod-device", device)
            .with("name", side.name)
            .with("address", side.mac)
            .with("mtu", side.mtu)
            .with("up", side.up)
            .row());
    side.addresses.forEach(address -> rows.add(Row.of("pod-address", address + pod).row()));
    side.routes.forEach((destination, route) ->
        rows.add(
            Row.of("pod-route", destination + pod)
                .maybe("via", route.gateway)
                .with("mtu", route.mtu)
                .row()));
    side.neighbours.forEach(
        (ip, mac) -> rows.add(Row.of("pod-neighbour", ip + pod).with("lladdr", mac).row()));
  }

  /** One line for logs. */
  @Override
  public String toString() {
    return "pod-link "
        + device
        + " alias '"
        + host.alias
        + "' mtu "
        + host.mtu
        + " addresses "
        + host.neighbours.keySet();
  }
}
