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
    Set<Family> inForce = familiesInForce(contents.get());
    TableImage.entries(contents.get())
        .forEach((key, entry) ->
            MasqueradeLowering.partOf(key.set())
                .ifPresent(part ->
                    prefixes(key).stream()
                        .filter(prefix -> inForce.contains(prefix.family()))
                        .map(prefix -> row(prefix, part, entry.comment(), wanted))
                        .forEach(row -> rows.put(row.key(), row))));
    addContained(rows, wanted);
    return rows;
  }

  /** The families whose packets meet their rule. */
  private static Set<Family> familiesInForce(NftContents contents) {
    NftChain chain = contents.chains().get(MasqueradeLowering.CHAIN.name());
    if (contents.table().flags() != 0 || chain == null || !calledOnTheWayOut(chain)) {
      return EnumSet.noneOf(Family.class);
    }
    Set<Family> families = EnumSet.noneOf(Family.class);
    Set<Family> uncertain = EnumSet.noneOf(Family.class);
    for (NftRule rule : contents.rules().getOrDefault(chain.name(), List.of())) {
      Optional<Family> family = familyOf(rule);
      if (family.isPresent()) {
        families.add(family.get());
      } else if (decides(rule)) {
        // What comes behind may never be reached, and we cannot say by which packets.
        Set<Family> behind = familiesSeenBy(rule);
        behind.removeAll(families);
        uncertain.addAll(behind);
      }
    }
    families.removeAll(uncertain);
    return families;
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

  /** The family whose rule this is. */
  static Optional<Family> familyOf(NftRule rule) {
    for (Family family : Family.values()) {
      if (rule.doesTheSameAs(MasqueradeLowering.rule(family))) {
        return Optional.of(family);
      }
    }
    return Optional.empty();
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
    if (key.low().length() != 4 && key.low().length() != 16) {
      return List.of();
    }
    List<Prefix> prefixes = new ArrayList<>();
    Ip last = Ip.of(key.high().toArray());
    Bytes next = key.low();
    while (true) {
      Ip first = Ip.of(next.toArray());
      int length = 0;
      while (!Prefix.around(first, length).address().equals(first)
          || Prefix.around(first, length).last().compareTo(last) > 0) {
        length++;
      }
      Prefix prefix = Prefix.around(first, length);
      prefixes.add(prefix);
      if (prefix.last().compareTo(last) >= 0) {
        return Collections.unmodifiableList(prefixes);
      }
      next = Bytes.of(prefix.last()).next();
    }
  }
}
