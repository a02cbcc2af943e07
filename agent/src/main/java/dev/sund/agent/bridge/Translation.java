package dev.sund.agent.bridge;

import dev.sund.agent.cni.CniException;
import dev.sund.engine.cluster.MappedContainer;
import dev.sund.engine.cluster.PortOnBridge;
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

  /**
   * Has a container on a bridge judged by its pod's policies, and its frames by their senders.
   * Returns when the kernel's rules are so.
   *
   * @throws CniException when the kernel cannot be made so in time, or at all; while the cluster's
   *     policies are not known yet
   */
  void join(PortOnBridge port) throws CniException, InterruptedException;

  /** As {@link #join}, without waiting. */
  void announce(PortOnBridge port);

  /** A container is on its bridge no more; without waiting. */
  void leave(String container);

  /** Has a container's ports lead nowhere any more, without waiting. */
  void shut(String container);
}
