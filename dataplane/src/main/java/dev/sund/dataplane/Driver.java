package dev.sund.dataplane;

import dev.sund.engine.program.ProgramDelta;
import dev.sund.kernel.KernelException;

/**
 * The owner of one kind of kernel object: it alone writes them, by difference.
 *
 * <p>Each driver answers in its Javadoc: how does a restarted agent know which objects are ours?
 * and: what happens to packets if the agent dies between any two messages?
 *
 * <p>Life: constructed; {@link #resync} once; then {@link #want} and {@link #apply} for ever, with
 * another resync whenever the kernel's events or a failure leave in doubt what is there. All on the
 * dataplane thread. {@link Dataplane} runs several in the right order.
 */
public interface Driver extends AutoCloseable {

  /** The two halves of a cycle. */
  enum Step {
    /** Write what is wanted: drivers in their order, so that what is referred to comes first. */
    PUT,
    /** Remove what is not: drivers in the reverse order. */
    REMOVE
  }

  /** A short name for logs, metrics and {@link FailPoint}s, such as {@code routes}. */
  String name();

  /**
   * Takes over what this driver owns of a delta. Touches nothing, cannot fail.
   *
   * @param delta what changed in the program
   */
  void want(ProgramDelta delta);

  /**
   * Reads the kernel back and learns what of it is ours, so that the next {@link #apply} writes the
   * difference. Entries held after a failure are tried again. Writes nothing.
   *
   * @return the conditions found, such as foreign objects in our place; nothing done
   * @throws KernelException when the kernel could not be read; what was known before stays
   */
  ApplyReport resync() throws KernelException;

  /**
   * As {@link #resync}, where there is no more than suspicion: a driver that can tell that nobody
   * else has changed anything since it read or wrote itself need not read it all again.
   */
  default ApplyReport glance() throws KernelException {
    return resync();
  }

  /**
   * Does what is pending of one step. Independent objects are attempted after one fails; a failed
   * one is held until it changes, {@link #retry} or {@link #resync}.
   *
   * @param step which half
   * @param most the most entries to change, so that a large backlog is cut into short pieces
   */
  ApplyReport apply(Step step, int most);

  /** The first full list has been told: from now on what is ours and not wanted is removed. */
  void allowSweep();

  /** Devices, addresses or routes that Sund did not make have changed. From any thread. */
  default void othersChanged() {}

  /** Takes up again what failed. */
  void retry();

  /** How many entries wait for {@link #apply}, held ones left out. */
  int pending();

  /** A device was made anew or went down: what hung on it is gone without a word. */
  default void deviceReset(String device) {}

  /** Closes sockets; the kernel's state stays as it is. */
  @Override
  void close();
}
