package dev.sund.model;

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

  @Override
  public String toString() {
    return text;
  }
}
