package dev.sund.engine.cluster;

import dev.sund.model.Prefix;

/**
 * A range of pod addresses and how packets between its addresses travel: Calico's IPPool.
 *
 * @param name {@code metadata.name}
 * @param uid {@code metadata.uid}
 * @param created {@code metadata.creationTimestamp} in seconds since 1970
 * @param cidr {@code spec.cidr}
 * @param vxlanMode {@code spec.vxlanMode}
 * @param natOutgoing {@code spec.natOutgoing}: packets from this pool to addresses outside of all
 *     pools leave with the node's address
 * @param disabled {@code spec.disabled}: no new addresses come from it; its routes and rules stay
 */
public record IpPool(
    String name,
    String uid,
    long created,
    Prefix cidr,
    VxlanMode vxlanMode,
    boolean natOutgoing,
    boolean disabled) {

  /** When packets between two nodes are wrapped in VXLAN. */
  public enum VxlanMode {
    /** Never: nodes are each other's next hop. */
    NEVER,
    /** Between all nodes. */
    ALWAYS,
    /** Only between nodes on different subnets. */
    CROSS_SUBNET
  }
}
