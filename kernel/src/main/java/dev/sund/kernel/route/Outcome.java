package dev.sund.kernel.route;

import dev.sund.kernel.KernelException;

/** How one request of a batch ended. */
public sealed interface Outcome {
  /** The kernel did as asked. */
  Outcome DONE = Settled.DONE;

  /** Something with this key is there; whether it is the same, a reading tells. */
  Outcome ALREADY_THERE = Settled.ALREADY_THERE;

  /** There was nothing to remove. */
  Outcome ALREADY_GONE = Settled.ALREADY_GONE;

  /** Ends without an error. */
  enum Settled implements Outcome {
    /** The kernel did as asked. */
    DONE,
    /** Something with this key is there. */
    ALREADY_THERE,
    /** There was nothing to remove. */
    ALREADY_GONE
  }

  /** The kernel refused. */
  record Failed(KernelException cause) implements Outcome {
    @Override
    public String toString() {
      return String.valueOf(cause.getMessage());
    }
  }

  /** Whether it is not {@link Failed}. */
  default boolean isSettled() {
    return switch (this) {
      case Settled _ -> true;
      case Failed _ -> false;
    };
  }

  /**
   * Does nothing unless the kernel refused.
   *
   * @throws KernelException the refusal
   */
  default void orThrow() throws KernelException {
    if (this instanceof Failed(KernelException cause)) {
      throw cause;
    }
  }
}
