package dev.sund.agent.bridge;

import dev.sund.agent.cni.CniException;
import dev.sund.engine.cluster.MappedContainer;
import dev.sund.model.Prefix;
import java.util.SortedSet;

/**
 * The node's packet program, as bridge mode needs it: which networks' packets get the node's
 * address when they leave, and which of the node's ports lead to containers. Many threads call.
 */
public interface Translation {
  /**
   * Says which subnets of a network are translated; none when it has none any more. Returns when
   * the kernel's rules are so.
   *
   * @throws CniException when the kernel cannot be made so in time
   */
  void translate(String network, SortedSet<Prefix> subnets)
      throws CniException, InterruptedException;

  /** As {@link #translate}, without waiting. */
  void announce(String network, SortedSet<Prefix> subnets);

  /**
   * Has a container's ports lead to it. Returns when the kernel's rules are so.
   *
   * @throws CniException when the kernel cannot be made so in time
   */
  void open(MappedContainer container) throws CniException, InterruptedException;

  /** As {@link #open}, without waiting. */
  void announce(MappedContainer container);

  /** Has a container's ports lead nowhere any more, without waiting. */
  void shut(String container);
}
