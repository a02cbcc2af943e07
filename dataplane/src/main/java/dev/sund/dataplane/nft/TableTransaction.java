package dev.sund.dataplane.nft;

import dev.sund.engine.program.Change;
import dev.sund.kernel.nft.Commit;
import dev.sund.kernel.nft.Data;
import dev.sund.kernel.nft.NftChain;
import dev.sund.kernel.nft.NftElement;
import dev.sund.kernel.nft.NftOp;
import dev.sund.kernel.nft.NftTable;
import dev.sund.kernel.nft.Userdata;
import java.util.ArrayList;
import java.util.BitSet;
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
 * @param several which operations are about several elements
 * @param makesTable whether the table is made in it
 * @param table which one
 */
record TableTransaction(
    List<NftOp> ops,
    List<Optional<RangeKey>> keys,
    List<Change<RangeKey, Entry>> changes,
    BitSet several,
    boolean makesTable,
    NftTable table) {

  /** One without operations. */
  TableTransaction(boolean makesTable) {
    this(makesTable, MasqueradeLowering.TABLE);
  }

  /** One without operations, on this table. */
  TableTransaction(boolean makesTable, NftTable table) {
    this(new ArrayList<>(), new ArrayList<>(), new ArrayList<>(), new BitSet(), makesTable, table);
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

  /**
   * Removes elements.
   *
   * @param together one operation for neighbours in one set: a refusal then does not say which
   *     element it is about
   */
  void remove(List<Change.Remove<RangeKey, Entry>> removes, boolean together) {
    List<NftElement> run = new ArrayList<>();
    int ofRun = 0;
    for (int i = 0; i < removes.size(); i++) {
      Change.Remove<RangeKey, Entry> remove = removes.get(i);
      RangeKey key = remove.key();
      changes.add(remove);
      TableImage.addKeys(run, key);
      ofRun++;
      if (together
          && i + 1 < removes.size()
          && removes.get(i + 1).key().set().equals(key.set())
          && ChooserLowering.chain(key).isEmpty()) {
        continue;
      }
      if (ofRun > 1) {
        several.set(ops.size());
      }
      about(key, new NftOp.DeleteElements(table.family(), table.name(), key.set(), run));
      run.clear();
      ofRun = 0;
      ChooserLowering.chain(key)
          .ifPresent(chain ->
              about(key, new NftOp.DeleteChain(table.family(), table.name(), chain.name())));
    }
  }

  /**
   * Adds elements.
   *
   * @param together one operation for neighbours in one set: a refusal then does not say which
   *     element it is about
   */
  void add(List<Change.Put<RangeKey, Entry>> puts, boolean together) {
    List<NftElement> run = new ArrayList<>();
    Entry last = null;
    Userdata comment = Userdata.NONE;
    for (int i = 0; i < puts.size(); i++) {
      Change.Put<RangeKey, Entry> put = puts.get(i);
      changes.add(put);
      String set = put.key().set();
      boolean joins = together && i + 1 < puts.size() && puts.get(i + 1).key().set().equals(set);
      if ((!joins && run.isEmpty()) || ChooserLowering.chain(put.key()).isPresent()) {
        flush(put.key(), run);
        add(put.key(), put.value());
        continue;
      }
      Optional<Data> data = put.value().data();
      if (data.isPresent() && put.key().isSingle()) {
        if (!put.value().isOfSameRule(last)) { // as a Service's endpoints are
          last = put.value();
          comment = Userdata.comment(last.comment());
        }
        run.add(NftElement.of(put.key().low(), data, comment));
      } else {
        run.addAll(TableImage.elements(put.key(), put.value()));
      }
      if (!joins) {
        flush(put.key(), run);
      }
    }
  }

  private void flush(RangeKey last, List<NftElement> run) {
    if (!run.isEmpty()) {
      several.set(ops.size());
      about(
          last,
          new NftOp.AddElements(table.family(), table.name(), last.set(), List.copyOf(run), true));
      run.clear();
    }
  }

  /** Whether a refused operation was about several elements. */
  boolean isOfSeveral(Commit.Failure failure) {
    return failure.index() >= 0 && several.get(failure.index());
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
    about(key, new NftOp.AddElements(table.family(), table.name(), key.set(), elements, true));
  }

  /** One operation a set: a third cheaper, but a refusal does not say which element it is about. */
  void addTogether(NavigableMap<RangeKey, Entry> entries) {
    Map<String, List<NftElement>> sets = new TreeMap<>();
    entries.forEach((key, entry) ->
        sets.computeIfAbsent(key.set(), _ -> new ArrayList<>())
            .addAll(TableImage.elements(key, entry)));
    sets.forEach(
        (set, all) -> frame(new NftOp.AddElements(table.family(), table.name(), set, all, true)));
  }

  /**
   * Adds what sets need that get their first elements here or lose their last ones: the sets
   * themselves, and the rules that look into them.
   *
   * @param seen the elements that are there before this transaction
   */
  void completeParts(ElementTable seen) {
    Map<TablePart, RangeKey> touched = new TreeMap<>();
    String before = "";
    for (Change<RangeKey, Entry> change : changes) {
      String set = change.key().set();
      if (!set.equals(before)) {
        before = set;
        TablePart.of(set).ifPresent(part -> touched.putIfAbsent(part, change.key()));
      }
    }
    if (touched.isEmpty()) {
      return;
    }
    SortedSet<TablePart> parts = TablePart.in(seen.seenSets());
    Map<NftChain, RangeKey> altered = new LinkedHashMap<>();
    List<NftOp> first = new ArrayList<>();
    List<Optional<RangeKey>> firstKeys = new ArrayList<>();
    List<NftOp> last = new ArrayList<>();
    List<Optional<RangeKey>> lastKeys = new ArrayList<>();
    touched.forEach((part, key) -> {
      boolean is = parts.contains(part);
      boolean willBe = staysIn(part.name(), seen);
      if (willBe && !is) {
        first.add(new NftOp.CreateSet(part.set()));
        firstKeys.add(Optional.of(key));
        parts.add(part);
        altered.putIfAbsent(part.chain(), key);
      } else if (is && !willBe) {
        last.add(new NftOp.DeleteSet(table.family(), table.name(), part.name()));
        lastKeys.add(Optional.of(key));
        parts.remove(part);
        altered.putIfAbsent(part.chain(), key);
      }
    });
    altered.forEach((chain, key) -> {
      about(key, new NftOp.FlushChain(table.family(), table.name(), chain.name()));
      TablePart.rules(chain, parts).forEach(rule -> about(key, new NftOp.AppendRule(rule)));
    });
    ops.addAll(last);
    keys.addAll(lastKeys);
    if (!first.isEmpty()) {
      ops.addAll(0, first);
      keys.addAll(0, firstKeys);
      BitSet moved = new BitSet();
      several.stream().forEach(index -> moved.set(index + first.size()));
      several.clear();
      several.or(moved);
    }
  }

  /** Whether a set has elements when this is through. */
  private boolean staysIn(String set, ElementTable seen) {
    Set<RangeKey> gone = new HashSet<>();
    for (Change<RangeKey, Entry> change : changes) {
      switch (change) {
        case Change.Put<RangeKey, Entry>(var key, var _, var _) -> {
          if (key.set().equals(set)) {
            return true;
          }
        }
        case Change.Remove<RangeKey, Entry>(var key, var _) -> {
          if (key.set().equals(set)) {
            gone.add(key);
          }
        }
      }
    }
    return seen.seenCount(set) > gone.size();
  }

  private void about(RangeKey key, NftOp op) {
    ops.add(op);
    keys.add(Optional.of(key));
  }
}
