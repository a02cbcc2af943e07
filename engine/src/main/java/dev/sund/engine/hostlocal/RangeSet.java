package dev.sund.engine.hostlocal;

import dev.sund.model.Family;
import dev.sund.model.Ip;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * Ranges that together give one address to each interface.
 *
 * @param ranges at least one, of one family, without common addresses; in the order of use
 */
public record RangeSet(List<AddressRange> ranges) {
  public RangeSet {
    ranges = List.copyOf(ranges);
    if (ranges.isEmpty()) {
      throw new IllegalArgumentException("a set of ranges is empty");
    }
    for (int i = 0; i < ranges.size(); i++) {
      AddressRange range = ranges.get(i);
      if (range.subnet().family() != ranges.getFirst().subnet().family()) {
        throw new IllegalArgumentException(
            "ranges " + ranges.getFirst() + " and " + range + " of one set are of two families");
      }
      for (AddressRange other : ranges.subList(i + 1, ranges.size())) {
        if (range.overlaps(other)) {
          throw new IllegalArgumentException("ranges " + range + " and " + other + " overlap");
        }
      }
    }
  }

  /**
   * Checks that no two sets have an address in common.
   *
   * @throws IllegalArgumentException naming the two
   */
  public static void checkApart(List<RangeSet> sets) {
    for (int i = 0; i < sets.size(); i++) {
      for (int j = i + 1; j < sets.size(); j++) {
        RangeSet other = sets.get(j);
        if (sets.get(i).ranges.stream()
            .anyMatch(one -> other.ranges.stream().anyMatch(one::overlaps))) {
          throw new IllegalArgumentException(
              "range set " + i + " (" + sets.get(i) + ") overlaps with " + j + " (" + other + ")");
        }
      }
    }
  }

  /** The addresses' family. */
  public Family family() {
    return ranges.getFirst().subnet().family();
  }

  /** The range that may give this address. */
  public Optional<AddressRange> rangeOf(Ip ip) {
    return ranges.stream().filter(range -> range.contains(ip)).findFirst();
  }

  /** The ranges, with commas. */
  @Override
  public String toString() {
    return ranges.stream().map(AddressRange::toString).collect(Collectors.joining(","));
  }
}
