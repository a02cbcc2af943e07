package dev.sund.kernel.nft;

import java.util.List;

/** Something that changed in nf_tables, told in the order of the transactions. */
public sealed interface NftEvent {
  /** A table was made or changed, or is gone. */
  record TableChanged(NftTable table, boolean gone) implements NftEvent {}

  /** A chain was made or changed, or is gone. */
  record ChainChanged(NftChain chain, boolean gone) implements NftEvent {}

  /** A rule was made, or is gone. */
  record RuleChanged(NftRule rule, boolean gone) implements NftEvent {}

  /** A set was made, or is gone. */
  record SetChanged(NftSet set, boolean gone) implements NftEvent {}

  /** Elements were added, or are gone. */
  record ElementsChanged(
      NftFamily family, String table, String set, List<NftElement> elements, boolean gone)
      implements NftEvent {
    public ElementsChanged {
      elements = List.copyOf(elements);
    }
  }

  /** A transaction is through: the events before this one belong to it. */
  record Committed(Generation generation) implements NftEvent {}

  /** An object of a kind that is not read here: a named counter, a flow table. */
  record Other(int type) implements NftEvent {}
}
