package dev.sund.doctor.pods;

import dev.sund.model.Ip;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalLong;

/**
 * A network namespace on this node and what is known of whose it is.
 *
 * @param name what to call it: {@code NAMESPACE/NAME} of a pod that is known, else what was asked
 * @param namespace the namespace's file, to be entered
 * @param pid a process in it; empty when it was found without one
 * @param container the id of a container in it; empty when none is known
 * @param addresses its addresses without those of loopback and link; may be empty
 * @param node whether it is the node's own: a pod on its node's network
 * @param how by what it was found, for people
 */
public record PodNetwork(
    String name,
    Path namespace,
    OptionalLong pid,
    String container,
    List<Ip> addresses,
    boolean node,
    String how) {
  public PodNetwork {
    addresses = List.copyOf(addresses);
  }
}
