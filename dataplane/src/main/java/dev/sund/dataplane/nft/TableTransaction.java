package dev.sund.dataplane.nft;

import dev.sund.engine.program.Change;
import dev.sund.kernel.nft.Bytes;
import dev.sund.kernel.nft.Commit;
import dev.sund.kernel.nft.NftChain;
import dev.sund.kernel.nft.NftElement;
import dev.sund.kernel.nft.NftOp;
import dev.sund.kernel.nft.NftTable;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeMap;

/**
 * A transaction on our table, while it is put together.
 *
 * @param ops its operations, in order
 * @param keys for each operation the element that it is about, empty for all else
 * @param changes which elements are there or gone when it is through
 * @param makesTable whether the table is made in it
 */
record TableTransaction(
    List<NftOp> ops,
    List<Optional<RangeKey>> keys,
    List<Change<RangeKey, Entry>> changes,
    boolean makesTable) {
  private static final NftTable TABLE = MasqueradeLowering.TABLE;

  /** One without operations. */
  TableTransaction(boolean makesTable) {
    this(new ArrayList<>(), new ArrayList<>(), new ArrayList<>(), makesTable);
  }

  /** The element that a refused operation was about. */
  Optional<RangeKey> keyOf(Commit.Failure failure) {
    return keys.get(failure.index());
  }

  /** Something that is constant in the table. */
  void frame(NftOp op) {
    ops.add(op);
    keys.add(Optional.empty());
  }

  void add(RangeKey key, Entry entry) {
    ChooserLowering.chain(key)
        .ifPresent(chain -> {
          about(key, new NftOp.CreateChain(chain));
          ChooserLowering.rules(key).forEach(rule -> about(key, new NftOp.AppendRule(rule)));
        });
    addElements(key, entry);
  }

  /** As {@link #add}, where the chain that the element leads to is there already. */
  void addElements(RangeKey key, Entry entry) {
    List<NftElement> elements = TableImage.elements(key, entry);
    about(key, new NftOp.AddElements(TABLE.family(), TABLE.name(), key.set(), elements, true));
  }

  /** One operation a set: a third cheaper, but a refusal does not say which element it is about. */
  void addTogether(NavigableMap<RangeKey, Entry> entries) {
    Map<String, List<NftElement>> sets = new TreeMap<>();
    entries.forEach((key, entry) ->
        sets.computeIfAbsent(key.set(), _ -> new ArrayList<>())
            .addAll(TableImage.elements(key, entry)));
    sets.forEach(
        (set, all) -> frame(new NftOp.AddElements(TABLE.family(), TABLE.name(), set, all, true)));
  }

  void delete(RangeKey key, Entry entry) {
    List<NftElement> elements = TableImage.elements(key, entry);
    about(key, new NftOp.DeleteElements(TABLE.family(), TABLE.name(), key.set(), elements));
    ChooserLowering.chain(key)
        .ifPresent(
            chain -> about(key, new NftOp.DeleteChain(TABLE.family(), TABLE.name(), chain.name())));
  }

  /**
   * Adds what sets need that get their first elements here or lose their last ones: the sets
   * themselves, and the rules that look into them.
   *
   * @param seen the elements that are there before this transaction
   */
  void completeParts(NavigableMap<RangeKey, Entry> seen) {
    Map<TablePart, RangeKey> touched = new TreeMap<>();
    for (Change<RangeKey, Entry> change : changes) {
      TablePart.of(change.key().set()).ifPresent(part -> touched.putIfAbsent(part, change.key()));
    }
    if (touched.isEmpty()) {
      return;
    }
    SortedSet<TablePart> parts = TablePart.in(seen);
    Map<NftChain, RangeKey> altered = new LinkedHashMap<>();
    List<NftOp> last = new ArrayList<>();
    List<Optional<RangeKey>> lastKeys = new ArrayList<>();
    touched.forEach((part, key) -> {
      boolean is = parts.contains(part);
      boolean willBe = staysIn(part.name(), seen);
      if (willBe && !is) {
        ops.addFirst(new NftOp.CreateSet(part.set()));
        keys.addFirst(Optional.of(key));
        parts.add(part);
        altered.putIfAbsent(part.chain(), key);
      } else if (is && !willBe) {
        last.add(new NftOp.DeleteSet(TABLE.family(), TABLE.name(), part.name()));
        lastKeys.add(Optional.of(key));
        parts.remove(part);
        altered.putIfAbsent(part.chain(), key);
      }
    });
    altered.forEach((chain, key) -> {
      about(key, new NftOp.FlushChain(TABLE.family(), TABLE.name(), chain.name()));
      TablePart.rules(chain, parts).forEach(rule -> about(key, new NftOp.AppendRule(rule)));
    });
    ops.addAll(last);
    keys.addAll(lastKeys);
  }

  /** Whether a set has elements when this is through. */
  private boolean staysIn(String set, NavigableMap<RangeKey, Entry> seen) {
    Set<RangeKey> gone = new HashSet<>();
    for (Change<RangeKey, Entry> change : changes) {
      switch (change) {
        case Change.Put<RangeKey, Entry>(var key, var _, var _) -> {
          if (key.set().equals(set)) {
            return true;
          }
        }
        case Change.Remove<RangeKey, Entry>(var key, var _) -> gone.add(key);
      }
    }
    for (RangeKey key : seen.tailMap(RangeKey.single(set, Bytes.EMPTY), true).keySet()) {
      if (!key.set().equals(set)) {
        break;
      }
      if (!gone.contains(key)) {
        return true;
      }
    }
    return false;
  }

  private void about(RangeKey key, NftOp op) {
    ops.add(op);
    keys.add(Optional.of(key));
  }
}
