package dev.sund.it.policy.oracle;

import java.net.InetAddress;

/**
 * One end of a connection: where it is, and by which address.
 *
 * @param pod {@code NAMESPACE/NAME} of a pod with a network of its own; empty for all others
 * @param node the node whose own network it is on; empty for a pod, and for who is outside
 * @param address the address by which the other end sees it
 */
public record End(String pod, String node, InetAddress address) {
  public static End pod(String name, String address) {
    return new End(name, "", InetAddress.ofLiteral(address));
  }

  /** The node itself, or a pod on its network. */
  public static End node(String name, String address) {
    return new End("", name, InetAddress.ofLiteral(address));
  }

  public static End outside(String address) {
    return new End("", "", InetAddress.ofLiteral(address));
  }

  boolean isPod() {
    return !pod.isEmpty();
  }

  @Override
  public String toString() {
    return (isPod() ? pod : node.isEmpty() ? "outside" : "node " + node)
        + " ("
        + address.getHostAddress()
        + ")";
  }
}
