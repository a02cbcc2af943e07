package dev.sund.engine.trace;

import dev.sund.model.Checks;
import dev.sund.model.Ip;
import dev.sund.model.NodeName;
import dev.sund.model.PodKey;
import dev.sund.model.Protocol;
import java.util.Optional;

/**
 * A connection's first packet.
 *
 * @param origin who sends it
 * @param source its source address; when empty, the sender's kernel chooses
 * @param destination its destination address
 * @param protocol TCP, UDP or ICMP
 * @param port the destination port, 0 for ICMP
 * @param size length of the IP packet in bytes, headers included
 * @param dontFragment whether routers may not cut it (always so in IPv6)
 * @param ttl time to live or hop limit, 1 to 255
 */
public record Packet(
    Origin origin,
    Optional<Ip> source,
    Ip destination,
    Protocol protocol,
    int port,
    int size,
    boolean dontFragment,
    int ttl) {
  public Packet {
    Checks.range("port", port, 0, 65535);
    Checks.range("size", size, 20, 65535);
    Checks.range("ttl", ttl, 1, 255);
  }

  /** A small packet with all the rest as usual. */
  public static Packet small(Origin origin, Ip destination, Protocol protocol, int port) {
    return new Packet(origin, Optional.empty(), destination, protocol, port, 64, false, 64);
  }

  /** This packet with this source address. */
  public Packet from(Ip address) {
    return new Packet(
        origin, Optional.of(address), destination, protocol, port, size, dontFragment, ttl);
  }

  /** This packet with another size, not to be fragmented. */
  public Packet probing(int newSize) {
    return new Packet(origin, source, destination, protocol, port, newSize, true, ttl);
  }

  /** This packet with another time to live. */
  public Packet limited(int newTtl) {
    return new Packet(origin, source, destination, protocol, port, size, dontFragment, newTtl);
  }

  /** Where a packet is born. */
  public sealed interface Origin {}

  /** In a pod with its own network. */
  public record FromPod(PodKey pod) implements Origin {
    @Override
    public String toString() {
      return pod.toString();
    }
  }

  /** On a node: a process of the host, or a hostNetwork pod. */
  public record FromNode(NodeName node) implements Origin {
    @Override
    public String toString() {
      return "node " + node;
    }
  }

  /** On a host outside of the cluster, by its name in the underlay. */
  public record FromOutside(String host) implements Origin {
    @Override
    public String toString() {
      return "outside " + host;
    }
  }
}
