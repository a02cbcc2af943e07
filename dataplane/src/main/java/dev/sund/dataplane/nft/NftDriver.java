package dev.sund.dataplane.nft;

import dev.sund.dataplane.ApplyReport;
import dev.sund.dataplane.Driver;
import dev.sund.dataplane.FailPoint;
import dev.sund.engine.program.Change;
import dev.sund.engine.program.Masquerade;
import dev.sund.engine.program.ProgramDelta;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.nft.NftContents;
import dev.sund.kernel.nft.NftOp;
import dev.sund.kernel.nft.NftTable;
import dev.sund.model.Condition;
import dev.sund.model.Family;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
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

  private final KeptTable table;
  private final ElementTable elements;
  private final OutermostRows rows = new OutermostRows();
  private final TreeMap<Masquerade.Key, Masquerade> wantedRows = new TreeMap<>();
  private final OutermostRows.Sink toElements = new ElementSink();
  private final FrontendEntries translations = new FrontendEntries(new TranslationSink());

  private boolean clientsStale;
  private boolean everRead;

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
    Counts refused(int operations) {
      return new Counts(ranges, transactions, messages, refusals + operations, rebuilds);
    }
  }

  /**
   * A driver that owns {@code nft}.
   *
   * @param failPoint where to die, in tests
   */
  public NftDriver(NftPort nft, FailPoint failPoint) {
    this(nft, failPoint, new OwnCommits());
  }

  /**
   * A driver that owns {@code nft}, beside others in the same namespace.
   *
   * @param failPoint where to die, in tests
   * @param commits counts the commits of all of them
   */
  public NftDriver(NftPort nft, FailPoint failPoint, OwnCommits commits) {
    this.table =
        new KeptTable(NAME, MasqueradeLowering.TABLE, nft, commits, failPoint, new InTable());
    this.elements = table.elements();
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
      table.unwant(MasqueradeLowering.key(row));
    }
  }

  private final class TranslationSink implements FrontendEntries.Sink {
    @Override
    public void want(RangeKey key, Entry entry) {
      elements.want(key, entry);
    }

    @Override
    public void unwant(RangeKey key) {
      table.unwant(key);
    }
  }

  @Override
  public void allowSweep() {
    elements.allowSweep();
  }

  @Override
  public void retry() {
    table.retry();
  }

  @Override
  public int pending() {
    return switch (table.frame()) {
      case UNKNOWN, FOREIGN -> 0;
      case MISSING, ALTERED -> table.isHeld() ? 0 : 1 + elements.pending();
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
    return table.glance();
  }

  @Override
  public ApplyReport resync() throws KernelException {
    return table.resync();
  }

  /**
   * The rows in force, read from the kernel now.
   *
   * @throws KernelException when the kernel could not be read
   */
  public SortedMap<Masquerade.Key, Masquerade> lift() throws KernelException {
    return MasqueradeLift.rows(table.port().contents(), wantedRows);
  }

  /**
   * Every difference between what is wanted and what the kernel holds now.
   *
   * @throws KernelException when the kernel could not be read
   */
  public List<Condition> verify() throws KernelException {
    return TableCheck.differences(TableImage.of(elements.wanted()), table.port().contents());
  }

  /** Whether the table stands as it should, but for elements that are pending. */
  public boolean isInForce() {
    return table.frame() == KeptTable.Frame.RIGHT;
  }

  /** What has been done so far. */
  public Counts counts() {
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
      return NftDriver.this.pending();
    }

    @Override
    public List<Condition> changed(Optional<NftContents> contents) {
      return TableCheck.differences(TableImage.of(elements.seen()), contents);
    }

    @Override
    public List<Condition> ofFrame(Optional<NftContents> contents) {
      return TableCheck.ofFrame(contents);
    }

    @Override
    public NavigableMap<RangeKey, Entry> entries(NftContents contents) {
      NavigableMap<RangeKey, Entry> there = TableImage.entries(contents);
      return table.frame() == KeptTable.Frame.ALTERED ? FormerLayout.adopt(there) : there;
    }

    @Override
    public void learned(Optional<NftContents> contents) throws KernelException {
      if (!everRead) { // who knows what went while nobody looked
        clientsStale |= !clients().stream().allMatch(NftOp::isEmpty);
        everRead = true;
      }
    }

    /** Where there is nothing, its first elements, and the others follow. */
    @Override
    public TableTransaction make(int most) throws KernelException {
      boolean altered = table.frame() == KeptTable.Frame.ALTERED;
      List<NftOp> clients = altered ? clients() : List.of();
      NavigableMap<RangeKey, Entry> all = new TreeMap<>();
      if (altered) {
        all.putAll(elementsToKeep());
      } else {
        elements.puts(most).forEach(put -> all.put(put.key(), put.value()));
      }
      TableTransaction plan = table.make(TableImage.of(all));
      clients.forEach(plan::frame);
      return plan;
    }

    @Override
    public TableTransaction change(Step step, int most) {
      TableTransaction plan = new TableTransaction(false);
      if (step == Step.PUT) {
        table.put(plan, most);
      } else {
        plan.remove(elements.removes(most), !table.isOneByOne());
      }
      plan.completeParts(elements);
      return plan;
    }

    @Override
    public void taken(TableTransaction plan) {} // all that comes and goes are elements

    @Override
    public void finish(List<Object> done) throws KernelException {
      if (isInForce() && mayForgetClients() && elements.pending() == 0) {
        int forgotten =
            new StickyClients(table.port(), translations, wantedRows.values()).forgetLost();
        clientsStale = false;
        if (forgotten > 0) {
          done.add("forget " + forgotten + " clients whose endpoint is gone");
        }
      }
    }
  }

  /** Who keeps which endpoint, to be taken over into the new table. */
  private List<NftOp> clients() throws KernelException {
    List<NftOp> ops = new ArrayList<>();
    NftTable ours = MasqueradeLowering.TABLE;
    for (Family family : Family.values()) {
      String map = TablePart.clients(family);
      ops.add(
          new NftOp.AddElements(
              ours.family(), ours.name(), map, table.port().elements(map), false));
    }
    return ops;
  }

  /** What is wanted, and what is there as long as nobody can say whether it will be wanted. */
  private NavigableMap<RangeKey, Entry> elementsToKeep() {
    NavigableMap<RangeKey, Entry> wanted = elements.wanted();
    NavigableMap<RangeKey, Entry> all = new TreeMap<>(wanted);
    table.leaveOutRefused(all);
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
