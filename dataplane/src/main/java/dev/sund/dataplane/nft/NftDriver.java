package dev.sund.dataplane.nft;

import dev.sund.dataplane.ApplyReport;
import dev.sund.dataplane.Driver;
import dev.sund.dataplane.FailPoint;
import dev.sund.engine.program.Change;
import dev.sund.engine.program.Masquerade;
import dev.sund.engine.program.ProgramDelta;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.nft.Commit;
import dev.sund.kernel.nft.NftContents;
import dev.sund.kernel.nft.NftOp;
import dev.sund.kernel.nft.NftTable;
import dev.sund.model.Condition;
import dev.sund.model.Family;
import dev.sund.model.ObjectRef;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Keeps the table {@code inet sund} as the program's {@code Masquerade}, {@code Frontends} and
 * {@code Endpoints} rows say.
 *
 * <p><b>How does a restarted agent know that it is ours?</b> By the table's family, name and
 * comment ({@link dev.sund.model.Marks#TABLE_COMMENT}). All that is in that table is ours to keep
 * right: chains, sets and rules that do not belong there are named as strays and removed. A table
 * of our name without the comment was made by someone else: it is left alone and reported, and
 * neither natOutgoing nor host ports are in force until it is gone.
 *
 * <p><b>What happens to packets if we die right here?</b> Each cycle is one transaction, which the
 * kernel takes as a whole or not at all: packets see the table before it or after it, never in
 * between, wherever the agent dies. Without an agent the table stays and goes on translating. A
 * connection that has begun keeps its translation through changed rows and through the table being
 * made anew. When someone removes the table ({@code nft flush ruleset}) and no other program in the
 * namespace translates addresses, the kernel stops translating begun connections too; once the
 * table is there again they go on as before.
 *
 * <p>A changed row is the messages of its element: at most a removal and an addition. The table is
 * made anew, in one transaction, when something that is constant in it is missing or altered. When
 * all is right nothing is written, after a restart too.
 *
 * <p>On the dataplane thread.
 */
public final class NftDriver implements Driver {
  /** This driver's {@link #name}. */
  public static final String NAME = "nft";

  /** How often a transaction is built again when others keep committing in between. */
  private static final int TRIES = 5;

  private final LeftAlone nft;
  private final FailPoint failPoint;
  private final OutermostRows rows = new OutermostRows();
  private final TreeMap<Masquerade.Key, Masquerade> wantedRows = new TreeMap<>();
  private final ElementTable elements = new ElementTable();
  private final OutermostRows.Sink toElements = new ElementSink();
  private final FrontendEntries translations = new FrontendEntries(new TranslationSink());

  private Frame frame = Frame.UNKNOWN;
  private int generation;
  private List<Condition> frameConditions = List.of();
  private boolean frameHeld;
  private final TreeMap<RangeKey, Condition> refused = new TreeMap<>();
  private Optional<Condition> frameRefused = Optional.empty();
  private boolean everRight;
  private boolean oneByOne;
  private boolean clientsStale;
  private boolean everRead;
  private Counts counts = new Counts(0, 0, 0, 0, 0);

  /** What is known of all that is constant in the table. */
  private enum Frame {
    /** Nothing has been read yet. */
    UNKNOWN,
    /** There is no table. */
    MISSING,
    /** The table in our place is someone else's. */
    FOREIGN,
    /** Ours, but something in it is missing, altered or too much. */
    ALTERED,
    /** As it should be. */
    RIGHT
  }

  /**
   * What this driver has done since it was made, for metrics.
   *
   * @param ranges elements that are in force now
   * @param transactions transactions that were taken
   * @param messages messages that these had
   * @param refusals operations that the kernel refused
   * @param rebuilds how often the table was made, the first time included
   */
  public record Counts(int ranges, long transactions, long messages, long refusals, long rebuilds) {
    private Counts refused(int operations) {
      return new Counts(ranges, transactions, messages, refusals + operations, rebuilds);
    }
  }

  /**
   * A driver that owns {@code nft}.
   *
   * @param failPoint where to die, in tests
   */
  public NftDriver(NftPort nft, FailPoint failPoint) {
    this.nft = new LeftAlone(nft);
    this.failPoint = failPoint;
  }

  @Override
  public String name() {
    return NAME;
  }

  // What is wanted.

  @Override
  public void want(ProgramDelta delta) {
    want(delta.masquerade());
    translations.want(delta);
    clientsStale |= translations.takeEndpointsLost();
  }

  /** Takes over changed rows. */
  public void want(Collection<? extends Change<Masquerade.Key, Masquerade>> changes) {
    for (Change<Masquerade.Key, Masquerade> change : changes) {
      switch (change) {
        case Change.Put<Masquerade.Key, Masquerade>(var key, var row, var _) -> {
          wantedRows.put(key, row);
          rows.put(row, toElements);
        }
        case Change.Remove<Masquerade.Key, Masquerade>(var key, var _) -> {
          wantedRows.remove(key);
          rows.remove(key, toElements);
        }
      }
    }
  }

  private final class ElementSink implements OutermostRows.Sink {
    @Override
    public void put(Masquerade row) {
      elements.want(MasqueradeLowering.key(row), Entry.of(row.rule()));
    }

    @Override
    public void remove(Masquerade row) {
      refused.remove(MasqueradeLowering.key(row));
      elements.unwant(MasqueradeLowering.key(row));
    }
  }

  private final class TranslationSink implements FrontendEntries.Sink {
    @Override
    public void want(RangeKey key, Entry entry) {
      elements.want(key, entry);
    }

    @Override
    public void unwant(RangeKey key) {
      refused.remove(key);
      elements.unwant(key);
    }
  }

  @Override
  public void allowSweep() {
    elements.allowSweep();
  }

  @Override
  public void retry() {
    frameHeld = false;
    frameRefused = Optional.empty();
    refused.clear();
    elements.retry();
  }

  @Override
  public int pending() {
    return switch (frame) {
      case UNKNOWN, FOREIGN -> 0;
      case MISSING, ALTERED -> frameHeld ? 0 : 1 + elements.pending();
      case RIGHT -> elements.pending() + (mayForgetClients() ? 1 : 0);
    };
  }

  /** Whether clients may lead to endpoints that are gone, and it is known which ones are. */
  private boolean mayForgetClients() {
    return clientsStale && elements.sweepAllowed();
  }

  // What is there.

  @Override
  public ApplyReport glance() throws KernelException {
    return frame == Frame.RIGHT && refused.isEmpty() && frameRefused.isEmpty() && nft.holds()
        ? ApplyReport.of(conditions())
        : resync();
  }

  @Override
  public ApplyReport resync() throws KernelException {
    Optional<NftContents> contents = nft.contents();
    List<Condition> changed = changedBehindUs(contents);
    learn(contents);
    List<Condition> now = new ArrayList<>(conditions());
    now.addAll(changed);
    return ApplyReport.of(now);
  }

  /** What differs from what we knew to be there: what is only not written yet is no drift. */
  private List<Condition> changedBehindUs(Optional<NftContents> contents) {
    return switch (frame) {
      case RIGHT -> TableCheck.differences(TableImage.of(elements.seen()), contents);
      case MISSING, ALTERED -> everRight ? TableCheck.ofFrame(contents) : List.of();
      case UNKNOWN, FOREIGN -> List.of();
    };
  }

  private void learn(Optional<NftContents> contents) throws KernelException {
    nft.learned();
    refused.clear();
    frameRefused = Optional.empty();
    frameHeld = false;
    generation = contents.map(NftContents::generation).orElse(0);
    frameConditions = TableCheck.ofFrame(contents);
    frame =
        contents.isEmpty()
            ? Frame.MISSING
            : TableCheck.isForeign(contents)
                ? Frame.FOREIGN
                : frameConditions.isEmpty() ? Frame.RIGHT : Frame.ALTERED;
    everRight |= frame == Frame.RIGHT;
    if (!everRead) { // who knows what went while nobody looked
      clientsStale |= !clients().stream().allMatch(NftOp::isEmpty);
      everRead = true;
    }
    elements.seeAll(
        contents.isEmpty() || frame == Frame.FOREIGN
            ? new TreeMap<>()
            : frame == Frame.ALTERED
                ? FormerLayout.adopt(TableImage.entries(contents.get()))
                : TableImage.entries(contents.get()));
    count(0, 0, 0);
  }

  /**
   * The rows in force, read from the kernel now.
   *
   * @throws KernelException when the kernel could not be read
   */
  public SortedMap<Masquerade.Key, Masquerade> lift() throws KernelException {
    return MasqueradeLift.rows(nft.contents(), wantedRows);
  }

  /**
   * Every difference between what is wanted and what the kernel holds now.
   *
   * @throws KernelException when the kernel could not be read
   */
  public List<Condition> verify() throws KernelException {
    return TableCheck.differences(TableImage.of(elements.wanted()), nft.contents());
  }

  /** Whether the table stands as it should, but for elements that are pending. */
  public boolean isInForce() {
    return frame == Frame.RIGHT;
  }

  /** What has been done so far. */
  public Counts counts() {
    return counts;
  }

  // What is done.

  @Override
  public ApplyReport apply(Step step, int most) {
    List<String> done = new ArrayList<>();
    List<ApplyReport.Failure> failed = new ArrayList<>();
    long before = counts.messages();
    boolean mayReread = true;
    try {
      for (int i = 0; i < TRIES && pending() > 0; i++) {
        TableTransaction plan = plan(step, most);
        if (plan.ops().isEmpty()) {
          break;
        }
        Outcome outcome = commit(plan, mayReread, done, failed);
        if (outcome == Outcome.DONE || outcome == Outcome.GIVEN_UP) {
          break;
        }
        if (outcome == Outcome.CHANGED_MEANWHILE) {
          mayReread = false;
          learn(nft.contents());
        }
      }
      if (frame == Frame.RIGHT && mayForgetClients() && elements.pending() == 0) {
        int forgotten = new StickyClients(nft, translations, wantedRows.values()).forgetLost();
        clientsStale = false;
        if (forgotten > 0) {
          done.add("forget " + forgotten + " clients whose endpoint is gone");
        }
      }
    } catch (KernelException e) {
      failed.add(Refusals.failure(tableRef(), e));
    }
    List<Condition> conditions = new ArrayList<>(conditions());
    failed.forEach(failure -> conditions.add(failure.condition()));
    return new ApplyReport(
        done, pending(), failed, conditions, (int) (counts.messages() - before), Set.of());
  }

  private TableTransaction plan(Step step, int most) throws KernelException {
    return switch (frame) {
      case UNKNOWN, FOREIGN -> new TableTransaction(false);
      case MISSING, ALTERED -> step == Step.PUT ? makeTable(most) : new TableTransaction(false);
      case RIGHT -> step == Step.PUT ? put(most) : remove(most);
    };
  }

  /**
   * The whole table in one transaction, in place of what is there; where there is nothing, its
   * first elements, and the others follow.
   */
  private TableTransaction makeTable(int most) throws KernelException {
    TableTransaction plan = new TableTransaction(true);
    NftTable table = MasqueradeLowering.TABLE;
    List<NftOp> clients = frame == Frame.ALTERED ? clients() : List.of();
    if (frame == Frame.ALTERED) {
      plan.frame(new NftOp.DeleteTable(table.family(), table.name()));
    }
    plan.frame(new NftOp.CreateTable(table));
    NavigableMap<RangeKey, Entry> all = new TreeMap<>();
    if (frame == Frame.MISSING) {
      elements.puts(most).forEach(put -> all.put(put.key(), put.value()));
    } else {
      all.putAll(elementsToKeep());
    }
    TableImage image = TableImage.of(all);
    image.sets().forEach(set -> plan.frame(new NftOp.CreateSet(set)));
    image.chains().stream()
        .filter(chain -> chain.base().isEmpty())
        .forEach(chain -> plan.frame(new NftOp.CreateChain(chain)));
    all.forEach((key, entry) -> plan.changes().add(new Change.Put<>(key, entry, Optional.empty())));
    if (oneByOne) {
      all.forEach(plan::addElements);
    } else {
      plan.addTogether(all);
    }
    image.chains().stream()
        .filter(chain -> chain.base().isPresent())
        .forEach(chain -> plan.frame(new NftOp.CreateChain(chain)));
    image.rules().forEach(rule -> plan.frame(new NftOp.AppendRule(rule)));
    clients.forEach(plan::frame);
    return plan;
  }

  /** Who keeps which endpoint, to be taken over into the new table. */
  private List<NftOp> clients() throws KernelException {
    List<NftOp> ops = new ArrayList<>();
    NftTable table = MasqueradeLowering.TABLE;
    for (Family family : Family.values()) {
      String map = TablePart.clients(family);
      ops.add(new NftOp.AddElements(table.family(), table.name(), map, nft.elements(map), false));
    }
    return ops;
  }

  /** What is wanted, and what is there as long as nobody can say whether it will be wanted. */
  private NavigableMap<RangeKey, Entry> elementsToKeep() {
    NavigableMap<RangeKey, Entry> wanted = elements.wanted();
    NavigableMap<RangeKey, Entry> all = new TreeMap<>(wanted);
    refused.keySet().forEach(all::remove);
    if (!elements.sweepAllowed()) {
      elements
          .seen()
          .forEach((key, comment) -> {
            if (overlapping(wanted, key).isEmpty()) {
              all.put(key, comment);
            }
          });
    }
    return all;
  }

  private TableTransaction put(int most) {
    TableTransaction plan = new TableTransaction(false);
    List<Change.Put<RangeKey, Entry>> puts = elements.puts(most);
    Set<RangeKey> removed = new HashSet<>();
    for (Change.Put<RangeKey, Entry> put : puts) {
      // An interval set refuses ranges that share a key; and a comment only changes with its range.
      if (put.key().isSingle()) {
        if (put.was().isPresent()) {
          plan.replace(put.key(), put.was().get());
        }
        continue;
      }
      for (Map.Entry<RangeKey, Entry> old : elements.overlapping(put.key()).entrySet()) {
        if (removed.add(old.getKey())) {
          plan.replace(old.getKey(), old.getValue());
        }
      }
    }
    plan.add(puts, !oneByOne);
    plan.completeParts(elements);
    return plan;
  }

  private TableTransaction remove(int most) {
    TableTransaction plan = new TableTransaction(false);
    for (Change.Remove<RangeKey, Entry> remove : elements.removes(most)) {
      plan.delete(remove.key(), remove.was());
      plan.changes().add(remove);
    }
    plan.completeParts(elements);
    return plan;
  }

  /** The entries of {@code map}, whose ranges do not overlap, that share a key with {@code key}. */
  private static List<Map.Entry<RangeKey, Entry>> overlapping(
      NavigableMap<RangeKey, Entry> map, RangeKey key) {
    List<Map.Entry<RangeKey, Entry>> found = new ArrayList<>();
    RangeKey first = new RangeKey(key.set(), key.low(), key.low());
    Map.Entry<RangeKey, Entry> before = map.lowerEntry(first);
    if (before != null
        && before.getKey().set().equals(key.set())
        && before.getKey().high().compareTo(key.low()) >= 0) {
      found.add(before);
    }
    for (Map.Entry<RangeKey, Entry> entry : map.tailMap(first, true).entrySet()) {
      if (!entry.getKey().set().equals(key.set())
          || entry.getKey().low().compareTo(key.high()) > 0) {
        break;
      }
      found.add(entry);
    }
    return found;
  }

  /** How a transaction ended. */
  private enum Outcome {
    /** It is in force. */
    DONE,
    /** Someone else was at work: read the kernel and plan again. */
    CHANGED_MEANWHILE,
    /** Something was refused and is held: plan again without it. */
    REFUSED,
    /** The transaction was refused as such, whatever is in it: later, perhaps. */
    GIVEN_UP
  }

  private Outcome commit(
      TableTransaction plan, boolean mayReread, List<String> done, List<ApplyReport.Failure> failed)
      throws KernelException {
    // What deletes the table must be sure that it is still the one that was read.
    Commit commit =
        frame == Frame.ALTERED ? nft.commitAt(generation, plan.ops()) : nft.commit(plan.ops());
    return switch (commit) {
      case Commit.Done(var messages) -> {
        plan.ops().forEach(op -> done.add(op.toString()));
        oneByOne = false;
        if (plan.makesTable()) {
          frame = Frame.RIGHT;
          frameConditions = List.of();
          everRight = true;
          if (elements.seenCount() > 0) {
            elements.seeAll(new TreeMap<>());
          }
          refused.keySet().forEach(elements::hold); // seeing all takes held ones up again
        }
        plan.changes()
            .forEach(change -> {
              refused.remove(change.key());
              elements.done(change);
            });
        count(1, messages, plan.makesTable() ? 1 : 0);
        failPoint.passed(NAME);
        yield Outcome.DONE;
      }
      case Commit.Stale _ -> Outcome.CHANGED_MEANWHILE;
      case Commit.Refused(var failures) -> {
        counts = counts.refused(failures.size());
        if (mayReread && failures.stream().allMatch(Refusals::saysThatItChanged)) {
          yield Outcome.CHANGED_MEANWHILE;
        }
        if (failures.getFirst().index() < 0) {
          failed.add(Refusals.failure(tableRef(), failures.getFirst().reason()));
          yield Outcome.GIVEN_UP;
        }
        if (!oneByOne
            && (plan.makesTable()
                || failures.stream().anyMatch(failure -> plan.isOfSeveral(failure)))) {
          oneByOne = true; // to learn which element it was, if it was one
          yield Outcome.REFUSED;
        }
        Optional<Commit.Failure> ofFrame =
            failures.stream().filter(failure -> plan.keyOf(failure).isEmpty()).findFirst();
        if (ofFrame.isPresent()) { // the other refusals may only follow from this one
          failed.add(hold(plan, ofFrame.get()));
        } else {
          failures.forEach(failure -> failed.add(hold(plan, failure)));
        }
        yield Outcome.REFUSED;
      }
    };
  }

  /** Leaves out what was refused, so that the rest can go on without it. */
  private ApplyReport.Failure hold(TableTransaction plan, Commit.Failure failure) {
    Optional<RangeKey> key = plan.keyOf(failure);
    ApplyReport.Failure told =
        plan.ops().get(failure.index()) instanceof NftOp.AppendRule
                && failure.reason() instanceof KernelException.NotFound
            ? Refusals.expressionMissing(tableRef(), failure.reason())
            : Refusals.failure(key.map(TableCheck::object).orElse(tableRef()), failure.reason());
    if (key.isPresent()) {
      refused.put(key.get(), told.condition());
      elements.hold(key.get());
    } else {
      frameRefused = Optional.of(told.condition());
      frameHeld = true;
    }
    return told;
  }

  /**
   * Removes the table, if it is ours, with all that is in it; nothing else.
   *
   * @return whether there was one of ours
   * @throws KernelException when the kernel refused
   */
  public boolean removeAll() throws KernelException {
    for (int i = 0; i < TRIES; i++) {
      Optional<NftContents> contents = nft.contents();
      if (contents.isEmpty() || !TableCheck.isOurs(contents.get().table())) {
        learn(contents);
        return false;
      }
      NftTable table = MasqueradeLowering.TABLE;
      Commit commit =
          nft.commitAt(
              contents.get().generation(),
              List.of(new NftOp.DeleteTable(table.family(), table.name())));
      if (!(commit instanceof Commit.Stale)) {
        commit.orThrow();
        learn(Optional.empty());
        return true;
      }
    }
    throw new KernelException.DumpInterrupted("remove table " + MasqueradeLowering.TABLE, TRIES);
  }

  @Override
  public void close() {
    nft.close();
  }

  private List<Condition> conditions() {
    List<Condition> conditions = new ArrayList<>(refused.values());
    frameRefused.ifPresent(conditions::add);
    if (frame == Frame.FOREIGN) {
      conditions.addAll(frameConditions);
    }
    return conditions;
  }

  private void count(int transactions, int messages, int rebuilds) {
    counts =
        new Counts(
            elements.seenCount(),
            counts.transactions() + transactions,
            counts.messages() + messages,
            counts.refusals(),
            counts.rebuilds() + rebuilds);
  }

  private static ObjectRef tableRef() {
    return new ObjectRef("nft table", MasqueradeLowering.TABLE.toString());
  }
}
