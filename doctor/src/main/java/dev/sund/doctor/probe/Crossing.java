package dev.sund.doctor.probe;

import dev.sund.model.Family;
import java.util.Optional;

/** A kind of packet that some fabric needs, and that what carries it may not let through. */
public enum Crossing {
  /** IP in IP: protocol 4 (RFC 2003). */
  IPIP("ipip", "IP protocol 4 (IPIP)", 0, false),
  /** VXLAN at its own port (RFC 7348). */
  VXLAN("udp-4789", "UDP 4789 (VXLAN)", 4789, false),
  /** VXLAN as Linux and flannel have it. */
  FLANNEL("udp-8472", "UDP 8472 (flannel's VXLAN, Cilium)", 8472, false),
  /** Geneve (RFC 8926). */
  GENEVE("udp-6081", "UDP 6081 (Geneve)", 6081, false),
  /** WireGuard as Calico and Cilium have it. */
  WIREGUARD("udp-51820", "UDP 51820 (WireGuard)", 51820, false),
  /** The begin of a BGP session (RFC 4271). */
  BGP("tcp-179", "TCP 179 (BGP)", 179, false),
  /** A packet from a pod's address, as routes without a tunnel send it. */
  POD_SOURCE("pod-source", "packets from pods' addresses", 0, false),
  /** A frame from a second MAC address, as bridged pods send it. */
  SECOND_MAC("second-mac", "frames from a second MAC address", 0, true),
  /** An answer for an address that is not the machine's, as load balancers announce one. */
  FOREIGN_ANSWER("foreign-answer", "ARP or neighbour answers for other addresses", 0, true);

  private final String key;
  private final String text;
  private final int port;
  private final boolean onLinkOnly;

  Crossing(String key, String text, int port, boolean onLinkOnly) {
    this.key = key;
    this.text = text;
    this.port = port;
    this.onLinkOnly = onLinkOnly;
  }

  /** The one of this key. */
  public static Optional<Crossing> of(String key) {
    for (Crossing one : values()) {
      if (one.key.equals(key)) {
        return Optional.of(one);
      }
    }
    return Optional.empty();
  }

  /** As facts name it. */
  public String key() {
    return key;
  }

  /** For people. */
  public String text() {
    return text;
  }

  /** The port that it is sent to; 0 when it has none of its own. */
  int port() {
    return port;
  }

  /** Why it cannot be asked of this way; empty when it can. */
  Optional<String> obstacle(Reach reach) {
    if (this == IPIP && reach.local().family() == Family.V6) {
      return Optional.of("IPv4 only");
    }
    boolean frame = onLinkOnly || this == POD_SOURCE;
    if (frame && reach.mac().isEmpty()) {
      return Optional.of(reach.device() + " has no Ethernet frames");
    }
    if (frame && reach.nextMac().isEmpty()) {
      return Optional.of("the next hop's MAC address is not known");
    }
    return onLinkOnly && !reach.onLink() ? Optional.of("a router between") : Optional.empty();
  }
}
