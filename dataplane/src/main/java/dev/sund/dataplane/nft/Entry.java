package dev.sund.dataplane.nft;

import dev.sund.kernel.nft.Bytes;
import dev.sund.kernel.nft.Data;
import dev.sund.kernel.nft.Verdict;
import dev.sund.model.RuleId;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What an element of our table holds beside its key: a comment, which is the text of the rule that
 * it comes from, and in a map its value.
 *
 * <p>There are as many of these as the table has elements, so they are small: the rule itself
 * stands for the comment, whose text is made when somebody asks.
 */
public final class Entry {
  /** A {@link RuleId} or a text. */
  private final Object label;

  /** {@link Bytes} or a {@link Verdict}; null in a set. */
  private final @Nullable Object value;

  private Entry(Object label, @Nullable Object value) {
    this.label = label;
    this.value = value;
  }

  /** An element of a set. */
  static Entry of(String comment) {
    return new Entry(comment, null);
  }

  /** An element of a set, by the rule that it comes from. */
  static Entry of(RuleId rule) {
    return new Entry(rule, null);
  }

  /** An element of a map. */
  static Entry of(String comment, Data data) {
    return new Entry(comment, content(data));
  }

  /** An element of a map, by the rule that it comes from. */
  static Entry of(RuleId rule, Bytes value) {
    return new Entry(rule, value);
  }

  /** An element as it was read. */
  static Entry read(String comment, Optional<Data> data) {
    return new Entry(comment, data.map(Entry::content).orElse(null));
  }

  private static Object content(Data data) {
    return switch (data) {
      case Data.Value(Bytes bytes) -> bytes;
      case Data.To(Verdict verdict) -> verdict;
    };
  }

  /** The text of the rule that it comes from; may be empty. */
  public String comment() {
    return label instanceof RuleId rule ? MasqueradeLowering.comment(rule) : label.toString();
  }

  /** Whether the comment is the same because both come from the very same rule. */
  boolean isOfSameRule(@Nullable Entry other) {
    return other != null && label == other.label;
  }

  /** The value of a map's element, empty in a set. */
  public Optional<Data> data() {
    if (value instanceof Bytes bytes) {
      return Optional.of(new Data.Value(bytes));
    }
    return value instanceof Verdict verdict ? Optional.of(new Data.To(verdict)) : Optional.empty();
  }

  /** Whether comments and values are the same. */
  @Override
  public boolean equals(@Nullable Object other) {
    return other == this
        || (other instanceof Entry entry
            && (value == null ? entry.value == null : value.equals(entry.value))
            && (label.equals(entry.label)
                || (label.getClass() != entry.label.getClass()
                    && comment().equals(entry.comment()))));
  }

  @Override
  public int hashCode() {
    return value == null ? 0 : value.hashCode();
  }

  /** The value, with the comment behind a number sign. */
  @Override
  public String toString() {
    return (value == null ? "" : ": " + value + " ") + "# " + comment();
  }
}
