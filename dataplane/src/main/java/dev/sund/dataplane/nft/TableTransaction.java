package dev.sund.dataplane.nft;

import dev.sund.engine.program.Change;
import dev.sund.kernel.nft.Commit;
import dev.sund.kernel.nft.NftElement;
import dev.sund.kernel.nft.NftOp;
import dev.sund.kernel.nft.NftTable;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
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
    FrontendLowering.chooser(key)
        .ifPresent(chain -> {
          about(key, new NftOp.CreateChain(chain));
          FrontendLowering.chooserRules(key)
              .forEach(rule -> about(key, new NftOp.AppendRule(rule)));
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
    FrontendLowering.chooser(key)
        .ifPresent(
            chain -> about(key, new NftOp.DeleteChain(TABLE.family(), TABLE.name(), chain.name())));
  }

  private void about(RangeKey key, NftOp op) {
    ops.add(op);
    keys.add(Optional.of(key));
  }
}
