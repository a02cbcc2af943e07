package dev.sund.model;

import org.jspecify.annotations.Nullable;

/**
 * The namespace and name of a pod, kept as one text: a cluster has many, and most that is said of
 * one says {@code NAMESPACE/NAME}. Ordered by namespace, then name.
 */
public final class PodKey implements Comparable<PodKey> {
  private final String text;
  private final int slash;

  /**
   * That of this name.
   *
   * @param namespace not empty
   * @param name not empty
   */
  public PodKey(String namespace, String name) {
    Checks.notEmpty("namespace", namespace);
    Checks.notEmpty("pod name", name);
    this.text = namespace + "/" + name;
    this.slash = namespace.length();
  }

  private PodKey(String text, int slash) {
    this.text = text;
    this.slash = slash;
  }

  /**
   * Parses {@code NAMESPACE/NAME}; keeps the text as it is.
   *
   * @throws IllegalArgumentException naming the text
   */
  public static PodKey parse(String text) {
    int slash = text.indexOf('/');
    if (slash <= 0 || slash == text.length() - 1 || text.indexOf('/', slash + 1) >= 0) {
      throw new IllegalArgumentException("'" + text + "' is not a pod as NAMESPACE/NAME");
    }
    return new PodKey(text, slash);
  }

  /** The namespace. */
  public String namespace() {
    return text.substring(0, slash);
  }

  /** The name in its namespace. */
  public String name() {
    return text.substring(slash + 1);
  }

  @Override
  public int compareTo(PodKey other) {
    if (slash == other.slash) {
      return text.compareTo(other.text);
    }
    int byNamespace = namespace().compareTo(other.namespace());
    return byNamespace != 0 ? byNamespace : name().compareTo(other.name());
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof PodKey key && slash == key.slash && text.equals(key.text);
  }

  @Override
  public int hashCode() {
    return text.hashCode();
  }

  /** {@code NAMESPACE/NAME}: the same text each time. */
  @Override
  public String toString() {
    return text;
  }
}
