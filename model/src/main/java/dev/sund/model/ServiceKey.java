package dev.sund.model;

import org.jspecify.annotations.Nullable;

/**
 * The namespace and name of a Service.
 *
 * @param namespace not empty
 * @param name not empty
 */
public record ServiceKey(String namespace, String name) implements Comparable<ServiceKey> {
  public ServiceKey {
    Checks.notEmpty("namespace", namespace);
    Checks.notEmpty("service name", name);
  }

  /**
   * Parses {@code NAMESPACE/NAME}.
   *
   * @throws IllegalArgumentException naming the text
   */
  public static ServiceKey parse(String text) {
    int slash = text.indexOf('/');
    if (slash <= 0 || slash == text.length() - 1 || text.indexOf('/', slash + 1) >= 0) {
      throw new IllegalArgumentException("'" + text + "' is not a Service as NAMESPACE/NAME");
    }
    return new ServiceKey(text.substring(0, slash), text.substring(slash + 1));
  }

  @Override
  public int compareTo(ServiceKey other) {
    int byNamespace = namespace.compareTo(other.namespace);
    return byNamespace != 0 ? byNamespace : name.compareTo(other.name);
  }

  /** Written out, as that of {@link Ip}. */
  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof ServiceKey key
        && name.equals(key.name)
        && namespace.equals(key.namespace);
  }

  @Override
  public int hashCode() {
    return 31 * namespace.hashCode() + name.hashCode();
  }

  @Override
  public String toString() {
    return namespace + "/" + name;
  }
}
