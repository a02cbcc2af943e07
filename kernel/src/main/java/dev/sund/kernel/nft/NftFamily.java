package dev.sund.kernel.nft;

import java.util.Optional;

/** The address family of a table: which packets its chains see (NFPROTO_*). */
public enum NftFamily {
  /** IPv4 and IPv6. */
  INET(1),
  /** IPv4. */
  IP(2),
  /** ARP. */
  ARP(3),
  /** Packets at a device, before routing. */
  NETDEV(5),
  /** Bridged frames. */
  BRIDGE(7),
  /** IPv6. */
  IP6(10);

  private final int number;

  NftFamily(int number) {
    this.number = number;
  }

  /** The kernel's number. */
  public int number() {
    return number;
  }

  /** The family with this number, empty for one that is not known here. */
  public static Optional<NftFamily> of(int number) {
    for (NftFamily family : values()) {
      if (family.number == number) {
        return Optional.of(family);
      }
    }
    return Optional.empty();
  }

  /** The word that {@code nft} uses, such as {@code inet}. */
  @Override
  public String toString() {
    return switch (this) {
      case INET -> "inet";
      case IP -> "ip";
      case ARP -> "arp";
      case NETDEV -> "netdev";
      case BRIDGE -> "bridge";
      case IP6 -> "ip6";
    };
  }
}
