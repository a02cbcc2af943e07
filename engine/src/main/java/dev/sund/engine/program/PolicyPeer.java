package dev.sund.engine.program;

import dev.sund.model.Prefix;
import dev.sund.model.RuleId;

/**
 * Which class of peers an address belongs to. Key: {@code range}; of several ranges that contain an
 * address the longest counts, and an address in none is of class {@link #OTHERS}. Two addresses are
 * of one class when no policy that concerns a pod of this node tells them apart: the same selectors
 * match, the same blocks contain them, and the ports that policies name have the same numbers.
 *
 * <p>In the kernel: pods' addresses are elements of a map, ranges of another one with intervals; a
 * change of a pod's labels is one element.
 *
 * @param range a pod's address, or a block of a policy or a part cut out of it
 * @param peerClass its class; as a number it says nothing, and depends on nothing but what makes
 *     the class
 * @param rule the pod, or the policy that names the range
 */
public record PolicyPeer(Prefix range, int peerClass, RuleId rule) {
  /** The class of addresses that no policy on this node mentions. */
  public static final int OTHERS = 0;
}
