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
    List<Change<RangeKey, String>> changes,
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

  void add(RangeKey key, String comment) {
    List<NftElement> range = MasqueradeLowering.elements(key, comment);
    ops.add(new NftOp.AddElements(TABLE.family(), TABLE.name(), key.set(), range, true));
    keys.add(Optional.of(key));
  }

  /** One operation a set: a third cheaper, but a refusal does not say which element it is about. */
  void addTogether(NavigableMap<RangeKey, String> ranges) {
    Map<String, List<NftElement>> sets = new TreeMap<>();
    ranges.forEach((key, comment) ->
        sets.computeIfAbsent(key.set(), _ -> new ArrayList<>())
            .addAll(MasqueradeLowering.elements(key, comment)));
    sets.forEach(
        (set, all) -> frame(new NftOp.AddElements(TABLE.family(), TABLE.name(), set, all, true)));
  }

  void delete(RangeKey key, String comment) {
    List<NftElement> range = MasqueradeLowering.elements(key, comment);
    ops.add(new NftOp.DeleteElements(TABLE.family(), TABLE.name(), key.set(), range));
    keys.add(Optional.of(key));
  }
}
