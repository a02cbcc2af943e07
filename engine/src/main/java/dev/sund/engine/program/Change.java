package dev.sund.engine.program;

import java.util.Optional;

/**
 * A change of one entry of a table.
 *
 * @param <K> the entry's key
 * @param <V> the entry
 */
public sealed interface Change<K, V> {
  /** The entry's key. */
  K key();

  /** What was there, if anything was. */
  default Optional<V> before() {
    return switch (this) {
      case Put<K, V>(K _, V _, Optional<V> was) -> was;
      case Remove<K, V>(K _, V was) -> Optional.of(was);
    };
  }

  /** What is to be there, if anything is. */
  default Optional<V> after() {
    return switch (this) {
      case Put<K, V>(K _, V value, Optional<V> _) -> Optional.of(value);
      case Remove<K, V> _ -> Optional.empty();
    };
  }

  /** The entry that it is about: as it is to be, or as it was when it is to be gone. */
  default V row() {
    return switch (this) {
      case Put<K, V>(K _, V value, Optional<V> _) -> value;
      case Remove<K, V>(K _, V was) -> was;
    };
  }

  /** The entry is to be as given; {@code was} is what was there. */
  record Put<K, V>(K key, V value, Optional<V> was) implements Change<K, V> {}

  /** The entry is to be gone. */
  record Remove<K, V>(K key, V was) implements Change<K, V> {}
}
