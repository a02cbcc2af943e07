package dev.sund.engine;

import dev.sund.model.Family;
import java.util.OptionalInt;

/**
 * All arithmetic of packet sizes: what wrapping costs, and what is left for pods. Sizes are lengths
 * of IP packets in bytes, headers included.
 *
 * <pre>
 *  underlay device's MTU (say 1500)
 *  |-- outer IP 20 or 40 --|-- UDP 8 --|-- VXLAN 8 --|-- inner Ethernet 14 --|-- pod's packet --|
 *  |-- outer IP 20 --|-- pod's packet --|      (IPIP)
 * </pre>
 */
public final class Mtu {
  /** Assumed where no device of the underlay is known: Ethernet's. */
  public static final int ETHERNET = 1500;

  private static final int UDP = 8;
  private static final int VXLAN = 8;
  private static final int INNER_ETHERNET = 14;

  private Mtu() {}

  /** How packets are wrapped between nodes. */
  public enum Encapsulation {
    /** Not at all. */
    NONE,
    /** IPv4 in IPv4 (RFC 2003). */
    IPIP,
    /** VXLAN (RFC 7348), without VLAN tag inside. */
    VXLAN
  }

  /** The bytes that wrapping adds to an inner packet, over an underlay of this family. */
  public static int overhead(Encapsulation encapsulation, Family underlay) {
    return switch (encapsulation) {
      case NONE -> 0;
      case IPIP -> ipHeader(underlay);
      case VXLAN -> ipHeader(underlay) + UDP + VXLAN + INNER_ETHERNET;
    };
  }

  /** The length of an IP header without options or extensions: 20 or 40. */
  public static int ipHeader(Family family) {
    return switch (family) {
      case V4 -> 20;
      case V6 -> 40;
    };
  }

  /**
   * The smallest MTU that a pod's link may have: 576, what every IPv4 host takes (RFC 791), and
   * 1280, what every IPv6 link carries (RFC 8200 section 5; below it Linux switches IPv6 off).
   */
  public static int minimum(Family family) {
    return switch (family) {
      case V4 -> 576;
      case V6 -> 1280;
    };
  }

  /**
   * The largest inner packet that goes undivided through a tunnel.
   *
   * @param encapsulation how the tunnel wraps
   * @param deviceMtu the MTU of the device that carries the underlay
   * @param underlay the underlay's family
   * @param set the MTU an operator asked for; it makes tunnels smaller, never larger than fits
   */
  public static int tunnel(
      Encapsulation encapsulation, int deviceMtu, Family underlay, OptionalInt set) {
    int fits = deviceMtu - overhead(encapsulation, underlay);
    return set.isPresent() ? Math.min(fits, set.getAsInt()) : fits;
  }

  /**
   * What a pod's default route takes in a family: the smallest that any way to another node takes,
   * or the set MTU where that is smaller, but at least {@link #minimum}.
   *
   * @param deviceMtu the MTU of the device that carries the underlay
   * @param family the family of the pod's packets, which travel over an underlay of the same family
   * @param worst the most costly way of wrapping that the family's pools can ask for
   * @param set the MTU an operator asked for
   */
  public static int pod(int deviceMtu, Family family, Encapsulation worst, OptionalInt set) {
    int fits = deviceMtu - overhead(worst, family);
    int wanted = set.isPresent() ? Math.min(fits, set.getAsInt()) : fits;
    return Math.max(wanted, minimum(family));
  }
}
