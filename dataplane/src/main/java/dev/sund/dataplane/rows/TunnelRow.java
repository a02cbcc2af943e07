package dev.sund.dataplane.rows;

import dev.sund.model.Ip;
import dev.sund.model.Mac;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeSet;

/**
 * A device of ours that wraps packets, with its addresses. Key: {@code device}.
 *
 * @param device the name
 * @param fixed what the kernel does not change of a device that stands
 * @param mac its address, where its kind has one
 * @param mtu in bytes
 * @param up whether it is switched on
 * @param alias the ifalias, by which we know it is ours
 * @param addresses those of global scope with their lengths, as text such as {@code 10.244.1.0/32}
 */
public record TunnelRow(
    String device,
    Fixed fixed,
    Optional<Mac> mac,
    int mtu,
    boolean up,
    String alias,
    SortedSet<String> addresses) {

  public TunnelRow {
    addresses = java.util.Collections.unmodifiableSortedSet(new TreeSet<>(addresses));
  }

  /**
   * What a tunnel's device is made with.
   *
   * @param wire how it wraps
   * @param local the outer source
   * @param underlayDevice the device that outer packets leave by
   * @param remote where packets go for which there is no other: empty in ours
   */
  public record Fixed(
      Wire wire, Optional<Ip> local, Optional<String> underlayDevice, Optional<Ip> remote) {}

  /** A way of wrapping with its settings. */
  public sealed interface Wire {
    /**
     * VXLAN.
     *
     * @param vni 1 to 16777215
     * @param port UDP port
     * @param learning whether the FDB learns from packets: false in ours
     * @param df the outer DF bit: 0, unset, in ours
     */
    record Vxlan(int vni, int port, boolean learning, int df) implements Wire {}

    /**
     * IPIP.
     *
     * @param ttl the outer TTL: 0, the inner one's, in ours
     * @param pathMtuDiscovery whether the outer DF bit is always set: false, the inner one's, in
     *     ours
     */
    record Ipip(int ttl, boolean pathMtuDiscovery) implements Wire {
      /** As ours are. */
      public static final Ipip OURS = new Ipip(0, false);
    }
  }

  /** Told column by column. */
  public Row describe() {
    Row.Columns columns = Row.of("tunnel", device);
    switch (fixed.wire) {
      case Wire.Vxlan(var vni, var port, _, _) -> columns.with("vni", vni).with("port", port);
      case Wire.Ipip _ -> columns.with("kind", "ipip");
    }
    columns
        .maybe("local", fixed.local)
        .maybe("dev", fixed.underlayDevice)
        .maybe("remote", fixed.remote);
    switch (fixed.wire) {
      case Wire.Vxlan(_, _, var learning, var df) ->
          columns.with("learning", learning).with("df", df);
      case Wire.Ipip(var ttl, var pathMtuDiscovery) ->
          columns.with("ttl", ttl).with("pmtudisc", pathMtuDiscovery);
    }
    mac.ifPresent(address -> columns.with("address", address));
    return columns
        .with("mtu", mtu)
        .with("up", up)
        .with("alias", alias)
        .with("addresses", addresses.isEmpty() ? "none" : String.join(" ", addresses))
        .row();
  }

  /** One line. */
  @Override
  public String toString() {
    return describe().toString();
  }
}
