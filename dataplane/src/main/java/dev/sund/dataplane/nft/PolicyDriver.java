package dev.sund.dataplane.nft;

import dev.sund.dataplane.ApplyReport;
import dev.sund.dataplane.Driver;
import dev.sund.dataplane.FailPoint;
import dev.sund.engine.program.Change;
import dev.sund.engine.program.LocalPod;
import dev.sund.engine.program.ProgramDelta;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.nft.Bytes;
import dev.sund.kernel.nft.NftContents;
import dev.sund.kernel.nft.NftOp;
import dev.sund.kernel.nft.NftRule;
import dev.sund.kernel.nft.NftTable;
import dev.sund.kernel.nft.NftType;
import dev.sund.model.Condition;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.RuleId;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
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
 * <p>A changed label of another node's pod is one element of a map for each address. A chain comes
 * and goes with a profile or a list of rules that is new or no longer needed, in the same
 * transaction, and what lists say to classes in one message for each set. The table is made anew
 * when something that is constant in it is missing or altered; until the first full list has been
 * told, such a table stays as it is.
 *
 * <p>On the dataplane thread.
 */
public final class PolicyDriver implements Driver {
  /** This driver's {@link #name}. */
  public static final String NAME = "policy";

  private static final NftTable TABLE = PolicyLowering.TABLE;

  private final KeptTable table;
  private final ElementTable elements;
  private final PolicyEntries entries = new PolicyEntries(new ToParts());

  private final TreeMap<String, List<NftRule>> wantedChains = new TreeMap<>();
  private final TreeMap<String, List<NftRule>> seenChains = new TreeMap<>();
  private final TreeSet<String> wantedSets = new TreeSet<>();
  private final TreeSet<String> seenSets = new TreeSet<>();
  private final Set<String> released = new HashSet<>();
  private final TreeSet<String> dirtyChains = new TreeSet<>();
  private final TreeSet<String> dirtySets = new TreeSet<>();

  /** Addresses and devices of pods that are gone, of which counters may be left. */
  private final Set<Ip> goneAddresses = new HashSet<>();

  private final Set<String> goneDevices = new HashSet<>();

  /**
   * A driver that owns {@code nft}.
   *
   * @param nft a port to this table, see {@link NftPort#ofPolicies}
   * @param failPoint where to die, in tests
   */
  public PolicyDriver(NftPort nft, FailPoint failPoint) {
    this(nft, failPoint, new OwnCommits());
  }

  /**
   * A driver that owns {@code nft}, beside others in the same namespace.
   *
   * @param failPoint where to die, in tests
   * @param commits counts the commits of all of them
   */
  public PolicyDriver(NftPort nft, FailPoint failPoint, OwnCommits commits) {
    this.table = new KeptTable(NAME, TABLE, nft, commits, failPoint, new InTable());
    this.elements = table.elements();
    PolicyLowering.entries().forEach(elements::want);
  }

  @Override
  public String name() {
    return NAME;
  }

  // What is wanted.

  @Override
  public void want(ProgramDelta delta) {
    entries.want(delta.localPods(), delta.bridgePorts(), delta.policy());
  }

  private final class ToParts implements PolicyEntries.Sink {
    @Override
    public void want(RangeKey key, Entry entry) {
      elements.want(key, entry);
    }

    @Override
    public void unwant(RangeKey key) {
      table.unwant(key);
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
    table.retry();
  }

  @Override
  public int pending() {
    if (table.isHeld()) {
      return 0;
    }
    return switch (table.frame()) {
      case UNKNOWN, FOREIGN -> 0;
      case MISSING -> 1 + elements.pending();
      case ALTERED -> elements.sweepAllowed() ? 1 + elements.pending() : 0;
      case RIGHT ->
          (table.isOrphan() ? 1 : 0) + elements.pending() + dirtyChains.size() + dirtySets.size();
    };
  }

  // What is there.

  @Override
  public ApplyReport glance() throws KernelException {
    return table.glance();
  }

  @Override
  public ApplyReport resync() throws KernelException {
    return table.resync();
  }

  /**
   * Every difference between what is wanted and what the kernel holds now.
   *
   * @throws KernelException when the kernel could not be read
   */
  public List<Condition> verify() throws KernelException {
    return TableCheck.ofWhole(
        PolicyImage.of(wantedChains, wantedSets, elements.wanted()), table.port().contents());
  }

  /** Whether all that is said of a pod by its device and addresses is in force. */
  public boolean settled(LocalPod pod) {
    boolean right = isInForce();
    for (Ip ip : pod.addresses()) {
      RangeKey sender = PolicyEntries.sender(pod, ip);
      if (right ? !elements.isSettled(sender) : elements.isWanted(sender)) {
        return false;
      }
      for (RuleId.Direction direction :
          List.of(RuleId.Direction.EGRESS, RuleId.Direction.INGRESS)) {
        if (right
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
    return table.frame() == KeptTable.Frame.RIGHT;
  }

  /** What has been done so far. */
  public NftDriver.Counts counts() {
    return table.counts();
  }

  // What is done.

  @Override
  public ApplyReport apply(Step step, int most) {
    return table.apply(step, most);
  }

  /** What this table is, and what there is to be done in it. */
  private final class InTable implements KeptTable.Owner {
    @Override
    public int pending() {
      return PolicyDriver.this.pending();
    }

    @Override
    public List<Condition> changed(Optional<NftContents> contents) {
      return TableCheck.ofWhole(PolicyImage.of(seenChains, seenSets, elements.seen()), contents);
    }

    @Override
    public List<Condition> ofFrame(Optional<NftContents> contents) {
      return TableCheck.ofFrame(PolicyImage.constant(contents), contents);
    }

    @Override
    public NavigableMap<RangeKey, Entry> entries(NftContents contents) {
      return TableImage.entries(contents, PolicyImage.constant(Optional.of(contents)).sets());
    }

    @Override
    public void learned(Optional<NftContents> contents) {
      seenChains.clear();
      seenSets.clear();
      contents.ifPresent(there -> {
        PolicyImage.variableChains(there)
            .forEach(chain ->
                seenChains.put(chain.name(), there.rules().getOrDefault(chain.name(), List.of())));
        PolicyImage.variableSets(there).forEach(set -> seenSets.add(set.name()));
      });
      checkAll();
    }

    /** The whole of it. */
    @Override
    public TableTransaction make(int most) throws KernelException {
      NavigableMap<RangeKey, Entry> all = elements.wanted();
      table.leaveOutRefused(all);
      return table.make(PolicyImage.of(wantedChains, wantedSets, all));
    }

    @Override
    public TableTransaction change(Step step, int most) {
      return step == Step.PUT ? put() : remove(new TableTransaction(false, TABLE));
    }

    @Override
    public void taken(TableTransaction plan) {
      PolicyDriver.this.taken(plan);
    }

    /** What was counted of pods that are gone. */
    @Override
    public void finish(List<Object> done) throws KernelException {
      if (!goneAddresses.isEmpty() || !goneDevices.isEmpty()) {
        PolicyDrops.forget(table.port(), goneAddresses, goneDevices);
        goneAddresses.clear();
        goneDevices.clear();
      }
    }
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
    Set<RangeKey> gone = table.put(plan, Integer.MAX_VALUE);
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
    List<Change.Remove<RangeKey, Entry>> each = new ArrayList<>();
    for (Change.Remove<RangeKey, Entry> remove : removes) {
      if (!gone.contains(remove.key())) {
        each.add(remove);
      }
    }
    plan.remove(each, !table.isOneByOne());
    // A chain goes with its rules: those of profiles first, which lead to the others.
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

  /** A pod that may not send any more from an address is gone, or has another one. */
  private void gone(RangeKey key) {
    for (Family family : Family.values()) {
      int name = NftType.IFNAME.length();
      if (key.set().equals(PolicyLowering.senders(family))) {
        goneDevices.add(PolicyLowering.device(key.low()));
        goneAddresses.add(Ip.of(key.low().slice(name, key.low().length()).toArray()));
      } else if (key.set().equals(PolicyLowering.itself(family))) {
        goneAddresses.add(Ip.of(key.low().slice(0, family.bytes()).toArray()));
      }
    }
  }

  /** Notes what is there now. */
  private void taken(TableTransaction plan) {
    for (Change<RangeKey, Entry> change : plan.changes()) {
      if (change instanceof Change.Remove<RangeKey, Entry> remove) {
        gone(remove.key());
      }
    }
    if (plan.makesTable()) {
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
    List.copyOf(dirtyChains).forEach(this::checkChain);
    List.copyOf(dirtySets).forEach(this::checkSet);
  }

  /**
   * Removes the table, if it is ours, with all that is in it; nothing else.
   *
   * @return whether there was one of ours
   * @throws KernelException when the kernel refused
   */
  public boolean removeAll() throws KernelException {
    return table.removeAll();
  }

  @Override
  public void close() {
    table.close();
  }
}
