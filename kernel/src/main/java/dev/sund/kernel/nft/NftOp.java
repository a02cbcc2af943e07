package dev.sund.kernel.nft;

import java.util.List;

/**
 * One operation of a transaction, as plain data: it can be printed, compared and counted before
 * anything is sent.
 *
 * <p>{@code Create} fails when the object is there, {@code Ensure} does not; whether what is there
 * is what was meant is the caller's to read back. {@code Delete} fails when the object is gone. A
 * failure of one fails the transaction.
 */
public sealed interface NftOp {

  /** Whether there is nothing to do: elements are to be added or removed, but none are named. */
  default boolean isEmpty() {
    return switch (this) {
      case AddElements add -> add.elements().isEmpty();
      case DeleteElements delete -> delete.elements().isEmpty();
      case CreateTable _,
          EnsureTable _,
          DeleteTable _,
          CreateChain _,
          EnsureChain _,
          DeleteChain _,
          AppendRule _,
          InsertRule _,
          ReplaceRule _,
          DeleteRule _,
          FlushChain _,
          CreateSet _,
          EnsureSet _,
          DeleteSet _,
          FlushSet _ ->
          false;
    };
  }

  /** Makes a table; NFT_MSG_NEWTABLE with NLM_F_EXCL. */
  record CreateTable(NftTable table) implements NftOp {
    @Override
    public String toString() {
      return "create table " + table;
    }
  }

  /** Makes a table unless it is there, and gives it these flags; NFT_MSG_NEWTABLE. */
  record EnsureTable(NftTable table) implements NftOp {
    @Override
    public String toString() {
      return "ensure table " + table;
    }
  }

  /** Removes a table with all that is in it; NFT_MSG_DELTABLE. */
  record DeleteTable(NftFamily family, String name) implements NftOp {
    @Override
    public String toString() {
      return "delete table " + family + " " + name;
    }
  }

  /** Makes a chain; NFT_MSG_NEWCHAIN with NLM_F_EXCL. */
  record CreateChain(NftChain chain) implements NftOp {
    @Override
    public String toString() {
      return "create chain " + chain;
    }
  }

  /** Makes a chain unless it is there, and gives a base chain this policy; NFT_MSG_NEWCHAIN. */
  record EnsureChain(NftChain chain) implements NftOp {
    @Override
    public String toString() {
      return "ensure chain " + chain;
    }
  }

  /** Removes a chain that no rule jumps to, with its rules; NFT_MSG_DELCHAIN. */
  record DeleteChain(NftFamily family, String table, String name) implements NftOp {
    @Override
    public String toString() {
      return "delete chain " + family + " " + table + " " + name;
    }
  }

  /** Adds a rule at the end of its chain; NFT_MSG_NEWRULE with NLM_F_APPEND. */
  record AppendRule(NftRule rule) implements NftOp {
    @Override
    public String toString() {
      return "add rule " + rule.family() + " " + rule.table() + " " + rule.chain() + ": " + rule;
    }
  }

  /** Adds a rule in front of the one with this handle, 0: of all; NFT_MSG_NEWRULE. */
  record InsertRule(NftRule rule, long before) implements NftOp {
    @Override
    public String toString() {
      return "insert rule " + rule.family() + " " + rule.table() + " " + rule.chain() + ": " + rule;
    }
  }

  /** Puts a rule in the place of the one with this handle; NFT_MSG_NEWRULE with NLM_F_REPLACE. */
  record ReplaceRule(NftRule rule, long handle) implements NftOp {
    @Override
    public String toString() {
      return "replace rule "
          + rule.family()
          + " "
          + rule.table()
          + " "
          + rule.chain()
          + " handle "
          + handle
          + ": "
          + rule;
    }
  }

  /** Removes the rule with this handle; NFT_MSG_DELRULE. */
  record DeleteRule(NftFamily family, String table, String chain, long handle) implements NftOp {
    @Override
    public String toString() {
      return "delete rule " + family + " " + table + " " + chain + " handle " + handle;
    }
  }

  /** Removes all rules of a chain; NFT_MSG_DELRULE without a handle. */
  record FlushChain(NftFamily family, String table, String chain) implements NftOp {
    @Override
    public String toString() {
      return "flush chain " + family + " " + table + " " + chain;
    }
  }

  /** Makes a set or map; NFT_MSG_NEWSET with NLM_F_EXCL. */
  record CreateSet(NftSet set) implements NftOp {
    @Override
    public String toString() {
      return "create set " + set;
    }
  }

  /** Makes a set or map unless it is there; NFT_MSG_NEWSET. */
  record EnsureSet(NftSet set) implements NftOp {
    @Override
    public String toString() {
      return "ensure set " + set;
    }
  }

  /** Removes a set or map that no rule uses; NFT_MSG_DELSET. */
  record DeleteSet(NftFamily family, String table, String name) implements NftOp {
    @Override
    public String toString() {
      return "delete set " + family + " " + table + " " + name;
    }
  }

  /**
   * Adds elements; NFT_MSG_NEWSETELEM, as many messages as the elements need.
   *
   * @param exclusive whether an element that is there fails the transaction; without it, one with
   *     the same key and value stays as it is, with its old comment
   */
  record AddElements(
      NftFamily family, String table, String set, List<NftElement> elements, boolean exclusive)
      implements NftOp {
    public AddElements {
      elements = List.copyOf(elements);
    }

    @Override
    public String toString() {
      return "add "
          + elements.size()
          + " elements to set "
          + family
          + " "
          + table
          + " "
          + set
          + named(elements);
    }
  }

  /** Removes elements by their keys; NFT_MSG_DELSETELEM, as many messages as they need. */
  record DeleteElements(NftFamily family, String table, String set, List<NftElement> elements)
      implements NftOp {
    public DeleteElements {
      elements = List.copyOf(elements);
    }

    @Override
    public String toString() {
      return "delete "
          + elements.size()
          + " elements of set "
          + family
          + " "
          + table
          + " "
          + set
          + named(elements);
    }
  }

  /** Removes all elements of a set; NFT_MSG_DELSETELEM without elements. */
  record FlushSet(NftFamily family, String table, String set) implements NftOp {
    @Override
    public String toString() {
      return "flush set " + family + " " + table + " " + set;
    }
  }

  private static String named(List<NftElement> elements) {
    StringBuilder text = new StringBuilder(":");
    for (NftElement element : elements.subList(0, Math.min(4, elements.size()))) {
      text.append(' ').append(element.intervalEnd() ? "end " : "").append(element.key());
    }
    return elements.isEmpty() ? "" : text.append(elements.size() > 4 ? " ..." : "").toString();
  }
}
