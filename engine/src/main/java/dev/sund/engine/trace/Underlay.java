package dev.sund.engine.trace;

import dev.sund.model.InterfaceAddress;
import java.util.List;

/**
 * The network between the nodes: segments, and hosts with links on them. It is what predictions
 * know about the world outside of the nodes' programs; in the lab it is built as stated, on a live
 * node it is assumed.
 *
 * @param hosts nodes, routers and outside hosts, sorted by name
 * @param assumed whether this was inferred and not built or measured
 */
public record Underlay(List<Host> hosts, boolean assumed) {
  public Underlay {
    hosts = List.copyOf(hosts);
  }

  /** What a host is. */
  public enum Role {
    /** A node of the cluster, by its node name. */
    NODE,
    /** Forwards between its links by their connected subnets, and by nothing else. */
    ROUTER,
    /** A machine outside of the cluster; its router is the default gateway. */
    OUTSIDE
  }

  /**
   * A machine of the underlay.
   *
   * @param name unique among hosts
   * @param role what it is
   * @param links its links, at least one
   */
  public record Host(String name, Role role, List<Link> links) {
    public Host {
      links = List.copyOf(links);
    }
  }

  /**
   * A link of a host on a segment.
   *
   * @param device the device's name on the host, such as {@code eth0}
   * @param segment the segment's name; links on one segment reach each other directly
   * @param addresses its addresses with the subnet's length
   * @param mtu the largest packet it sends and takes, in bytes; a larger one that arrives is lost
   *     without a word
   * @param up whether it carries packets
   */
  public record Link(
      String device, String segment, List<InterfaceAddress> addresses, int mtu, boolean up) {
    public Link {
      addresses = List.copyOf(addresses);
    }
  }
}
