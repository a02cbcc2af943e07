package dev.sund.agent.local;

import dev.sund.engine.cluster.Attachment;
import dev.sund.engine.program.LocalPod;
import java.util.Map;
import java.util.Optional;

/**
 * What the local socket needs of the agent. Called from many threads at once; each call may wait,
 * but not for ever.
 */
public interface LocalCalls {
  /** Why pods cannot be attached now, as a sentence; empty when they can. */
  Optional<String> notReady();

  /**
   * Gives a pod its network. Returns when rules and routes are in the kernel; a repeat of what is
   * there already changes nothing.
   *
   * @throws CniException when it was not done; nothing of it stays
   */
  LocalPod attach(Attachment attachment) throws CniException, InterruptedException;

  /**
   * Takes a pod's network away. A pod that is not known is no error.
   *
   * @throws CniException when it was not done
   */
  void detach(String attachmentKey) throws CniException, InterruptedException;

  /**
   * Compares what the kernel holds for a pod with what it should hold.
   *
   * @throws CniException naming what differs
   */
  void check(String attachmentKey) throws CniException, InterruptedException;

  /** The node's one status object. */
  Map<String, Object> status();

  /**
   * Sets the log's level.
   *
   * @param part a part of the agent; empty for all
   * @param level such as {@code debug}
   * @return false when there is no such level
   */
  boolean logLevel(String part, String level);
}
