package dev.sund.engine.ipam;

import dev.sund.model.NodeName;
import dev.sund.model.Prefix;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Where claims on blocks are kept: a port, so that the allocator knows no API. What it reads is the
 * latest, never a cache; what it writes replaces exactly the version that the caller has seen.
 *
 * <p>For one thread at a time.
 */
public interface ClaimStore {
  /** All blocks, in no particular order. */
  List<Block> list() throws StoreException, InterruptedException;

  /** The block with this range. */
  Optional<Block> read(Prefix cidr) throws StoreException, InterruptedException;

  /**
   * Writes a block, if the stored one still has its version; a block without a version only if none
   * is stored.
   *
   * @return the block as it is stored now, or empty when it was changed in between: read it again
   * @throws StoreException when there is no answer: it may have been written, may be written later,
   *     or never
   */
  Optional<Block> write(Block block) throws StoreException, InterruptedException;

  /** The cluster's nodes. */
  Set<NodeName> nodes() throws StoreException, InterruptedException;

  /** The store did not answer in time, or refused. What was asked of it may happen or not. */
  final class StoreException extends Exception {
    private static final long serialVersionUID = 1;

    /**
     * No answer.
     *
     * @param message what happened, one sentence without a full stop
     */
    public StoreException(String message) {
      super(message);
    }

    /** What happened. */
    public String why() {
      return String.valueOf(getMessage());
    }
  }
}
