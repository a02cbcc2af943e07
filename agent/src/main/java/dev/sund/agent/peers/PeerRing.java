package dev.sund.agent.peers;

import dev.sund.model.NodeName;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;

/**
 * Whom each node measures. The nodes stand on a ring in the order of a hash of their names, and
 * each measures those that come next. So each is measured by as many as it measures, nobody needs
 * to agree with anybody, and a node that comes or goes changes one peer of each of its neighbours.
 */
public final class PeerRing {
  private static final long FNV_OFFSET = 0xcbf29ce484222325L;
  private static final long FNV_PRIME = 0x100000001b3L;

  private PeerRing() {}

  /**
   * The peers of a node, the next one first.
   *
   * @param self the node, among the nodes or not
   * @param nodes the cluster's, in any order
   * @param most how many it measures at most
   */
  public static List<NodeName> of(NodeName self, Collection<NodeName> nodes, int most) {
    record Place(long hash, NodeName name) {}

    long own = hash(self.text());
    return nodes.stream()
        .filter(name -> !name.equals(self))
        // How far ahead of this node it stands: as an unsigned number, the ring closes by itself.
        .map(name -> new Place(hash(name.text()) - own, name))
        .sorted(Comparator.comparing(Place::hash, Long::compareUnsigned).thenComparing(Place::name))
        .limit(most)
        .map(Place::name)
        .toList();
  }

  /**
   * FNV-1a with the finalizer of SplitMix64: names that differ in their last digit are to stand far
   * from each other.
   */
  static long hash(String name) {
    long hash = FNV_OFFSET;
    for (int i = 0; i < name.length(); i++) {
      hash = (hash ^ name.charAt(i)) * FNV_PRIME;
    }
    hash = (hash ^ (hash >>> 30)) * 0xbf58476d1ce4e5b9L;
    hash = (hash ^ (hash >>> 27)) * 0x94d049bb133111ebL;
    return hash ^ (hash >>> 31);
  }
}
