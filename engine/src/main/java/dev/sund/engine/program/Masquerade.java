package dev.sund.engine.program;

import dev.sund.model.Prefix;
import dev.sund.model.RuleId;
import org.jspecify.annotations.Nullable;

/**
 * A range of addresses and its part in source translation. Key: {@code range} and {@code part}. A
 * connection's first packet that a pod sends out of the node gets the primary address of the device
 * it leaves by, when its source is in a {@code NAT_OUTGOING} range and its destination in no {@code
 * CLUSTER} range; or when its source is in a {@code BRIDGED} range and its destination neither in
 * the same one nor multicast; or when it met a frontend, and both are in the same {@code
 * NEIGHBOURS} range.
 *
 * <p>In the kernel: an element of a set in {@link dev.sund.model.Marks#TABLE} with the rule as its
 * comment, and the rules that look the sets up.
 *
 * @param range the addresses
 * @param part what is said about them
 * @param rule the pool, node, pod or network
 */
public record Masquerade(Prefix range, Part part, RuleId rule) {

  /** What a range is in source translation. */
  public enum Part {
    /** Sources that are translated when they leave the cluster. */
    NAT_OUTGOING,
    /** Destinations that are inside the cluster: never a reason to translate. */
    CLUSTER,
    /**
     * Sources on a bridge of this node alone: translated when they leave the range, wherever to,
     * since nobody else knows the way back. Of ranges that nest the outer one counts.
     */
    BRIDGED,
    /**
     * Neighbours on a link of this node alone, of whom some have ports at the node: what one sends
     * to another by such a port is translated, since the answer would else go to it directly.
     */
    NEIGHBOURS
  }

  /** The key. */
  public record Key(Prefix range, Part part) implements Comparable<Key> {
    @Override
    public int compareTo(Key other) {
      int byPart = Integer.compare(part.ordinal(), other.part.ordinal());
      return byPart != 0 ? byPart : range.compareTo(other.range);
    }

    /** Written out, as that of {@link dev.sund.model.Ip}. */
    @Override
    public boolean equals(@Nullable Object other) {
      return other instanceof Key key && part == key.part && range.equals(key.range);
    }

    @Override
    public int hashCode() {
      return 31 * range.hashCode() + part.ordinal();
    }
  }

  /** This entry's key. */
  public Key key() {
    return new Key(range, part);
  }
}
