package dev.sund.dataplane.nft;

import dev.sund.kernel.KernelException;
import dev.sund.kernel.nft.Commit;
import dev.sund.kernel.nft.NftChain;
import dev.sund.kernel.nft.NftContents;
import dev.sund.kernel.nft.NftElement;
import dev.sund.kernel.nft.NftOp;
import dev.sund.kernel.nft.NftRule;
import java.util.List;
import java.util.Optional;

/**
 * A port that knows whether anybody else has changed the namespace's rules since the table was
 * read: each transaction, whoever's, makes the number of the rule set one larger, so there were
 * others where it is more than ours, {@link OwnCommits}, account for. Reading a table of 300,000
 * elements takes the kernel seconds; asking for a number takes microseconds.
 *
 * <p>What the number does not count is what packets do: elements that rules add, and those whose
 * time is over.
 */
final class LeftAlone implements NftPort {
  private final NftPort port;
  private final OwnCommits own;

  /** How many transactions of others the kernel's number stands for, when it was last read. */
  private int lastRead;

  private int expected;

  /**
   * Over {@code port}, which {@link #close} closes.
   *
   * @param own what this one and the others of the agent commit
   */
  LeftAlone(NftPort port, OwnCommits own) {
    this.port = port;
    this.own = own;
  }

  /** What {@link #contents} gave last is what is known from now on. */
  void learned() {
    expected = lastRead;
  }

  /** Whether nobody else has committed anything since what is known was read. */
  boolean holds() throws KernelException {
    return port.generation() - own.count() == expected;
  }

  @Override
  public Optional<NftContents> contents() throws KernelException {
    int before = port.generation(); // where there is no table, nothing says when that was
    Optional<NftContents> contents = port.contents();
    lastRead = contents.map(NftContents::generation).orElse(before) - own.count();
    return contents;
  }

  @Override
  public int generation() throws KernelException {
    return port.generation();
  }

  @Override
  public List<NftElement> elements(String set) throws KernelException {
    return port.elements(set);
  }

  @Override
  public Commit commit(List<NftOp> ops) throws KernelException {
    return counted(port.commit(ops));
  }

  @Override
  public Commit commitAt(int generation, List<NftOp> ops) throws KernelException {
    return counted(port.commitAt(generation, ops));
  }

  private Commit counted(Commit commit) {
    if (commit instanceof Commit.Done) {
      own.add();
    }
    return commit;
  }

  @Override
  public List<NftChain> chains() throws KernelException {
    return port.chains();
  }

  @Override
  public List<NftRule> rules(NftChain chain) throws KernelException {
    return port.rules(chain);
  }

  @Override
  public boolean keepsTables() throws KernelException {
    return port.keepsTables();
  }

  @Override
  public void close() {
    port.close();
  }
}
