package dev.sund.engine.program;

import dev.sund.engine.Mtu;
import dev.sund.model.Ip;
import dev.sund.model.Mac;
import dev.sund.model.RuleId;
import java.util.Optional;

/**
 * This node's end of the ways to other nodes that wrap packets. Key: {@code device}; one for each
 * family of the underlay and way of wrapping in use.
 *
 * <p>In the kernel: a VXLAN device without learning, or an IPIP device without a remote end, with
 * this group of attributes, and its address as /32 or /128.
 *
 * @param device of {@link dev.sund.model.Marks#TUNNELS}
 * @param wire how it wraps
 * @param local this node's underlay address: the outer source
 * @param underlayDevice the device that carries {@code local}
 * @param address the source of packets that are born on this node and go by this tunnel: the first
 *     address of the node's pod range
 * @param mtu the largest inner packet in bytes
 * @param rule {@code Node:NAME:UID:none:0} of this node
 */
public record Tunnel(
    String device,
    Wire wire,
    Ip local,
    String underlayDevice,
    Optional<Ip> address,
    int mtu,
    RuleId rule) {

  /** A way of wrapping, with what both ends have to have in common. */
  public sealed interface Wire {
    /**
     * VXLAN: peers are entries of {@code TunnelPeers}.
     *
     * @param vni 1 to 16777215
     * @param port UDP port, 1 to 65535
     * @param mac this end's address, derived from this node's uid and address
     */
    record Vxlan(int vni, int port, Mac mac) implements Wire {}

    /** IPIP, over IPv4 only: a route's next hop is the other end's underlay address. */
    record Ipip() implements Wire {}
  }

  /** This end's MAC address, where it has one. */
  public Optional<Mac> mac() {
    return switch (wire) {
      case Wire.Vxlan(_, _, var mac) -> Optional.of(mac);
      case Wire.Ipip() -> Optional.empty();
    };
  }

  /** The way of wrapping as arithmetic knows it. */
  public Mtu.Encapsulation encapsulation() {
    return switch (wire) {
      case Wire.Vxlan _ -> Mtu.Encapsulation.VXLAN;
      case Wire.Ipip() -> Mtu.Encapsulation.IPIP;
    };
  }
}
