package dev.sund.engine.cluster;

import dev.sund.model.Checks;
import dev.sund.model.Family;
import dev.sund.model.LabelExpression;
import dev.sund.model.Prefix;
import java.util.Set;

/**
 * A range of pod addresses, who gets addresses from it, and how packets between its addresses
 * travel: Calico's IPPool, with Calico's defaults.
 *
 * @param name {@code metadata.name}
 * @param uid {@code metadata.uid}
 * @param created {@code metadata.creationTimestamp} in seconds since 1970
 * @param cidr {@code spec.cidr}
 * @param vxlanMode {@code spec.vxlanMode}; {@code NEVER} where {@code ipipMode} is not
 * @param ipipMode {@code spec.ipipMode}; {@code NEVER} where {@code vxlanMode} is not
 * @param natOutgoing {@code spec.natOutgoing}: packets from this pool to addresses outside of all
 *     pools leave with the node's address
 * @param disabled {@code spec.disabled}: no new addresses come from it; its routes and rules stay
 * @param blockSize {@code spec.blockSize}: the prefix length of the blocks that nodes claim; 20 to
 *     32 or 116 to 128, and not shorter than the cidr's
 * @param nodeSelector {@code spec.nodeSelector}: the nodes that claim blocks of it
 * @param namespaceSelector {@code spec.namespaceSelector}: the namespaces whose pods get addresses
 *     from it
 * @param allowedUses {@code spec.allowedUses}, not empty
 * @param automatic {@code spec.assignmentMode} is not {@code Manual}: pods that do not ask for this
 *     pool get addresses from it too
 */
public record IpPool(
    String name,
    String uid,
    long created,
    Prefix cidr,
    VxlanMode vxlanMode,
    IpipMode ipipMode,
    boolean natOutgoing,
    boolean disabled,
    int blockSize,
    LabelExpression nodeSelector,
    LabelExpression namespaceSelector,
    Set<Use> allowedUses,
    boolean automatic) {

  /** What pools serve that state no {@code allowedUses}. */
  public static final Set<Use> USUAL = Set.of(Use.WORKLOAD, Use.TUNNEL);

  /** When packets between two nodes are wrapped in VXLAN. */
  public enum VxlanMode {
    /** Never: nodes are each other's next hop. */
    NEVER,
    /** Between all nodes. */
    ALWAYS,
    /** Only between nodes on different subnets. */
    CROSS_SUBNET
  }

  /** When packets between two nodes are wrapped in IPIP (IPv4 pools only). */
  public enum IpipMode {
    /** Never. */
    NEVER,
    /** Between all nodes. */
    ALWAYS,
    /** Only between nodes on different subnets. */
    CROSS_SUBNET
  }

  /** What addresses of a pool are for. */
  public enum Use {
    /** Pods. */
    WORKLOAD,
    /** Nodes' tunnel devices. */
    TUNNEL,
    /** Services of the type LoadBalancer. */
    LOAD_BALANCER
  }

  public IpPool {
    Checks.range("blockSize", blockSize, shortestBlock(cidr.family()), cidr.family().bits());
    Checks.that(
        vxlanMode == VxlanMode.NEVER || ipipMode == IpipMode.NEVER,
        "a pool has vxlanMode or ipipMode, not both");
    Checks.that(!allowedUses.isEmpty(), "a pool has a use");
    allowedUses = Set.copyOf(allowedUses);
  }

  /**
   * A pool of all nodes and namespaces with blocks of the usual size. A range smaller than a block
   * of the usual size is one block.
   */
  public IpPool(
      String name,
      String uid,
      long created,
      Prefix cidr,
      VxlanMode vxlanMode,
      boolean natOutgoing,
      boolean disabled) {
    this(
        name,
        uid,
        created,
        cidr,
        vxlanMode,
        IpipMode.NEVER,
        natOutgoing,
        disabled,
        Math.max(usualBlock(cidr.family()), cidr.length()),
        LabelExpression.ALL,
        LabelExpression.ALL,
        USUAL,
        true);
  }

  /** The length of a block when {@code spec.blockSize} is absent: 26 or 122. */
  public static int usualBlock(Family family) {
    return family.bits() - 6;
  }

  /** The shortest prefix length that a block may have: 20 or 116. */
  public static int shortestBlock(Family family) {
    return family.bits() - 12;
  }

  /** Whether its addresses are for {@code use}. */
  public boolean serves(Use use) {
    return allowedUses.contains(use);
  }
}
