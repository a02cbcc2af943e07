package dev.sund.model;

import org.jspecify.annotations.Nullable;

/**
 * The name of a cluster's node.
 *
 * @param text a DNS subdomain, not empty
 */
public record NodeName(String text) implements Comparable<NodeName> {
  public NodeName {
    Checks.notEmpty("node name", text);
  }

  @Override
  public int compareTo(NodeName other) {
    return text.compareTo(other.text);
  }

  /** Written out, as that of {@link Ip}. */
  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof NodeName name && text.equals(name.text);
  }

  @Override
  public int hashCode() {
    return text.hashCode();
  }

  @Override
  public String toString() {
    return text;
  }
}
