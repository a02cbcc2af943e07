package dev.sund.dataplane.nft;

import dev.sund.kernel.KernelException;
import dev.sund.kernel.nft.Commit;
import dev.sund.kernel.nft.NftChain;
import dev.sund.kernel.nft.NftContents;
import dev.sund.kernel.nft.NftElement;
import dev.sund.kernel.nft.NftOp;
import dev.sund.kernel.nft.NftRule;
import dev.sund.kernel.nft.NftSocket;
import dev.sund.kernel.nft.NftTable;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** What {@link NftDriver} needs of nf_tables: the kernel's in production, a fake in tests. */
public interface NftPort extends AutoCloseable {
  /** Our table as it is now, empty when there is none. */
  Optional<NftContents> contents() throws KernelException;

  /** The number of the rule set in force: one more with each transaction, whoever's. */
  int generation() throws KernelException;

  /** The elements of a set of our table; none when there is no such set. */
  List<NftElement> elements(String set) throws KernelException;

  /** A transaction: all or nothing. */
  Commit commit(List<NftOp> ops) throws KernelException;

  /** A transaction that changes nothing when someone has committed since {@code generation}. */
  Commit commitAt(int generation, List<NftOp> ops) throws KernelException;

  /** All chains of the namespace, whoever made them. */
  default List<NftChain> chains() throws KernelException {
    return List.of();
  }

  /** The rules of a chain in their order. */
  default List<NftRule> rules(NftChain chain) throws KernelException {
    return List.of();
  }

  /**
   * Whether tables made by this port are its alone for as long as it is open, so that others'
   * {@code nft flush ruleset} leaves them, and stay behind it.
   */
  default boolean keepsTables() throws KernelException {
    return false;
  }

  @Override
  void close();

  /** The kernel's table {@code inet sund}, by this socket, which {@link #close} closes. */
  static NftPort over(NftSocket socket) {
    return over(socket, MasqueradeLowering.TABLE);
  }

  /** The kernel's table of policies, by this socket, which {@link #close} closes. */
  static NftPort ofPolicies(NftSocket socket) {
    return over(socket, PolicyLowering.TABLE);
  }

  /**
   * As {@link #ofPolicies}, of whoever keeps the table: what it makes is its alone where the kernel
   * can do that (6.9). Others' changes are refused then, those of other sockets of ours too.
   */
  static NftPort keepingPolicies(NftSocket socket) {
    return over(socket, PolicyLowering.TABLE, true);
  }

  /** The kernel's table of frames, by this socket, which {@link #close} closes. */
  static NftPort ofBridges(NftSocket socket) {
    return over(socket, BridgeLowering.TABLE);
  }

  /** As {@link #ofBridges}, of whoever keeps the table, see {@link #keepingPolicies}. */
  static NftPort keepingBridges(NftSocket socket) {
    return over(socket, BridgeLowering.TABLE, true);
  }

  private static NftPort over(NftSocket socket, NftTable table) {
    return over(socket, table, false);
  }

  private static NftPort over(NftSocket socket, NftTable table, boolean keeping) {
    return new NftPort() {
      private @Nullable Boolean canKeep;

      @Override
      public boolean keepsTables() throws KernelException {
        if (keeping && canKeep == null) {
          canKeep = KeptTable.kernelCanKeep(socket);
        }
        return keeping && Boolean.TRUE.equals(canKeep);
      }

      @Override
      public Optional<NftContents> contents() throws KernelException {
        return socket.contents(table.family(), table.name());
      }

      @Override
      public int generation() throws KernelException {
        return socket.generation();
      }

      @Override
      public List<NftElement> elements(String set) throws KernelException {
        try {
          return socket.elements(table.family(), table.name(), set);
        } catch (KernelException.NotFound _) {
          return List.of();
        }
      }

      @Override
      public Commit commit(List<NftOp> ops) throws KernelException {
        return socket.commit(ops);
      }

      @Override
      public Commit commitAt(int generation, List<NftOp> ops) throws KernelException {
        return socket.commitAt(generation, ops);
      }

      @Override
      public List<NftChain> chains() throws KernelException {
        return socket.chains();
      }

      @Override
      public List<NftRule> rules(NftChain chain) throws KernelException {
        return socket.rules(chain);
      }

      @Override
      public void close() {
        socket.close();
      }
    };
  }
}
