package dev.sund.dataplane.nft;

import dev.sund.kernel.nft.Data;
import java.util.Optional;

/**
 * What an element of our table holds beside its key.
 *
 * @param comment the text of the rule that it comes from; may be empty
 * @param data the value of a map's element, empty in a set
 */
public record Entry(String comment, Optional<Data> data) {
  /** An element of a set. */
  static Entry of(String comment) {
    return new Entry(comment, Optional.empty());
  }

  /** An element of a map. */
  static Entry of(String comment, Data data) {
    return new Entry(comment, Optional.of(data));
  }

  /** The value, with the comment behind a number sign. */
  @Override
  public String toString() {
    return data.map(value -> ": " + value + " ").orElse("") + "# " + comment;
  }
}
