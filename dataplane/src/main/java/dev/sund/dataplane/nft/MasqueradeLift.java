package dev.sund.dataplane.nft;

import dev.sund.engine.program.Masquerade;
import dev.sund.kernel.nft.Bytes;
import dev.sund.kernel.nft.Expr;
import dev.sund.kernel.nft.NftChain;
import dev.sund.kernel.nft.NftContents;
import dev.sund.kernel.nft.NftRule;
import dev.sund.kernel.nft.Reg;
import dev.sund.kernel.nft.Verdict;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.Prefix;
import dev.sund.model.RuleId;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What the kernel's table {@code inet sund} does to packets, as rows of {@code Masquerade}.
 *
 * <p>A row is in force when its element is in its set and the rule of its family is in the chain,
 * expression by expression, in front of nothing that decides before it; what a comment says proves
 * nothing about a rule. So a missing or altered rule leaves no rows of its family, and an element
 * that somebody added is a row like any other.
 *
 * <p>RuleIds come from the elements' comments. A name that was too long for a comment, and rows
 * that have no element because another one contains them, are joined from the wanted rows.
 */
public final class MasqueradeLift {
  /** Whose row it is when an element has no comment that is a rule's text. */
  public static final RuleId UNLABELLED = RuleId.builtin("unlabelled");

  private MasqueradeLift() {}

  /**
   * The rows in force.
   *
   * @param contents what is in the kernel, empty without a table
   * @param wanted the program's rows, to join what the kernel has no room for; may be empty
   */
  public static SortedMap<Masquerade.Key, Masquerade> rows(
      Optional<NftContents> contents, Map<Masquerade.Key, Masquerade> wanted) {
    SortedMap<Masquerade.Key, Masquerade> rows = new TreeMap<>();
    if (contents.isEmpty()) {
      return rows;
    }
    Set<NftRule> inForce = rulesInForce(contents.get());
    TableImage.entries(contents.get())
        .forEach((key, entry) ->
            MasqueradeLowering.partOf(key.set())
                .ifPresent(part ->
                    prefixes(key).stream()
                        .filter(prefix ->
                            inForce.contains(MasqueradeLowering.rule(part, prefix.family())))
                        .map(prefix -> row(prefix, part, entry.comment(), wanted))
                        .forEach(row -> rows.put(row.key(), row))));
    addContained(rows, wanted);
    return rows;
  }

  /** Those of our rules that packets meet, as they are lowered. */
  private static Set<NftRule> rulesInForce(NftContents contents) {
    NftChain chain = contents.chains().get(MasqueradeLowering.CHAIN.name());
    if (contents.table().flags() != 0 || chain == null || !calledOnTheWayOut(chain)) {
      return Set.of();
    }
    Set<NftRule> met = new HashSet<>();
    Set<NftRule> uncertain = new HashSet<>();
    for (NftRule rule : contents.rules().getOrDefault(chain.name(), List.of())) {
      Optional<NftRule> ours = lowered(rule);
      if (ours.isPresent()) {
        met.add(ours.get());
      } else if (decides(rule) && !(isLearning(rule) && learnsOnly(contents))) {
        // What comes behind may never be reached, and we cannot say by which packets.
        Set<Family> seen = familiesSeenBy(rule);
        for (Family family : seen) {
          for (Masquerade.Part part : Masquerade.Part.values()) {
            NftRule behind = MasqueradeLowering.rule(part, family);
            if (!met.contains(behind)) {
              uncertain.add(behind);
            }
          }
        }
      }
    }
    met.removeAll(uncertain);
    return met;
  }

  private static boolean isLearning(NftRule rule) {
    return FrontendLowering.learn().doesTheSameAs(rule);
  }

  /** Whether the chain that remembers clients does that and nothing else. */
  private static boolean learnsOnly(NftContents contents) {
    List<NftRule> should =
        TablePart.rules(TablePart.LEARN, TablePart.in(TableImage.entries(contents)));
    List<NftRule> is = contents.rules().getOrDefault(TablePart.LEARN.name(), List.of());
    return is.stream().allMatch(rule -> should.stream().anyMatch(rule::doesTheSameAs));
  }

  /** The families of the packets that a rule may see: one, where it begins by asking for it. */
  private static Set<Family> familiesSeenBy(NftRule rule) {
    for (Family family : Family.values()) {
      if (rule.expressions().size() > 2
          && rule.expressions()
              .subList(0, 2)
              .equals(MasqueradeLowering.rule(family).expressions().subList(0, 2))) {
        return EnumSet.of(family);
      }
    }
    return EnumSet.allOf(Family.class);
  }

  private static boolean calledOnTheWayOut(NftChain chain) {
    return chain
        .base()
        .filter(base ->
            base.type().equals("nat")
                && base.hook() == NftChain.Hook.POSTROUTING.number()
                && base.policy().equals(Verdict.ACCEPT))
        .isPresent();
  }

  /** The rule of ours that this one is. */
  private static Optional<NftRule> lowered(NftRule rule) {
    return MasqueradeLowering.rules().stream().filter(rule::doesTheSameAs).findFirst();
  }

  /** Whether a rule can end a packet's way through the chain. */
  private static boolean decides(NftRule rule) {
    return rule.expressions().stream()
        .anyMatch(expr ->
            switch (expr) {
              case Expr.Immediate(var into, var _) -> into.equals(Reg.VERDICT);
              case Expr.Lookup(var _, var _, var into, var _) ->
                  into.filter(Reg.VERDICT::equals).isPresent();
              case Expr.Masquerade _, Expr.Nat _, Expr.Reject _, Expr.Unknown _ -> true;
              case Expr.Payload _,
                  Expr.PayloadSet _,
                  Expr.Cmp _,
                  Expr.Range _,
                  Expr.Meta _,
                  Expr.MetaSet _,
                  Expr.Ct _,
                  Expr.CtSet _,
                  Expr.Bitwise _,
                  Expr.Shift _,
                  Expr.ByteOrder _,
                  Expr.Counter _,
                  Expr.Log _,
                  Expr.Fib _,
                  Expr.Numgen _,
                  Expr.Hash _,
                  Expr.Update _,
                  Expr.CountAt _,
                  Expr.Limit _ ->
                  false;
            });
  }

  private static Masquerade row(
      Prefix prefix, Masquerade.Part part, String comment, Map<Masquerade.Key, Masquerade> wanted) {
    Masquerade expected = wanted.get(new Masquerade.Key(prefix, part));
    if (expected != null && MasqueradeLowering.comment(expected.rule()).equals(comment)) {
      return expected;
    }
    return new Masquerade(prefix, part, rule(comment));
  }

  /** The rule whose text a comment is. */
  static RuleId rule(String comment) {
    try {
      return RuleId.parse(comment);
    } catch (IllegalArgumentException _) {
      return UNLABELLED;
    }
  }

  /** Wanted rows without an element of their own are in force by the one that contains them. */
  private static void addContained(
      SortedMap<Masquerade.Key, Masquerade> rows, Map<Masquerade.Key, Masquerade> wanted) {
    OutermostRows outermost = new OutermostRows();
    wanted.values().forEach(row -> outermost.put(row, OutermostRows.NOBODY));
    for (Masquerade row : wanted.values()) {
      Optional<Masquerade> around = outermost.around(row);
      if (around.isPresent() && rows.containsKey(around.get().key())) {
        rows.putIfAbsent(row.key(), row);
      }
    }
  }

  /** The fewest prefixes that together are the range. */
  static List<Prefix> prefixes(RangeKey key) {
    if (MasqueradeLowering.holdsPairs(key.set())) {
      int half = key.low().length() / 2;
      Bytes low = key.low().slice(0, half);
      Bytes high = key.high().slice(0, half);
      return low.plus(low).equals(key.low()) && high.plus(high).equals(key.high())
          ? prefixes(low, high)
          : List.of(); // pairs that no row makes
    }
    return prefixes(key.low(), key.high());
  }

  private static List<Prefix> prefixes(Bytes first, Bytes end) {
    if (first.length() != 4 && first.length() != 16) {
      return List.of();
    }
    List<Prefix> prefixes = new ArrayList<>();
    Ip last = Ip.of(end.toArray());
    Bytes next = first;
    while (true) {
      Ip at = Ip.of(next.toArray());
      int length = 0;
      while (!Prefix.around(at, length).address().equals(at)
          || Prefix.around(at, length).last().compareTo(last) > 0) {
        length++;
      }
      Prefix prefix = Prefix.around(at, length);
      prefixes.add(prefix);
      if (prefix.last().compareTo(last) >= 0) {
        return Collections.unmodifiableList(prefixes);
      }
      next = Bytes.of(prefix.last()).next();
    }
  }
}
