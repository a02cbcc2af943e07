package dev.sund.engine.hostlocal;

import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.Prefix;
import java.util.Optional;

/**
 * A range of addresses to give away.
 *
 * @param subnet the subnet that the addresses are on; at least four addresses
 * @param first the first address to give
 * @param last the last address to give
 * @param gateway the subnet's gateway, never given; a configuration may name one elsewhere
 */
public record AddressRange(Prefix subnet, Ip first, Ip last, Ip gateway) {

  public AddressRange {
    if (subnet.length() > subnet.family().bits() - 2) {
      throw new IllegalArgumentException(
          "subnet " + subnet + " is too small: it needs at least four addresses");
    }
    inSubnet("rangeStart", subnet, first);
    inSubnet("rangeEnd", subnet, last);
    if (first.compareTo(last) > 0) {
      throw new IllegalArgumentException("rangeStart " + first + " is behind rangeEnd " + last);
    }
    if (gateway.family() != subnet.family()) {
      throw new IllegalArgumentException(
          "gateway " + gateway + " is not of the family of subnet " + subnet);
    }
  }

  /**
   * A range with what is not said filled in: from the first address behind the subnet's own to the
   * last one, without the broadcast address; the gateway is the first one.
   *
   * @throws IllegalArgumentException naming what does not fit
   */
  public static AddressRange of(
      Prefix subnet, Optional<Ip> first, Optional<Ip> last, Optional<Ip> gateway) {
    if (subnet.length() > subnet.family().bits() - 2) {
      throw new IllegalArgumentException(
          "subnet " + subnet + " is too small: it needs at least four addresses");
    }
    Ip one = subnet.address().plus(1);
    Ip end = subnet.family() == Family.V4 ? subnet.last().plus(-1) : subnet.last();
    return new AddressRange(subnet, first.orElse(one), last.orElse(end), gateway.orElse(one));
  }

  /** Whether it may be given from here. */
  public boolean contains(Ip ip) {
    return subnet.contains(ip) && first.compareTo(ip) <= 0 && ip.compareTo(last) <= 0;
  }

  /** Whether some address is in both. */
  public boolean overlaps(AddressRange other) {
    return subnet.family() == other.subnet.family()
        && first.compareTo(other.last) <= 0
        && other.first.compareTo(last) <= 0
        && (contains(other.first)
            || contains(other.last)
            || other.contains(first)
            || other.contains(last));
  }

  private static void inSubnet(String field, Prefix subnet, Ip ip) {
    if (!subnet.contains(ip)) {
      throw new IllegalArgumentException(field + " " + ip + " is not in subnet " + subnet);
    }
  }

  /** {@code FIRST-LAST}. */
  @Override
  public String toString() {
    return first + "-" + last;
  }
}
