package dev.sund.dataplane.nft;

import dev.sund.dataplane.ApplyReport;
import dev.sund.dataplane.Driver.Step;
import dev.sund.dataplane.FailPoint;
import dev.sund.engine.program.Change;
import dev.sund.kernel.Capability;
import dev.sund.kernel.Errno;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.nft.Commit;
import dev.sund.kernel.nft.NftContents;
import dev.sund.kernel.nft.NftFamily;
import dev.sund.kernel.nft.NftOp;
import dev.sund.kernel.nft.NftSocket;
import dev.sund.kernel.nft.NftTable;
import dev.sund.model.Condition;
import dev.sund.model.Marks;
import dev.sund.model.ObjectRef;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * A table of nf_tables that is ours to keep right: what is wanted of it, what is known of it, and
 * the transactions that make the one the other. What is in it, its driver says.
 *
 * <p>A transaction is taken as a whole or not at all. When one is refused that has several elements
 * in a message, it is tried again with a message for each, to learn which it was; that one is left
 * out then, and the rest goes on. When others were at work meanwhile, the table is read anew.
 *
 * <p>On the dataplane thread.
 */
final class KeptTable implements AutoCloseable {
  /** How often a transaction is built again when others keep committing in between. */
  private static final int TRIES = 5;

  private final String name;
  private final NftTable table;
  private final LeftAlone nft;
  private final FailPoint failPoint;
  private final Owner owner;
  private final ElementTable elements = new ElementTable();
  private final TreeMap<RangeKey, Condition> refused = new TreeMap<>();

  private Frame frame = Frame.UNKNOWN;

  /** Whether the table that was read belongs to nobody, and can be taken over. */
  private boolean orphan;

  private int generation;
  private List<Condition> frameConditions = List.of();
  private Optional<Condition> frameRefused = Optional.empty();
  private boolean everRight;
  private boolean oneByOne;
  private NftDriver.Counts counts = new NftDriver.Counts(0, 0, 0, 0, 0);

  /** What is known of all that is constant in the table. */
  enum Frame {
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

  /** The driver, who knows what belongs into the table. */
  interface Owner {
    /** How many changes wait, those of elements included; 0 when nothing can be done now. */
    int pending();

    /** The differences between what was known to be there, in a table that was right, and this. */
    List<Condition> changed(Optional<NftContents> contents);

    /** The differences of all that is constant. */
    List<Condition> ofFrame(Optional<NftContents> contents);

    /** The elements of a table of ours. */
    NavigableMap<RangeKey, Entry> entries(NftContents contents);

    /** The table was read. {@link #frame} says what it is now; foreign ones are told as none. */
    void learned(Optional<NftContents> contents) throws KernelException;

    /** What makes the table, where it is missing or altered; empty to leave it as it is. */
    TableTransaction make(int most) throws KernelException;

    /** The next changes of a table that is right. */
    TableTransaction change(Step step, int most);

    /** A transaction is in force; its elements are noted after this. */
    void taken(TableTransaction plan);

    /** What else is to be done once no transaction waits; what was done is noted. */
    void finish(List<Object> done) throws KernelException;
  }

  /**
   * Owns {@code nft}.
   *
   * @param name the driver's, for fail points
   * @param commits counts those of this table too
   */
  KeptTable(
      String name,
      NftTable table,
      NftPort nft,
      OwnCommits commits,
      FailPoint failPoint,
      Owner owner) {
    this.name = name;
    this.table = table;
    this.nft = new LeftAlone(nft, commits);
    this.failPoint = failPoint;
    this.owner = owner;
  }

  /**
   * Whether the kernel knows tables that belong to a socket and outlive it: asked by a transaction
   * that is refused in any case, so that nothing comes of it.
   */
  static boolean kernelCanKeep(NftSocket socket) throws KernelException {
    String name = Marks.TABLE + "-asks";
    NftTable asked =
        NftTable.of(NftFamily.INET, name, Marks.TABLE_COMMENT).withFlags(NftTable.KEPT);
    Commit commit =
        socket.commit(
            List.of(
                new NftOp.CreateTable(asked),
                new NftOp.DeleteChain(NftFamily.INET, name, "is-not-there")));
    return commit instanceof Commit.Refused(List<Commit.Failure> failures)
        && failures.stream().noneMatch(failure -> failure.index() <= 0);
  }

  /** The elements that are wanted and those that are there. */
  ElementTable elements() {
    return elements;
  }

  /** The way to the kernel. */
  NftPort port() {
    return nft;
  }

  Frame frame() {
    return frame;
  }

  /** Whether the table is there and is to be taken over from an agent that has ended. */
  boolean isOrphan() {
    return orphan;
  }

  /** Whether what is constant was refused, and waits for {@link #retry}. */
  boolean isHeld() {
    return frameRefused.isPresent();
  }

  /** Whether each element has a message of its own, to learn which one is refused. */
  boolean isOneByOne() {
    return oneByOne;
  }

  NftDriver.Counts counts() {
    return counts;
  }

  /** An element is not wanted any more. */
  void unwant(RangeKey key) {
    refused.remove(key);
    elements.unwant(key);
  }

  /** Takes elements out that were refused. */
  void leaveOutRefused(NavigableMap<RangeKey, Entry> all) {
    refused.keySet().forEach(all::remove);
  }

  void retry() {
    frameRefused = Optional.empty();
    refused.clear();
    elements.retry();
  }

  // What is there.

  ApplyReport glance() throws KernelException {
    return frame == Frame.RIGHT && refused.isEmpty() && frameRefused.isEmpty() && nft.holds()
        ? ApplyReport.of(conditions())
        : resync();
  }

  ApplyReport resync() throws KernelException {
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
      case RIGHT -> owner.changed(contents);
      case MISSING, ALTERED -> everRight ? owner.ofFrame(contents) : List.of();
      case UNKNOWN, FOREIGN -> List.of();
    };
  }

  private void learn(Optional<NftContents> contents) throws KernelException {
    nft.learned();
    refused.clear();
    frameRefused = Optional.empty();
    generation = contents.map(NftContents::generation).orElse(0);
    frameConditions = owner.ofFrame(contents);
    frame =
        contents.isEmpty()
            ? Frame.MISSING
            : TableCheck.isForeign(contents)
                ? Frame.FOREIGN
                : frameConditions.isEmpty() ? Frame.RIGHT : Frame.ALTERED;
    int flags = contents.map(there -> there.table().flags()).orElse(0);
    if (frame == Frame.RIGHT && (flags & NftTable.PERSIST) == 0 && nft.keepsTables()) {
      frame = Frame.ALTERED; // made by an agent, or on a kernel, that could not keep it yet
    }
    orphan = frame == Frame.RIGHT && contents.stream().anyMatch(one -> one.table().isOrphan());
    everRight |= frame == Frame.RIGHT;
    Optional<NftContents> ours = frame == Frame.FOREIGN ? Optional.empty() : contents;
    owner.learned(ours);
    elements.seeAll(ours.map(owner::entries).orElseGet(TreeMap::new));
    count(0, 0, 0);
  }

  // What is done.

  ApplyReport apply(Step step, int most) {
    List<Object> done = new ArrayList<>();
    List<ApplyReport.Failure> failed = new ArrayList<>();
    long before = counts.messages();
    boolean mayReread = true;
    try {
      for (int i = 0; i < TRIES && owner.pending() > 0; i++) {
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
      owner.finish(done);
    } catch (KernelException e) {
      failed.add(Refusals.failure(ref(), e));
    }
    List<Condition> conditions = new ArrayList<>(conditions());
    failed.forEach(failure -> conditions.add(failure.condition()));
    return new ApplyReport(
        done, owner.pending(), failed, conditions, (int) (counts.messages() - before), Set.of());
  }

  private TableTransaction plan(Step step, int most) throws KernelException {
    return switch (frame) {
      case UNKNOWN, FOREIGN -> new TableTransaction(false, table);
      case MISSING, ALTERED ->
          step == Step.PUT ? owner.make(most) : new TableTransaction(false, table);
      case RIGHT -> {
        TableTransaction plan = owner.change(step, most);
        if (orphan && step == Step.PUT && nft.keepsTables()) {
          plan.frame(new NftOp.EnsureTable(table.withFlags(NftTable.KEPT)));
        }
        yield plan;
      }
    };
  }

  /**
   * The whole table in one transaction, in place of what is there.
   *
   * @param image all that it is to be, its elements included
   */
  TableTransaction make(TableImage image) throws KernelException {
    TableTransaction plan = new TableTransaction(true, table);
    if (frame == Frame.ALTERED) {
      plan.frame(new NftOp.DeleteTable(table.family(), table.name()));
    }
    plan.frame(new NftOp.CreateTable(nft.keepsTables() ? table.withFlags(NftTable.KEPT) : table));
    image.sets().forEach(set -> plan.frame(new NftOp.CreateSet(set)));
    image.chains().stream()
        .filter(chain -> chain.base().isEmpty())
        .forEach(chain -> plan.frame(new NftOp.CreateChain(chain)));
    image
        .entries()
        .forEach(
            (key, entry) -> plan.changes().add(new Change.Put<>(key, entry, Optional.empty())));
    if (oneByOne) {
      image.entries().forEach(plan::addElements);
    } else {
      plan.addTogether(image.entries());
    }
    image.chains().stream()
        .filter(chain -> chain.base().isPresent())
        .forEach(chain -> plan.frame(new NftOp.CreateChain(chain)));
    image.rules().forEach(rule -> plan.frame(new NftOp.AppendRule(rule)));
    return plan;
  }

  /** What is to be added or changed. Returns what has to go for it, ranges that it touches. */
  Set<RangeKey> put(TableTransaction plan, int most) {
    List<Change.Put<RangeKey, Entry>> puts = elements.puts(most);
    Set<RangeKey> gone = new HashSet<>();
    List<Change.Remove<RangeKey, Entry>> replaced = new ArrayList<>();
    for (Change.Put<RangeKey, Entry> put : puts) {
      // An interval set refuses ranges that share a key; and a comment only changes with its range.
      if (put.key().isSingle()) {
        if (put.was().isPresent()) {
          replaced.add(new Change.Remove<>(put.key(), put.was().get()));
        }
        continue;
      }
      elements
          .overlapping(put.key())
          .forEach((key, entry) -> {
            if (gone.add(key)) {
              replaced.add(new Change.Remove<>(key, entry));
            }
          });
    }
    plan.remove(replaced, !oneByOne);
    plan.add(puts, !oneByOne);
    return gone;
  }

  private Outcome commit(
      TableTransaction plan, boolean mayReread, List<Object> done, List<ApplyReport.Failure> failed)
      throws KernelException {
    return switch (commit(plan)) {
      case Commit.Done(var messages) -> {
        done.addAll(plan.ops());
        taken(plan);
        count(1, messages, plan.makesTable() ? 1 : 0);
        failPoint.passed(name);
        yield Outcome.DONE;
      }
      case Commit.Stale _ -> Outcome.CHANGED_MEANWHILE;
      case Commit.Refused(var failures) -> refused(plan, failures, mayReread, failed);
    };
  }

  private Commit commit(TableTransaction plan) throws KernelException {
    int refuse = FailPoint.refused(name, plan.ops().size());
    if (refuse >= 0) {
      KernelException reason =
          Errno.exception(
              plan.ops().get(refuse).toString(),
              "",
              Errno.EINVAL.number(),
              "refused by " + FailPoint.REFUSE,
              Capability.NET_ADMIN);
      return new Commit.Refused(List.of(new Commit.Failure(refuse, reason)));
    }
    // What deletes the table must be sure that it is still the one that was read.
    return frame == Frame.ALTERED ? nft.commitAt(generation, plan.ops()) : nft.commit(plan.ops());
  }

  private void taken(TableTransaction plan) {
    oneByOne = false;
    orphan &=
        !plan.makesTable() && plan.ops().stream().noneMatch(NftOp.EnsureTable.class::isInstance);
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
    owner.taken(plan);
  }

  private Outcome refused(
      TableTransaction plan,
      List<Commit.Failure> failures,
      boolean mayReread,
      List<ApplyReport.Failure> failed) {
    counts = counts.refused(failures.size());
    if (mayReread && failures.stream().allMatch(Refusals::saysThatItChanged)) {
      return Outcome.CHANGED_MEANWHILE;
    }
    if (failures.getFirst().index() < 0) {
      failed.add(Refusals.failure(ref(), failures.getFirst().reason()));
      return Outcome.GIVEN_UP;
    }
    if (!oneByOne
        && (plan.makesTable()
            || failures.stream().anyMatch(failure -> plan.isOfSeveral(failure)))) {
      oneByOne = true; // to learn which element it was, if it was one
      return Outcome.REFUSED;
    }
    Optional<Commit.Failure> ofFrame =
        failures.stream().filter(failure -> plan.keyOf(failure).isEmpty()).findFirst();
    if (ofFrame.isPresent()) { // the other refusals may only follow from this one
      failed.add(hold(plan, ofFrame.get()));
    } else {
      failures.forEach(failure -> failed.add(hold(plan, failure)));
    }
    return Outcome.REFUSED;
  }

  /** Leaves out what was refused, so that the rest can go on without it. */
  private ApplyReport.Failure hold(TableTransaction plan, Commit.Failure failure) {
    Optional<RangeKey> key = plan.keyOf(failure);
    ApplyReport.Failure told =
        plan.ops().get(failure.index()) instanceof NftOp.AppendRule
                && failure.reason() instanceof KernelException.NotFound
            ? Refusals.expressionMissing(ref(), failure.reason())
            : Refusals.failure(
                key.map(one -> TableCheck.object(table, one)).orElse(ref()), failure.reason());
    if (key.isPresent()) {
      refused.put(key.get(), told.condition());
      elements.hold(key.get());
    } else {
      frameRefused = Optional.of(told.condition());
    }
    return told;
  }

  /**
   * Removes the table, if it is ours, with all that is in it; nothing else.
   *
   * @return whether there was one of ours
   * @throws KernelException when the kernel refused
   */
  boolean removeAll() throws KernelException {
    for (int i = 0; i < TRIES; i++) {
      Optional<NftContents> contents = nft.contents();
      if (contents.isEmpty() || !TableCheck.isOurs(contents.get().table())) {
        learn(contents);
        return false;
      }
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
    throw new KernelException.DumpInterrupted("remove table " + table, TRIES);
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
        new NftDriver.Counts(
            elements.seenCount(),
            counts.transactions() + transactions,
            counts.messages() + messages,
            counts.refusals(),
            counts.rebuilds() + rebuilds);
  }

  private ObjectRef ref() {
    return new ObjectRef("nft table", table.toString());
  }
}
