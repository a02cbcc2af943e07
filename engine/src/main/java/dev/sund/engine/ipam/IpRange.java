package dev.sund.engine.ipam;

import dev.sund.model.Checks;
import dev.sund.model.Ip;

/**
 * Addresses one after another.
 *
 * @param first the first
 * @param last the last, of the same family and not before the first
 */
public record IpRange(Ip first, Ip last) {
  public IpRange {
    Checks.that(
        first.family() == last.family() && first.compareTo(last) <= 0,
        first + " to " + last + " is no range");
  }

  /** Whether {@code ip} is in it. */
  public boolean contains(Ip ip) {
    return ip.family() == first.family() && first.compareTo(ip) <= 0 && ip.compareTo(last) <= 0;
  }

  /** How many addresses, at most {@link Long#MAX_VALUE}. */
  public long size() {
    long high = last.high() - first.high();
    long low = last.low() - first.low();
    boolean borrow = Long.compareUnsigned(last.low(), first.low()) < 0;
    boolean more = borrow ? high != 1 : high != 0;
    return more || low < 0 || low == Long.MAX_VALUE ? Long.MAX_VALUE : low + 1;
  }

  @Override
  public String toString() {
    return first + " to " + last;
  }
}
