package dev.sund.agent.peers;

import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.NodeName;
import java.util.List;
import java.util.Optional;

/**
 * A node of the cluster as far as measuring is concerned.
 *
 * @param addresses by which it is reached, at most one a family
 * @param every all that are its own, from which it may ask
 */
public record PeerNode(NodeName name, List<Ip> addresses, List<Ip> every) {
  /** Its address of a family. */
  Optional<Ip> address(Family family) {
    return addresses.stream().filter(ip -> ip.family() == family).findFirst();
  }
}
