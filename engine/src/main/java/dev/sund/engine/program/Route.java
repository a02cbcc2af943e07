package dev.sund.engine.program;

import dev.sund.model.Ip;
import dev.sund.model.Prefix;
import dev.sund.model.RuleId;
import java.util.Optional;

/**
 * Where packets to a prefix go from this node. Key: {@code destination}. Longest prefix wins over
 * all, ours and foreign.
 *
 * <p>In the kernel: a route of the main table with protocol {@link
 * dev.sund.model.Marks#ROUTE_PROTOCOL}.
 *
 * @param destination the prefix
 * @param way how packets get there
 * @param source the source address of packets born on this node (RTA_PREFSRC), if named
 * @param mtu the largest packet for this way in bytes (RTAX_MTU), 0 when the device's own applies
 * @param rule whose route it is: a node's range, a pod's address, a pool's
 */
public record Route(Prefix destination, Way way, Optional<Ip> source, int mtu, RuleId rule) {

  /** How packets leave. */
  public sealed interface Way {}

  /** To a pod of this node, by its device, without a next hop. */
  public record ToPod(String device) implements Way {}

  /** To a node on the same subnet, unwrapped. */
  public record Direct(Ip nextHop, String device) implements Way {}

  /**
   * To a node by a tunnel of {@code Tunnels}: {@code nextHop} names the peer on {@code device}, for
   * IPIP by its underlay address.
   */
  public record ByTunnel(Ip nextHop, String device) implements Way {}

  /** Nobody has these addresses: the sender gets ICMP unreachable (RTN_UNREACHABLE). */
  public record Unreachable() implements Way {}
}
