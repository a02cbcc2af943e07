package dev.sund.dataplane.rows;

import dev.sund.model.Ip;
import dev.sund.model.Mac;
import java.util.Optional;

/**
 * A neighbour entry on a device of ours.
 *
 * @param device the device
 * @param ip the address
 * @param mac its MAC address, empty when it is not known
 * @param permanent whether it never changes by itself, as all of ours
 */
public record NeighbourRow(String device, Ip ip, Optional<Mac> mac, boolean permanent) {

  /** What tells two neighbours apart. */
  public record Key(String device, Ip ip) implements Comparable<Key> {
    @Override
    public int compareTo(Key that) {
      // Nearly always the same device, whose text need not be gone through.
      return device.equals(that.device) ? ip.compareTo(that.ip) : device.compareTo(that.device);
    }
  }

  /** A permanent entry. */
  public static NeighbourRow permanent(String device, Ip ip, Mac mac) {
    return new NeighbourRow(device, ip, Optional.of(mac), true);
  }

  /** This entry's key. */
  public Key key() {
    return new Key(device, ip);
  }

  /** Told column by column. */
  public Row describe() {
    return Row.of("neighbour", ip + " dev " + device)
        .maybe("lladdr", mac)
        .with("permanent", permanent)
        .row();
  }

  /** As {@code ip neigh} writes it. */
  @Override
  public String toString() {
    return "neighbour "
        + ip
        + " dev "
        + device
        + mac.map(address -> " lladdr " + address).orElse("")
        + (permanent ? " permanent" : "");
  }
}
