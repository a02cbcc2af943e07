package dev.sund.agent.cni;

import dev.sund.engine.cluster.Attachment;
import dev.sund.engine.program.LocalPod;
import java.util.Collection;
import java.util.Optional;

/** The agent, as the pods' own routed network needs it. Many threads call at once. */
public interface PodNetworks {
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
   * @return what is attached under this key
   * @throws CniException naming what differs
   */
  Attachment check(String attachmentKey) throws CniException, InterruptedException;

  /** Whether something is attached under this key. */
  boolean isAttached(String attachmentKey);

  /** What is attached now. */
  Collection<Attachment> attachments();
}
