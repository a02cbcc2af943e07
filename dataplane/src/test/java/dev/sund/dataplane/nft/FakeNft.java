package dev.sund.dataplane.nft;

import dev.sund.kernel.Capability;
import dev.sund.kernel.Errno;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.nft.Commit;
import dev.sund.kernel.nft.Expr;
import dev.sund.kernel.nft.NftChain;
import dev.sund.kernel.nft.NftContents;
import dev.sund.kernel.nft.NftElement;
import dev.sund.kernel.nft.NftOp;
import dev.sund.kernel.nft.NftRange;
import dev.sund.kernel.nft.NftRule;
import dev.sund.kernel.nft.NftSet;
import dev.sund.kernel.nft.NftTable;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * One table of nf_tables in memory, with the kernel's rules about what exists and what overlaps,
 * and one switch a call that makes it fail.
 */
final class FakeNft implements NftPort {
  /** When set, listing fails with this errno. */
  Optional<Errno> failContents = Optional.empty();

  /** When set, a transaction fails as a whole with this errno. */
  Optional<Errno> failCommit = Optional.empty();

  /** When set, a transaction is refused as such, no operation being named. */
  Optional<Errno> refuseCommit = Optional.empty();

  /** Operations that are refused with {@link #refusal}. */
  Predicate<NftOp> refuse = _ -> false;

  /** What refused operations answer. */
  Errno refusal = Errno.EINVAL;

  /** How many of the next transactions at a generation find that it has passed. */
  int stale;

  /** Runs before the next transaction, as someone else's work; then never again. */
  Runnable meanwhile = () -> {};

  /** All transactions that were taken. */
  final List<List<NftOp>> committed = new ArrayList<>();

  boolean closed;
  private @Nullable Table table;
  private int generation = 1;

  /** How often the table has been read. */
  int contentsRead;

  private long handles = 1;

  private static final class Table {
    final NftTable table;
    final TreeMap<String, NftChain> chains = new TreeMap<>();
    final TreeMap<String, List<NftRule>> rules = new TreeMap<>();
    final TreeMap<String, NftSet> sets = new TreeMap<>();
    final TreeMap<String, List<NftElement>> elements = new TreeMap<>();

    Table(NftTable table) {
      this.table = table;
    }

    Table copy() {
      Table copy = new Table(table);
      copy.chains.putAll(chains);
      rules.forEach((chain, list) -> copy.rules.put(chain, new ArrayList<>(list)));
      copy.sets.putAll(sets);
      elements.forEach((set, list) -> copy.elements.put(set, new ArrayList<>(list)));
      return copy;
    }
  }

  @Override
  public int generation() {
    return generation;
  }

  @Override
  public Optional<NftContents> contents() throws KernelException {
    contentsRead++;
    if (failContents.isPresent()) {
      throw exception("list table", failContents.get());
    }
    Table now = table;
    return now == null
        ? Optional.empty()
        : Optional.of(
            new NftContents(
                generation,
                now.table,
                new TreeMap<>(now.chains),
                new TreeMap<>(now.copy().rules),
                new TreeMap<>(now.sets),
                new TreeMap<>(now.copy().elements)));
  }

  @Override
  public Commit commitAt(int at, List<NftOp> ops) throws KernelException {
    Runnable someoneElse = meanwhile;
    meanwhile = () -> {};
    someoneElse.run();
    if (stale > 0 || at != generation) {
      stale = Math.max(0, stale - 1);
      generation++;
      return new Commit.Stale();
    }
    return commit(ops);
  }

  @Override
  public Commit commit(List<NftOp> ops) throws KernelException {
    Runnable someoneElse = meanwhile;
    meanwhile = () -> {};
    someoneElse.run();
    if (failCommit.isPresent()) {
      throw exception("commit", failCommit.get());
    }
    if (refuseCommit.isPresent()) {
      return new Commit.Refused(
          List.of(new Commit.Failure(-1, exception("commit", refuseCommit.get()))));
    }
    Table before = table;
    table = before == null ? null : before.copy();
    List<Commit.Failure> failures = new ArrayList<>();
    for (int i = 0; i < ops.size(); i++) {
      Optional<Errno> error = refuse.test(ops.get(i)) ? Optional.of(refusal) : apply(ops.get(i));
      if (error.isPresent()) {
        failures.add(new Commit.Failure(i, exception(ops.get(i).toString(), error.get())));
      }
    }
    if (!failures.isEmpty()) {
      table = before;
      return new Commit.Refused(failures);
    }
    generation++;
    committed.add(List.copyOf(ops));
    return new Commit.Done(ops.size() + 2);
  }

  /** Someone else's transaction. */
  void meddle(NftOp... ops) {
    for (NftOp op : ops) {
      apply(op)
          .ifPresent(error -> {
            throw new AssertionError(op + ": " + error);
          });
    }
    generation++;
  }

  @Override
  public List<NftElement> elements(String set) {
    return table == null ? List.of() : List.copyOf(table.elements.getOrDefault(set, List.of()));
  }

  @Override
  public void close() {
    closed = true;
  }

  private Optional<Errno> apply(NftOp op) {
    return switch (op) {
      case NftOp.CreateTable(var made) -> {
        if (table != null) {
          yield Optional.of(Errno.EEXIST);
        }
        table = new Table(made);
        yield Optional.empty();
      }
      case NftOp.DeleteTable _ -> {
        boolean there = table != null;
        table = null;
        yield there ? Optional.empty() : Optional.of(Errno.ENOENT);
      }
      case NftOp.CreateChain(var chain) -> {
        Table now = table;
        if (now == null) {
          yield Optional.of(Errno.ENOENT);
        }
        now.rules.put(chain.name(), new ArrayList<>());
        yield now.chains.put(chain.name(), chain) == null
            ? Optional.empty()
            : Optional.of(Errno.EEXIST);
      }
      case NftOp.CreateSet(var set) -> {
        Table now = table;
        if (now == null) {
          yield Optional.of(Errno.ENOENT);
        }
        now.elements.put(set.name(), new ArrayList<>());
        yield now.sets.put(set.name(), set) == null ? Optional.empty() : Optional.of(Errno.EEXIST);
      }
      case NftOp.AppendRule(var rule) -> {
        Table now = table;
        List<NftRule> rules = now == null ? null : now.rules.get(rule.chain());
        if (rules == null) {
          yield Optional.of(Errno.ENOENT);
        }
        rules.add(
            new NftRule(
                rule.family(),
                rule.table(),
                rule.chain(),
                handles++,
                rule.expressions(),
                rule.userdata()));
        yield Optional.empty();
      }
      case NftOp.AddElements(var _, var _, var name, var added, var _) -> {
        Table now = table;
        List<NftElement> elements = now == null ? null : now.elements.get(name);
        if (elements == null) {
          yield Optional.of(Errno.ENOENT);
        }
        NftSet set = now.sets.get(name);
        for (NftElement one :
            set != null && set.hasPairedRanges() ? List.<NftElement>of() : added) {
          if (elements.stream().anyMatch(old -> old.key().equals(one.key()))) {
            yield Optional.of(Errno.EEXIST);
          }
        }
        for (NftRange range :
            set != null && set.hasPairedRanges() ? NftRange.join(added) : List.<NftRange>of()) {
          for (NftRange old : NftRange.join(elements)) {
            if (range.low().compareTo(old.high()) <= 0 && old.low().compareTo(range.high()) <= 0) {
              yield Optional.of(Errno.EEXIST);
            }
          }
        }
        elements.addAll(added);
        yield Optional.empty();
      }
      case NftOp.DeleteElements(var _, var _, var set, var removed) -> {
        Table now = table;
        List<NftElement> elements = now == null ? null : now.elements.get(set);
        if (elements == null) {
          yield Optional.of(Errno.ENOENT);
        }
        for (NftElement gone : removed) {
          if (!elements.removeIf(
              element ->
                  element.key().equals(gone.key())
                      && element.intervalEnd() == gone.intervalEnd())) {
            yield Optional.of(Errno.ENOENT);
          }
        }
        yield Optional.empty();
      }
      case NftOp.DeleteChain(var _, var _, var chain) -> {
        Table now = table;
        if (now != null) {
          now.rules.remove(chain);
        }
        yield now != null && now.chains.remove(chain) != null
            ? Optional.empty()
            : Optional.of(Errno.ENOENT);
      }
      case NftOp.FlushChain(var _, var _, var chain) -> {
        List<NftRule> rules = table == null ? null : table.rules.get(chain);
        if (rules == null) {
          yield Optional.of(Errno.ENOENT);
        }
        rules.clear();
        yield Optional.empty();
      }
      case NftOp.DeleteSet(var _, var _, var set) -> {
        Table now = table;
        if (now == null || now.sets.remove(set) == null) {
          yield Optional.of(Errno.ENOENT);
        }
        now.elements.remove(set);
        yield now.rules.values().stream().flatMap(List::stream).anyMatch(rule -> uses(rule, set))
            ? Optional.of(Errno.EBUSY)
            : Optional.empty();
      }
      case NftOp.EnsureTable _,
          NftOp.EnsureChain _,
          NftOp.InsertRule _,
          NftOp.ReplaceRule _,
          NftOp.DeleteRule _,
          NftOp.EnsureSet _,
          NftOp.FlushSet _ ->
          throw new AssertionError("the driver does not use " + op);
    };
  }

  private static boolean uses(NftRule rule, String set) {
    return rule.expressions().stream()
        .anyMatch(
            expr -> expr instanceof Expr.Lookup(var name, var _, var _, var _) && name.equals(set));
  }

  private static KernelException exception(String what, Errno error) {
    return Errno.exception(what, "", error.number(), "", Capability.NET_ADMIN);
  }
}
