package dev.sund.model;

import org.jspecify.annotations.Nullable;

/**
 * The name of a thing that a condition or a rule is about: a Kubernetes object, or a kernel object
 * of a node.
 *
 * @param kind such as {@code Node}, {@code Pod}, {@code IPPool}, {@code route}, {@code link}
 * @param name such as {@code n1}, {@code shop/web}, {@code 10.244.1.0/24}
 */
public record ObjectRef(String kind, String name) implements Comparable<ObjectRef> {
  public ObjectRef {
    Checks.notEmpty("kind", kind);
    Checks.notEmpty("name", name);
  }

  @Override
  public int compareTo(ObjectRef other) {
    int byKind = kind.compareTo(other.kind);
    return byKind != 0 ? byKind : name.compareTo(other.name);
  }

  /** Written out, as that of {@link Ip}. */
  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof ObjectRef ref && name.equals(ref.name) && kind.equals(ref.kind);
  }

  @Override
  public int hashCode() {
    return 31 * kind.hashCode() + name.hashCode();
  }

  @Override
  public String toString() {
    return kind + " " + name;
  }
}
