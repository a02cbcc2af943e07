package dev.sund.dataplane.nft;

import dev.sund.kernel.nft.Bytes;
import dev.sund.kernel.nft.NftRange;

/**
 * The place of one element: a set and a range of keys. Sorted by set, then by first key; the sets'
 * names sort so that destinations inside the cluster come before sources that are translated, and
 * nothing is ever translated only because its destination is not listed yet.
 *
 * @param set the set's name
 * @param low the first key
 * @param high the last key
 */
public record RangeKey(String set, Bytes low, Bytes high) implements Comparable<RangeKey> {
  @Override
  public int compareTo(RangeKey other) {
    int bySet = set.compareTo(other.set);
    if (bySet != 0) {
      return bySet;
    }
    int byLow = low.compareTo(other.low);
    return byLow != 0 ? byLow : high.compareTo(other.high);
  }

  /** The set's name and the range as people write it: {@code cluster-v4 10.244.0.0/16}. */
  @Override
  public String toString() {
    return set + " " + NftRange.text(low, high);
  }
}
