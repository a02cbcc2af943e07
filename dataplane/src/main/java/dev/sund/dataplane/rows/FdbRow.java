package dev.sund.dataplane.rows;

import dev.sund.model.Ip;
import dev.sund.model.Mac;
import java.util.Optional;

/**
 * A forwarding entry of a VXLAN device of ours.
 *
 * @param device the device
 * @param mac the frames' destination; all zero: frames that no other entry knows
 * @param destination the outer destination
 * @param permanent whether it never changes by itself, as all of ours
 * @param other what else an entry that was read says, as words; empty for all that we write
 */
public record FdbRow(
    String device, Mac mac, Optional<Ip> destination, boolean permanent, String other) {

  /**
   * What tells two entries apart. The kernel allows several destinations only for the all-zero and
   * multicast addresses, which are never ours.
   */
  public record Key(String device, Mac mac) implements Comparable<Key> {
    @Override
    public int compareTo(Key that) {
      // Nearly always the same device, whose text need not be gone through.
      return device.equals(that.device) ? mac.compareTo(that.mac) : device.compareTo(that.device);
    }
  }

  /** A permanent entry. */
  public static FdbRow permanent(String device, Mac mac, Ip destination) {
    return new FdbRow(device, mac, Optional.of(destination), true, "");
  }

  /** This entry's key. */
  public Key key() {
    return new Key(device, mac);
  }

  /** Told column by column. */
  public Row describe() {
    return Row.of("fdb", mac + " dev " + device)
        .maybe("dst", destination)
        .with("permanent", permanent)
        .with("other", other.isEmpty() ? "none" : other)
        .row();
  }

  /** As {@code bridge fdb} writes it. */
  @Override
  public String toString() {
    return "fdb "
        + mac
        + " dev "
        + device
        + destination.map(ip -> " dst " + ip).orElse("")
        + (permanent ? " permanent" : "")
        + (other.isEmpty() ? "" : " " + other);
  }
}
