package dev.sund.dataplane.nft;

import dev.sund.dataplane.ApplyReport;
import dev.sund.dataplane.Driver;
import dev.sund.dataplane.FailPoint;
import dev.sund.engine.program.Change;
import dev.sund.engine.program.LocalPod;
import dev.sund.engine.program.ProgramDelta;
import dev.sund.kernel.Capability;
import dev.sund.kernel.Errno;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.nft.Bytes;
import dev.sund.kernel.nft.Commit;
import dev.sund.kernel.nft.NftContents;
import dev.sund.kernel.nft.NftOp;
import dev.sund.kernel.nft.NftRule;
import dev.sund.kernel.nft.NftTable;
import dev.sund.model.Condition;
import dev.sund.model.Ip;
import dev.sund.model.ObjectRef;
import dev.sund.model.RuleId;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Keeps the table {@code inet sund-policy} as the program's policy tables say, and from which
 * addresses its pods may send.
 *
 * <p><b>How does a restarted agent know that it is ours?</b> As of {@link NftDriver}'s table: by
 * family, name and comment. Chains and sets of profiles and of lists of rules have the program's
 * numbers as names, which depend on nothing but what they stand for, so what is right is found
 * right.
 *
 * <p><b>What happens to packets if we die right here?</b> All that changes is one transaction:
 * packets are judged by the tables before it or after it. Without an agent the table stays and goes
 * on judging. What concerns a pod that is to go stays until its link and routes are gone, in a
 * transaction of its own.
 *
 * <p>A pod's changed label is one element of a map, or two. A chain comes and goes with a profile
 * or a list of rules that is new or no longer needed, in the same transaction. The table is made
 * anew when something that is constant in it is missing or altered; until the first full list has
 * been told, such a table stays as it is.
 *
 * <p>On the dataplane thread.
 */
public final class PolicyDriver implements Driver {
  /** This driver's {@link #name}. */
  public static final String NAME = "policy";

  /** How often a transaction is built again when others keep committing in between. */
  private static final int TRIES = 5;

  private static final NftTable TABLE = PolicyLowering.TABLE;

  private final LeftAlone nft;
  private final FailPoint failPoint;
  private final ElementTable elements = new ElementTable();
  private final PolicyEntries entries = new PolicyEntries(new ToParts());

  private final TreeMap<String, List<NftRule>> wantedChains = new TreeMap<>();
  private final TreeMap<String, List<NftRule>> seenChains = new TreeMap<>();
  private final TreeSet<String> wantedSets = new TreeSet<>();
  private final TreeSet<String> seenSets = new TreeSet<>();
  private final Set<String> released = new HashSet<>();
  private final TreeSet<String> dirtyChains = new TreeSet<>();
  private final TreeSet<String> dirtySets = new TreeSet<>();

  private Frame frame = Frame.UNKNOWN;
  private int generation;
  private List<Condition> frameConditions = List.of();
  private final TreeMap<RangeKey, Condition> refused = new TreeMap<>();
  private Optional<Condition> frameRefused = Optional.empty();
  private boolean everRight;
  private boolean oneByOne;
  private NftDriver.Counts counts = new NftDriver.Counts(0, 0, 0, 0, 0);

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
   * A driver that owns {@code nft}.
   *
   * @param nft a port to this table, see {@link NftPort#ofPolicies}
   * @param failPoint where to die, in tests
   */
  public PolicyDriver(NftPort nft, FailPoint failPoint) {
    this.nft = new LeftAlone(nft);
    this.failPoint = failPoint;
    PolicyLowering.entries().forEach(elements::want);
  }

  @Override
  public String name() {
    return NAME;
  }

  // What is wanted.

  @Override
  public void want(ProgramDelta delta) {
    entries.want(delta.localPods(), delta.policy());
  }

  private final class ToParts implements PolicyEntries.Sink {
    @Override
    public void want(RangeKey key, Entry entry) {
      elements.want(key, entry);
    }

    @Override
    public void unwant(RangeKey key) {
      refused.remove(key);
      elements.unwant(key);
    }

    @Override
    public void wantChain(String name, List<NftRule> rules) {
      wantedChains.put(name, rules);
      checkChain(name);
    }

    @Override
    public void unwantChain(String name) {
      if (wantedChains.remove(name) != null) {
        released.add(name);
        checkChain(name);
      }
    }

    @Override
    public void wantSet(String name) {
      wantedSets.add(name);
      checkSet(name);
    }

    @Override
    public void unwantSet(String name) {
      if (wantedSets.remove(name)) {
        released.add(name);
        checkSet(name);
      }
    }
  }

  private void checkChain(String name) {
    List<NftRule> wanted = wantedChains.get(name);
    List<NftRule> seen = seenChains.get(name);
    mark(
        dirtyChains,
        name,
        wanted == null ? seen != null && mayGo(name) : seen == null || !doTheSame(wanted, seen));
  }

  private void checkSet(String name) {
    boolean wanted = wantedSets.contains(name);
    boolean seen = seenSets.contains(name);
    mark(dirtySets, name, wanted ? !seen : seen && mayGo(name));
  }

  private boolean mayGo(String name) {
    return elements.sweepAllowed() || released.contains(name);
  }

  private static void mark(Set<String> dirty, String name, boolean is) {
    if (is) {
      dirty.add(name);
    } else {
      dirty.remove(name);
    }
  }

  private static boolean doTheSame(List<NftRule> these, List<NftRule> those) {
    if (these.size() != those.size()) {
      return false;
    }
    for (int i = 0; i < these.size(); i++) {
      if (!these.get(i).doesTheSameAs(those.get(i))
          || !these.get(i).comment().equals(those.get(i).comment())) {
        return false;
      }
    }
    return true;
  }

  private void checkAll() {
    Set<String> chains = new TreeSet<>(wantedChains.keySet());
    chains.addAll(seenChains.keySet());
    dirtyChains.clear();
    chains.forEach(this::checkChain);
    Set<String> sets = new TreeSet<>(wantedSets);
    sets.addAll(seenSets);
    dirtySets.clear();
    sets.forEach(this::checkSet);
  }

  @Override
  public void allowSweep() {
    elements.allowSweep();
    checkAll();
  }

  @Override
  public void retry() {
    frameRefused = Optional.empty();
    refused.clear();
    elements.retry();
  }

  @Override
  public int pending() {
    if (frameRefused.isPresent()) {
      return 0;
    }
    return switch (frame) {
      case UNKNOWN, FOREIGN -> 0;
      case MISSING -> 1 + elements.pending();
      case ALTERED -> elements.sweepAllowed() ? 1 + elements.pending() : 0;
      case RIGHT -> elements.pending() + dirtyChains.size() + dirtySets.size();
    };
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
      case RIGHT ->
          TableCheck.ofWhole(PolicyImage.of(seenChains, seenSets, elements.seen()), contents);
      case MISSING, ALTERED ->
          everRight ? TableCheck.ofFrame(PolicyImage.constant(contents), contents) : List.of();
      case UNKNOWN, FOREIGN -> List.of();
    };
  }

  private void learn(Optional<NftContents> contents) {
    nft.learned();
    refused.clear();
    frameRefused = Optional.empty();
    generation = contents.map(NftContents::generation).orElse(0);
    frameConditions = TableCheck.ofFrame(PolicyImage.constant(contents), contents);
    frame =
        contents.isEmpty()
            ? Frame.MISSING
            : TableCheck.isForeign(contents)
                ? Frame.FOREIGN
                : frameConditions.isEmpty() ? Frame.RIGHT : Frame.ALTERED;
    everRight |= frame == Frame.RIGHT;
    seenChains.clear();
    seenSets.clear();
    if (contents.isPresent() && frame != Frame.FOREIGN) {
      PolicyImage.variableChains(contents.get())
          .forEach(chain ->
              seenChains.put(
                  chain.name(), contents.get().rules().getOrDefault(chain.name(), List.of())));
      PolicyImage.variableSets(contents.get()).forEach(set -> seenSets.add(set.name()));
    }
    elements.seeAll(
        contents.isEmpty() || frame == Frame.FOREIGN
            ? new TreeMap<>()
            : TableImage.entries(contents.get(), PolicyImage.constant(contents).sets()));
    checkAll();
    count(0, 0, 0);
  }

  /**
   * Every difference between what is wanted and what the kernel holds now.
   *
   * @throws KernelException when the kernel could not be read
   */
  public List<Condition> verify() throws KernelException {
    return TableCheck.ofWhole(
        PolicyImage.of(wantedChains, wantedSets, elements.wanted()), nft.contents());
  }

  /** Whether all that is said of a pod by its device and addresses is in force. */
  public boolean settled(LocalPod pod) {
    for (Ip ip : pod.addresses()) {
      RangeKey sender = PolicyEntries.sender(pod, ip);
      if (frame != Frame.RIGHT ? elements.isWanted(sender) : !elements.isSettled(sender)) {
        return false;
      }
      for (RuleId.Direction direction :
          List.of(RuleId.Direction.EGRESS, RuleId.Direction.INGRESS)) {
        if (frame == Frame.RIGHT
            && !elements.isSettled(
                RangeKey.single(PolicyLowering.pods(direction, ip.family()), Bytes.of(ip)))) {
          return false;
        }
      }
    }
    return true;
  }

  /** Whether the table stands as it should, but for what is pending. */
  public boolean isInForce() {
    return frame == Frame.RIGHT;
  }

  /** What has been done so far. */
  public NftDriver.Counts counts() {
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
        TableTransaction plan = plan(step);
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
    } catch (KernelException e) {
      failed.add(Refusals.failure(tableRef(), e));
    }
    List<Condition> conditions = new ArrayList<>(conditions());
    failed.forEach(failure -> conditions.add(failure.condition()));
    return new ApplyReport(
        done, pending(), failed, conditions, (int) (counts.messages() - before), Set.of());
  }

  /** How a transaction ended. */
  private enum Outcome {
    /** It is in force. */
    DONE,
    /** Someone else was at work: read the kernel and plan again. */
    CHANGED_MEANWHILE,
    /** Something was refused and is held: plan again without it. */
    REFUSED,
    /** It was refused as a whole: later, perhaps. */
    GIVEN_UP
  }

  private TableTransaction plan(Step step) {
    return switch (frame) {
      case UNKNOWN, FOREIGN -> new TableTransaction(false, TABLE);
      case MISSING, ALTERED -> step == Step.PUT ? makeTable() : new TableTransaction(false, TABLE);
      case RIGHT -> step == Step.PUT ? put() : remove(new TableTransaction(false, TABLE));
    };
  }

  /** The whole table in one transaction, in place of what is there. */
  private TableTransaction makeTable() {
    TableTransaction plan = new TableTransaction(true, TABLE);
    if (frame == Frame.ALTERED) {
      plan.frame(new NftOp.DeleteTable(TABLE.family(), TABLE.name()));
    }
    plan.frame(new NftOp.CreateTable(TABLE));
    NavigableMap<RangeKey, Entry> all = elements.wanted();
    refused.keySet().forEach(all::remove);
    TableImage image = PolicyImage.of(wantedChains, wantedSets, all);
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
    return plan;
  }

  /** What comes and what changes; and what goes too, unless a pod's link must go before it. */
  private TableTransaction put() {
    TableTransaction plan = new TableTransaction(false, TABLE);
    for (String name : dirtySets) {
      if (wantedSets.contains(name)) {
        PolicyLowering.variable(name).ifPresent(set -> plan.frame(new NftOp.CreateSet(set)));
      }
    }
    for (String name : dirtyChains) {
      if (wantedChains.containsKey(name)) {
        plan.frame(
            seenChains.containsKey(name)
                ? new NftOp.FlushChain(TABLE.family(), TABLE.name(), name)
                : new NftOp.CreateChain(PolicyLowering.chain(name)));
      }
    }
    for (String name : dirtyChains) {
      wantedChains
          .getOrDefault(name, List.of())
          .forEach(rule -> plan.frame(new NftOp.AppendRule(rule)));
    }
    List<Change.Put<RangeKey, Entry>> puts = elements.puts(Integer.MAX_VALUE);
    Set<RangeKey> gone = new HashSet<>();
    for (Change.Put<RangeKey, Entry> put : puts) {
      if (put.key().isSingle()) {
        put.was().ifPresent(was -> plan.replace(put.key(), was));
        continue;
      }
      for (Map.Entry<RangeKey, Entry> old : elements.overlapping(put.key()).entrySet()) {
        if (gone.add(old.getKey())) {
          plan.replace(old.getKey(), old.getValue());
        }
      }
    }
    plan.add(puts, !oneByOne);
    List<Change.Remove<RangeKey, Entry>> removes = elements.removes(Integer.MAX_VALUE);
    return removes.stream().anyMatch(remove -> PolicyLowering.isOfPods(remove.key().set()))
        ? plan
        : remove(plan, removes, gone);
  }

  private TableTransaction remove(TableTransaction plan) {
    return remove(plan, elements.removes(Integer.MAX_VALUE), Set.of());
  }

  private TableTransaction remove(
      TableTransaction plan, List<Change.Remove<RangeKey, Entry>> removes, Set<RangeKey> gone) {
    for (Change.Remove<RangeKey, Entry> remove : removes) {
      if (!gone.contains(remove.key())) {
        plan.delete(remove.key(), remove.was());
        plan.changes().add(remove);
      }
    }
    // Rules first: what they lead to can only go when nothing leads to it.
    for (String name : dirtyChains) {
      if (!wantedChains.containsKey(name)) {
        plan.frame(new NftOp.FlushChain(TABLE.family(), TABLE.name(), name));
      }
    }
    for (String name : dirtyChains) {
      if (!wantedChains.containsKey(name)) {
        plan.frame(new NftOp.DeleteChain(TABLE.family(), TABLE.name(), name));
      }
    }
    for (String name : dirtySets) {
      if (!wantedSets.contains(name)) {
        plan.frame(new NftOp.DeleteSet(TABLE.family(), TABLE.name(), name));
      }
    }
    return plan;
  }

  private Outcome commit(
      TableTransaction plan, boolean mayReread, List<String> done, List<ApplyReport.Failure> failed)
      throws KernelException {
    int refuse = FailPoint.refused(NAME, plan.ops().size());
    Commit commit =
        refuse >= 0
            ? new Commit.Refused(
                List.of(
                    new Commit.Failure(
                        refuse,
                        Errno.exception(
                            plan.ops().get(refuse).toString(),
                            "",
                            Errno.EINVAL.number(),
                            "refused by " + FailPoint.REFUSE,
                            Capability.NET_ADMIN))))
            : frame == Frame.ALTERED
                ? nft.commitAt(generation, plan.ops())
                : nft.commit(plan.ops());
    return switch (commit) {
      case Commit.Done(var messages) -> {
        plan.ops().forEach(op -> done.add(op.toString()));
        oneByOne = false;
        taken(plan);
        count(1, messages, plan.makesTable() ? 1 : 0);
        failPoint.passed(NAME);
        yield Outcome.DONE;
      }
      case Commit.Stale _ -> Outcome.CHANGED_MEANWHILE;
      case Commit.Refused(var failures) -> {
        counts =
            new NftDriver.Counts(
                counts.ranges(),
                counts.transactions(),
                counts.messages(),
                counts.refusals() + failures.size(),
                counts.rebuilds());
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

  /** Notes what is there now. */
  private void taken(TableTransaction plan) {
    if (plan.makesTable()) {
      frame = Frame.RIGHT;
      frameConditions = List.of();
      everRight = true;
      elements.seeAll(new TreeMap<>());
      refused.keySet().forEach(elements::hold); // seeing all takes held ones up again
      seenChains.clear();
      seenChains.putAll(wantedChains);
      seenSets.clear();
      seenSets.addAll(wantedSets);
    } else {
      for (NftOp op : plan.ops()) {
        if (op instanceof NftOp.CreateSet(var set)) {
          seenSets.add(set.name());
        } else if (op instanceof NftOp.DeleteSet(var _, var _, var name)) {
          seenSets.remove(name);
          released.remove(name);
        } else if (op instanceof NftOp.CreateChain(var chain)) {
          seenChains.put(chain.name(), wantedChains.getOrDefault(chain.name(), List.of()));
        } else if (op instanceof NftOp.FlushChain(var _, var _, var name)) {
          seenChains.put(name, wantedChains.getOrDefault(name, List.of()));
        } else if (op instanceof NftOp.DeleteChain(var _, var _, var name)) {
          seenChains.remove(name);
          released.remove(name);
        }
      }
    }
    plan.changes()
        .forEach(change -> {
          refused.remove(change.key());
          elements.done(change);
        });
    List.copyOf(dirtyChains).forEach(this::checkChain);
    List.copyOf(dirtySets).forEach(this::checkSet);
  }

  /** Leaves out what was refused, so that the rest can go on without it. */
  private ApplyReport.Failure hold(TableTransaction plan, Commit.Failure failure) {
    Optional<RangeKey> key = plan.keyOf(failure);
    ApplyReport.Failure told =
        plan.ops().get(failure.index()) instanceof NftOp.AppendRule
                && failure.reason() instanceof KernelException.NotFound
            ? Refusals.expressionMissing(tableRef(), failure.reason())
            : Refusals.failure(
                key.map(one -> TableCheck.object(TABLE, one)).orElse(tableRef()), failure.reason());
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
  public boolean removeAll() throws KernelException {
    for (int i = 0; i < TRIES; i++) {
      Optional<NftContents> contents = nft.contents();
      if (contents.isEmpty() || !TableCheck.isOurs(contents.get().table())) {
        learn(contents);
        return false;
      }
      Commit commit =
          nft.commitAt(
              contents.get().generation(),
              List.of(new NftOp.DeleteTable(TABLE.family(), TABLE.name())));
      if (!(commit instanceof Commit.Stale)) {
        commit.orThrow();
        learn(Optional.empty());
        return true;
      }
    }
    throw new KernelException.DumpInterrupted("remove table " + TABLE, TRIES);
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

  private static ObjectRef tableRef() {
    return new ObjectRef("nft table", TABLE.toString());
  }
}
