package dev.sund.dataplane.rows;

import dev.sund.model.Ip;
import dev.sund.model.Mac;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeSet;

/**
 * A VXLAN device of ours with its addresses. Key: {@code device}.
 *
 * @param device the name
 * @param fixed what the kernel does not change of a device that stands
 * @param mac its address
 * @param mtu in bytes
 * @param up whether it is switched on
 * @param alias the ifalias, by which we know it is ours
 * @param addresses those of global scope with their lengths, as text such as {@code 10.244.1.0/32}
 */
public record TunnelRow(
    String device,
    Fixed fixed,
    Mac mac,
    int mtu,
    boolean up,
    String alias,
    SortedSet<String> addresses) {

  public TunnelRow {
    addresses = java.util.Collections.unmodifiableSortedSet(new TreeSet<>(addresses));
  }

  /**
   * What a VXLAN device is made with.
   *
   * @param vni 1 to 16777215
   * @param port UDP port
   * @param local the outer source
   * @param underlayDevice the device that outer packets leave by
   * @param remote where packets go that no FDB entry knows: empty in ours
   * @param learning whether the FDB learns from packets: false in ours
   * @param df the outer DF bit: 0, unset, in ours
   */
  public record Fixed(
      int vni,
      int port,
      Optional<Ip> local,
      Optional<String> underlayDevice,
      Optional<Ip> remote,
      boolean learning,
      int df) {}

  /** Told column by column. */
  public Row describe() {
    return Row.of("tunnel", device)
        .with("vni", fixed.vni)
        .with("port", fixed.port)
        .maybe("local", fixed.local)
        .maybe("dev", fixed.underlayDevice)
        .maybe("remote", fixed.remote)
        .with("learning", fixed.learning)
        .with("df", fixed.df)
        .with("address", mac)
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
