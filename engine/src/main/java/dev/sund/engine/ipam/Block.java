package dev.sund.engine.ipam;

import dev.sund.model.Checks;
import dev.sund.model.Ip;
import dev.sund.model.NodeName;
import dev.sund.model.Prefix;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * A block of a pool's addresses and who may give which of them: one object of the store.
 *
 * @param cidr its range, at most {@link Offsets#MAX} addresses
 * @param pool the name of the pool that it was cut from
 * @param node the node that the whole range is routed to; empty for a block that lies idle, or that
 *     has borrowers only
 * @param claims which places each node may give; no place twice
 * @param version what the store compares in a change; empty for a block that is not stored yet
 */
public record Block(
    Prefix cidr,
    String pool,
    Optional<NodeName> node,
    Map<NodeName, Claim> claims,
    String version) {

  /**
   * What one node may give of a block.
   *
   * @param boot the boot of the node's kernel in which it was written last
   * @param agent the mark of the agent's process that wrote it last
   * @param offsets the places, used or free; not empty
   */
  public record Claim(String boot, String agent, Offsets offsets) {}

  public Block {
    Checks.notEmpty("pool", pool);
    int bits = cidr.family().bits() - cidr.length();
    Checks.that(bits <= 12, cidr + " is larger than a block of " + Offsets.MAX + " addresses");
    Offsets taken = Offsets.NONE;
    for (Map.Entry<NodeName, Claim> claim : claims.entrySet()) {
      Offsets offsets = claim.getValue().offsets;
      Checks.that(!offsets.isEmpty(), "the claim of " + claim.getKey() + " is empty");
      Checks.that(offsets.fits(1 << bits), "the claim of " + claim.getKey() + " ends outside");
      Checks.that(
          taken.and(offsets).isEmpty(),
          "the places " + taken.and(offsets) + " of " + cidr + " are claimed twice");
      taken = taken.plus(offsets);
    }
    claims = java.util.Collections.unmodifiableMap(new TreeMap<>(claims));
  }

  /** A block that nobody has claimed yet. */
  public static Block idle(Prefix cidr, String pool) {
    return new Block(cidr, pool, Optional.empty(), Map.of(), "");
  }

  /** How many addresses it has. */
  public int size() {
    return 1 << (cidr.family().bits() - cidr.length());
  }

  /** The address at a place. */
  public Ip address(int offset) {
    return cidr.address().plus(offset);
  }

  /** The place of an address that it contains. */
  public int offset(Ip ip) {
    Checks.that(cidr.contains(ip), ip + " is not in " + cidr);
    return (int) (ip.low() - cidr.address().low());
  }

  /** The places that nobody has claimed. */
  public Offsets unclaimed() {
    Offsets free = Offsets.range(0, size());
    for (Claim claim : claims.values()) {
      free = free.minus(claim.offsets);
    }
    return free;
  }

  /** What {@code name} has claimed. */
  public Offsets claimed(NodeName name) {
    Claim claim = claims.get(name);
    return claim == null ? Offsets.NONE : claim.offsets;
  }

  /** The node that has claimed this place. */
  public Optional<NodeName> claimant(int offset) {
    return claims.entrySet().stream()
        .filter(claim -> claim.getValue().offsets.has(offset))
        .map(Map.Entry::getKey)
        .findFirst();
  }

  /** Whether nobody has anything of it. */
  public boolean isIdle() {
    return node.isEmpty() && claims.isEmpty();
  }

  /** The same, routed to this node. */
  public Block routedTo(Optional<NodeName> name) {
    return new Block(cidr, pool, name, claims, version);
  }

  /** The same with this claim of a node; without any when its places are none. */
  public Block with(NodeName name, Claim claim) {
    Map<NodeName, Claim> changed = new TreeMap<>(claims);
    if (claim.offsets.isEmpty()) {
      changed.remove(name);
    } else {
      changed.put(name, claim);
    }
    return new Block(cidr, pool, node, changed, version);
  }

  /** The same without anything of a node. */
  public Block without(NodeName name) {
    Map<NodeName, Claim> changed = new TreeMap<>(claims);
    changed.remove(name);
    return new Block(cidr, pool, node.filter(other -> !other.equals(name)), changed, version);
  }

  /** The same as another version of it. */
  public Block at(String changed) {
    return new Block(cidr, pool, node, claims, changed);
  }
}
