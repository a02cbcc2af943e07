package dev.sund.lab.question;

import dev.sund.engine.trace.Packet.Origin;

/**
 * One end of a question.
 *
 * @param label how people call it: {@code shop/web}, {@code node n1}, {@code outside}
 * @param group the class it belongs to, such as the pod's owner; equal to the label when it stands
 *     for itself
 * @param origin where its packets are born
 * @param machine the node, or the host outside, that it is on
 */
public record Party(String label, String group, Origin origin, String machine) {
  @Override
  public String toString() {
    return label;
  }
}
