package dev.sund.engine.program;

import dev.sund.model.Ip;
import dev.sund.model.Mac;
import dev.sund.model.RuleId;
import org.jspecify.annotations.Nullable;

/**
 * Another node's end of a VXLAN fabric. Key: {@code device} and {@code nextHop}.
 *
 * <p>In the kernel: a permanent neighbour (next hop to MAC) and a permanent FDB entry (MAC to
 * underlay address) on the device, joined by the MAC; one without the other is drift.
 *
 * @param device the tunnel it belongs to
 * @param nextHop the address by which routes name this peer: for IPv4 the node's underlay address,
 *     for IPv6 the link-local address formed from {@code mac}
 * @param mac the peer's address on the tunnel
 * @param underlay the outer destination
 * @param rule {@code Node:NAME:UID:none:0} of the other node
 */
public record TunnelPeer(String device, Ip nextHop, Mac mac, Ip underlay, RuleId rule) {
  /** The key. */
  public record Key(String device, Ip nextHop) implements Comparable<Key> {
    @Override
    public int compareTo(Key other) {
      // Nearly always the same device, whose text need not be gone through.
      return device.equals(other.device)
          ? nextHop.compareTo(other.nextHop)
          : device.compareTo(other.device);
    }

    /** Written out, as that of {@link dev.sund.model.Ip}. */
    @Override
    public boolean equals(@Nullable Object other) {
      return other instanceof Key key && nextHop.equals(key.nextHop) && device.equals(key.device);
    }

    @Override
    public int hashCode() {
      return 31 * device.hashCode() + nextHop.hashCode();
    }
  }

  /** This peer's key. */
  public Key key() {
    return new Key(device, nextHop);
  }
}
