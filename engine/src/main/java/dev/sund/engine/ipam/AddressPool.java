package dev.sund.engine.ipam;

import dev.sund.model.Checks;
import dev.sund.model.Family;
import dev.sund.model.Prefix;

/**
 * A pool that blocks are cut from.
 *
 * @param name its name
 * @param cidr its range
 * @param blockSize the length of a block's prefix: 20 to 32, or 116 to 128, and not shorter than
 *     the pool's own
 */
public record AddressPool(String name, Prefix cidr, int blockSize) {
  public AddressPool {
    Checks.notEmpty("pool", name);
    boolean four = cidr.family() == Family.V4;
    Checks.range("blockSize", blockSize, four ? 20 : 116, four ? 32 : 128);
    Checks.range("blockSize of a pool " + cidr, blockSize, cidr.length(), cidr.family().bits());
  }

  /** How many blocks it has; of a very large pool only so many as are ever looked at. */
  long blocks() {
    int shift = cidr.family().bits() - blockSize;
    return 1L << Math.min(62 - shift, blockSize - cidr.length());
  }

  /** A block of it, from 0. */
  Prefix block(long index) {
    int shift = cidr.family().bits() - blockSize;
    return new Prefix(cidr.address().plus(index << shift), blockSize);
  }
}
