package dev.sund.dataplane.nft;

import dev.sund.kernel.nft.Bytes;
import dev.sund.kernel.nft.NftRange;

/**
 * The place of one element: a set or map and a range of keys, in maps a single one. Sorted by set,
 * then by first key; the sets' names sort so that what is referred to comes first: destinations
 * inside the cluster before sources that are translated, so that nothing is ever translated only
 * because its destination is not listed yet; how to choose an endpoint before the endpoints, and
 * these before the frontends that lead to them.
 *
 * @param set the set's name
 * @param low the first key
 * @param high the last key
 */
public record RangeKey(String set, Bytes low, Bytes high) implements Comparable<RangeKey> {
  /** A single key. */
  static RangeKey single(String set, Bytes key) {
    return new RangeKey(set, key, key);
  }

  /** Whether it is a key of a set or map of single keys, which no other can overlap. */
  boolean isSingle() {
    return isSetOfSingles(set);
  }

  /** Whether the set or map of this name has single keys. */
  static boolean isSetOfSingles(String set) {
    return MasqueradeLowering.partOf(set).isEmpty() && !PolicyLowering.isOfRanges(set);
  }

  @Override
  public int compareTo(RangeKey other) {
    if (!set.equals(other.set)) {
      return set.compareTo(other.set);
    }
    int byLow = low.compareTo(other.low);
    return byLow != 0 ? byLow : high.compareTo(other.high);
  }

  /** The set's name and the range as people write it: {@code cluster-v4 10.244.0.0/16}. */
  @Override
  public String toString() {
    int half = low.length() / 2;
    return MasqueradeLowering.holdsPairs(set)
        ? set + " " + NftRange.text(low.slice(0, half), high.slice(0, half)) + " with itself"
        : set
            + " "
            + FrontendKeys.text(set, low)
                .or(() -> PolicyLowering.text(set, low, high))
                .orElseGet(() -> NftRange.text(low, high));
  }
}
