package dev.sund.kernel.nft;

import dev.sund.model.Ip;
import dev.sund.model.Prefix;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * A range as a set of ranges of one field holds it: the reading of start and end elements as the
 * kernel's lookup reads them.
 *
 * @param low the first key
 * @param high the last key
 * @param comment the comment of the start element
 * @param start the start element, for its value and time to live
 */
public record NftRange(Bytes low, Bytes high, String comment, NftElement start) {

  /**
   * Joins elements, in any order, to ranges in ascending order.
   *
   * <p>A key is in the set when the greatest element at or below it is a start, so a range reaches
   * to the next element of either kind, or to the last key. Ends without a start, such as the one
   * that {@code nft} puts at key 0, mean nothing.
   */
  public static List<NftRange> join(List<NftElement> elements) {
    List<NftElement> sorted = new ArrayList<>(elements);
    // An end stands before a start with the same key: the start is the one that holds for the key.
    sorted.sort(
        Comparator.comparing(NftElement::key)
            .thenComparing(element -> element.intervalEnd() ? 0 : 1));
    List<NftRange> ranges = new ArrayList<>();
    for (int i = 0; i < sorted.size(); i++) {
      NftElement start = sorted.get(i);
      if (start.intervalEnd()) {
        continue;
      }
      Bytes last =
          i + 1 < sorted.size() ? sorted.get(i + 1).key().previous() : start.key().lastOfLength();
      ranges.add(new NftRange(start.key(), last, start.comment(), start));
    }
    return ranges;
  }

  /** This range as a prefix of addresses, empty when it is none or the keys are no addresses. */
  public Optional<Prefix> prefix() {
    return prefix(low, high);
  }

  /** The range as {@link #text} writes it. */
  @Override
  public String toString() {
    return text(low, high);
  }

  /**
   * {@code 10.0.0.0/8} where the keys are addresses and the range is a prefix, {@code LOW-HIGH}
   * elsewhere.
   */
  public static String text(Bytes low, Bytes high) {
    if (!areAddresses(low, high)) {
      return low + "-" + high;
    }
    return prefix(low, high)
        .map(Prefix::toString)
        .orElseGet(() -> Ip.of(low.toArray()) + "-" + Ip.of(high.toArray()));
  }

  private static Optional<Prefix> prefix(Bytes low, Bytes high) {
    if (!areAddresses(low, high)) {
      return Optional.empty();
    }
    Ip first = Ip.of(low.toArray());
    Ip last = Ip.of(high.toArray());
    for (int length = 0; length <= first.family().bits(); length++) {
      Prefix prefix = Prefix.around(first, length);
      if (prefix.address().equals(first) && prefix.last().equals(last)) {
        return Optional.of(prefix);
      }
    }
    return Optional.empty();
  }

  private static boolean areAddresses(Bytes low, Bytes high) {
    return low.length() == high.length() && (low.length() == 4 || low.length() == 16);
  }
}
