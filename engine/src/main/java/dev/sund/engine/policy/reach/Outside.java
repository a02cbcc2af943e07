package dev.sund.engine.policy.reach;

import dev.sund.engine.cluster.Policy;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.NodeName;
import java.util.List;
import java.util.stream.Collectors;

/**
 * Addresses that are no pod's and that no policy tells apart.
 *
 * @param index its place in {@link Reachability#outside}
 * @param family of all of them
 * @param peerClass their class in the compiled tables
 * @param ranges where they are, pods' own addresses left out
 * @param internet whether addresses that everyone can reach are among them
 * @param example one of them
 * @param nodes of the cluster that have one of them, sorted
 */
public record Outside(
    int index,
    Family family,
    int peerClass,
    List<Policy.Block> ranges,
    boolean internet,
    Ip example,
    List<NodeName> nodes)
    implements Party {
  public Outside {
    ranges = List.copyOf(ranges);
    nodes = List.copyOf(nodes);
  }

  /** {@code 0.0.0.0/0 but 10.0.0.0/8}. */
  @Override
  public String toString() {
    return ranges.stream().map(Outside::text).collect(Collectors.joining("; "));
  }

  private static String text(Policy.Block block) {
    return block.range()
        + (block.except().isEmpty()
            ? ""
            : " but "
                + block.except().stream().map(Object::toString).collect(Collectors.joining(", ")));
  }
}
