package dev.sund.model;

/**
 * The namespace and name of a pod.
 *
 * @param namespace not empty
 * @param name not empty
 */
public record PodKey(String namespace, String name) implements Comparable<PodKey> {
  public PodKey {
    Checks.notEmpty("namespace", namespace);
    Checks.notEmpty("pod name", name);
  }

  /**
   * Parses {@code NAMESPACE/NAME}.
   *
   * @throws IllegalArgumentException naming the text
   */
  public static PodKey parse(String text) {
    int slash = text.indexOf('/');
    if (slash <= 0 || slash == text.length() - 1 || text.indexOf('/', slash + 1) >= 0) {
      throw new IllegalArgumentException("'" + text + "' is not a pod as NAMESPACE/NAME");
    }
    return new PodKey(text.substring(0, slash), text.substring(slash + 1));
  }

  @Override
  public int compareTo(PodKey other) {
    int byNamespace = namespace.compareTo(other.namespace);
    return byNamespace != 0 ? byNamespace : name.compareTo(other.name);
  }

  @Override
  public String toString() {
    return namespace + "/" + name;
  }
}
