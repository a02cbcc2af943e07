package dev.sund.engine.ipam;

import dev.sund.model.Checks;
import java.util.BitSet;
import java.util.StringJoiner;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * A set of places in a block, counted from 0. Immutable.
 *
 * <p>Text form: ascending numbers and ranges, such as {@code 0-15,20}; empty text for no place.
 */
public final class Offsets {
  /** No place. */
  public static final Offsets NONE = new Offsets(new BitSet());

  /** Blocks have at most this many places: {@code blockSize} 20 or 116. */
  public static final int MAX = 4096;

  private final BitSet bits;

  private Offsets(BitSet bits) {
    this.bits = bits;
  }

  /** The places from {@code first}, without {@code end}. */
  public static Offsets range(int first, int end) {
    BitSet bits = new BitSet();
    bits.set(first, end);
    return new Offsets(bits);
  }

  /** One place. */
  public static Offsets of(int offset) {
    return range(offset, offset + 1);
  }

  /** The places of a stream. */
  public static Offsets of(IntStream offsets) {
    BitSet bits = new BitSet();
    offsets.forEach(bits::set);
    return new Offsets(bits);
  }

  /**
   * Parses the text form.
   *
   * @throws IllegalArgumentException naming the part that is wrong
   */
  public static Offsets parse(String text) {
    BitSet bits = new BitSet();
    if (text.isEmpty()) {
      return NONE;
    }
    for (String part : text.split(",", -1)) {
      Checks.that(
          part.matches("[0-9]{1,4}(-[0-9]{1,4})?"),
          "'" + part + "' is not a place or range such as 20 or 0-15");
      int dash = part.indexOf('-');
      int first = Integer.parseInt(dash < 0 ? part : part.substring(0, dash));
      int last = dash < 0 ? first : Integer.parseInt(part.substring(dash + 1));
      Checks.that(
          first <= last && last < MAX, "'" + part + "' does not run from 0 to " + (MAX - 1));
      bits.set(first, last + 1);
    }
    return new Offsets(bits);
  }

  /** Whether it holds this place. */
  public boolean has(int offset) {
    return bits.get(offset);
  }

  /** How many places. */
  public int size() {
    return bits.cardinality();
  }

  /** Whether there is none. */
  public boolean isEmpty() {
    return bits.isEmpty();
  }

  /** Whether all places are below {@code size}. */
  public boolean fits(int size) {
    return bits.length() <= size;
  }

  /** The places of both. */
  public Offsets plus(Offsets other) {
    BitSet sum = copy();
    sum.or(other.bits);
    return new Offsets(sum);
  }

  /** The places that {@code other} does not have. */
  public Offsets minus(Offsets other) {
    BitSet rest = copy();
    rest.andNot(other.bits);
    return new Offsets(rest);
  }

  /** The places in both. */
  public Offsets and(Offsets other) {
    BitSet both = copy();
    both.and(other.bits);
    return new Offsets(both);
  }

  /** Its first {@code count} places, all when it has fewer. */
  public Offsets first(int count) {
    return of(bits.stream().limit(count));
  }

  /** Its last {@code count} places, all when it has fewer. */
  public Offsets last(int count) {
    return of(bits.stream().skip(Math.max(0, size() - count)));
  }

  /** The places, ascending. */
  public IntStream stream() {
    return bits.stream();
  }

  private BitSet copy() {
    return (BitSet) bits.clone();
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof Offsets offsets && bits.equals(offsets.bits);
  }

  @Override
  public int hashCode() {
    return bits.hashCode();
  }

  /** The text form. */
  @Override
  public String toString() {
    StringJoiner text = new StringJoiner(",");
    for (int first = bits.nextSetBit(0); first >= 0; ) {
      int end = bits.nextClearBit(first);
      text.add(end == first + 1 ? Integer.toString(first) : first + "-" + (end - 1));
      first = bits.nextSetBit(end);
    }
    return text.toString();
  }
}
