package dev.sund.engine.program;

import dev.sund.model.Prefix;
import dev.sund.model.RuleId;
import java.util.Comparator;

/**
 * Addresses from which a {@link Frontend#limited} frontend may be asked. Key: {@code key}. Ranges
 * of one frontend may nest and touch.
 *
 * <p>In the kernel: an element of a set in {@link dev.sund.model.Marks#TABLE}, with the rule as its
 * comment.
 *
 * @param key whose, and which addresses
 * @param rule who said so
 */
public record SourceRange(Key key, RuleId rule) {
  public SourceRange {
    if (key.range().family() != key.frontend().place().family()) {
      throw new IllegalArgumentException(key + ": the range is of another family");
    }
  }

  /** A frontend and a range of sources. */
  public record Key(Frontend.Key frontend, Prefix range) implements Comparable<Key> {
    private static final Comparator<Key> ORDER =
        Comparator.comparing(Key::frontend).thenComparing(Key::range);

    @Override
    public int compareTo(Key other) {
      return ORDER.compare(this, other);
    }

    /** {@code 192.0.2.7 80/tcp from 198.51.100.0/24}. */
    @Override
    public String toString() {
      return frontend + " from " + range;
    }
  }
}
