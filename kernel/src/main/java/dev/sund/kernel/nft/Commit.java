package dev.sund.kernel.nft;

import dev.sund.kernel.KernelException;
import java.util.List;

/** How a transaction ended. It is all or nothing: unless {@link Done}, nothing has changed. */
public sealed interface Commit {
  /**
   * All of it is in force.
   *
   * @param messages how many messages it took
   */
  record Done(int messages) implements Commit {}

  /** Somebody else has changed the rule set since the generation that was named; read it again. */
  record Stale() implements Commit {}

  /**
   * The kernel refused.
   *
   * @param failures at least one, in the order of the operations
   */
  record Refused(List<Failure> failures) implements Commit {
    public Refused {
      failures = List.copyOf(failures);
    }
  }

  /**
   * A refused operation.
   *
   * @param index which operation, from 0; -1 when the kernel refused the transaction as such
   * @param reason the typed error, which names the operation and the kernel's own words
   */
  record Failure(int index, KernelException reason) {}

  /**
   * Returns when the transaction is in force.
   *
   * @throws KernelException the first refusal, the others are suppressed in it; {@link
   *     KernelException.DumpInterrupted} when the generation had passed
   */
  default void orThrow() throws KernelException {
    switch (this) {
      case Done _ -> {}
      case Stale _ -> throw new KernelException.DumpInterrupted("commit at the generation read", 1);
      case Refused(var failures) -> {
        KernelException first = failures.getFirst().reason();
        for (Failure failure : failures.subList(1, failures.size())) {
          first.addSuppressed(failure.reason());
        }
        throw first;
      }
    }
  }
}
