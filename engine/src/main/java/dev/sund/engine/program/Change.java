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

  /** The entry is to be as given; {@code was} is what was there. */
  record Put<K, V>(K key, V value, Optional<V> was) implements Change<K, V> {}

  /** The entry is to be gone. */
  record Remove<K, V>(K key, V was) implements Change<K, V> {}
}
