package dev.sund.dataplane.nft;

import dev.sund.kernel.nft.Expr;
import dev.sund.kernel.nft.NftChain;
import dev.sund.kernel.nft.NftContents;
import dev.sund.kernel.nft.NftFamily;
import dev.sund.kernel.nft.NftRule;
import dev.sund.kernel.nft.NftSet;
import dev.sund.kernel.nft.NftTable;
import dev.sund.model.Condition;
import dev.sund.model.Marks;
import dev.sund.model.ObjectRef;
import dev.sund.model.Reason;
import java.util.ArrayList;
import java.util.List;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;

/**
 * The kernel's table beside the lowered one: every difference by object, field, value and remedy.
 */
public final class TableCheck {
  private static final String REMEDY_DRIFT =
      "The agent puts it right; 'nft monitor' names the program that changes it.";

  private final List<Condition> found = new ArrayList<>();
  private final NftTable table;

  private TableCheck(NftTable table) {
    this.table = table;
  }

  /**
   * All differences, sorted: none when the kernel holds exactly what is lowered.
   *
   * @param contents what is in the kernel, empty without a table
   */
  public static List<Condition> differences(TableImage wanted, Optional<NftContents> contents) {
    TableCheck check = new TableCheck(wanted.table());
    // Which chains there must be for the numbers of endpoints in use, the elements say.
    if (check.frame(contents.map(TableImage::frame), contents)) {
      check.entries(wanted.entries(), TableImage.entries(contents.orElseThrow()));
    }
    return check.found.stream().sorted().toList();
  }

  /** All differences of a table of which the image says all. */
  static List<Condition> ofWhole(TableImage wanted, Optional<NftContents> contents) {
    TableCheck check = new TableCheck(wanted.table());
    if (check.frame(Optional.of(wanted), contents)) {
      check.entries(wanted.entries(), TableImage.entries(contents.orElseThrow(), wanted.sets()));
    }
    return check.found.stream().sorted().toList();
  }

  /** All differences but those of elements. */
  static List<Condition> ofFrame(TableImage frame, Optional<NftContents> contents) {
    TableCheck check = new TableCheck(frame.table());
    check.frame(Optional.of(frame), contents);
    return check.found.stream().sorted().toList();
  }

  /** The differences of all that is constant: table, chain, sets and rules, not of the elements. */
  static List<Condition> ofFrame(Optional<NftContents> contents) {
    TableCheck check = new TableCheck(MasqueradeLowering.TABLE);
    check.frame(contents.map(TableImage::frame), contents);
    return check.found.stream().sorted().toList();
  }

  /** Whether the table in our place was made by someone else. */
  static boolean isForeign(Optional<NftContents> contents) {
    return contents.map(NftContents::table).filter(table -> !isOurs(table)).isPresent();
  }

  /** Whether a table is the one that Sund made: by family, name and comment. */
  static boolean isOurs(NftTable table) {
    boolean named =
        table.name().equals(Marks.POLICY_TABLE)
            ? table.family() == NftFamily.INET || table.family() == NftFamily.BRIDGE
            : table.family() == NftFamily.INET && table.name().equals(Marks.TABLE);
    return named && table.comment().equals(Marks.TABLE_COMMENT);
  }

  /** Returns whether it makes sense to look at the elements. */
  private boolean frame(Optional<TableImage> wanted, Optional<NftContents> contents) {
    ObjectRef object = new ObjectRef("nft table", table.toString());
    if (contents.isEmpty()) {
      add(
          Reason.DRIFT_MISSING,
          object,
          "",
          isOfPolicies()
              ? "It is missing: no policy is in force, and pods may send from any address."
              : "It is missing: packets of pods leave the cluster with the pods' own addresses, and"
                  + " nothing answers at host ports.",
          REMEDY_DRIFT);
      return false;
    }
    if (!isOurs(contents.get().table())) {
      String comment = contents.get().table().comment();
      add(
          Reason.FOREIGN_OBJECT,
          object,
          "comment",
          "Someone else made it: the comment is '"
              + comment
              + "' and not '"
              + Marks.TABLE_COMMENT
              + "'. It is left alone, and "
              + (isOfPolicies() ? "no policy is" : "neither natOutgoing nor host ports are")
              + " in force.",
          "Remove it with 'nft delete table " + table + "', or give it another name.");
      return false;
    }
    changed(object, "flags", 0, contents.get().table().flags() & ~NftTable.KEPT);
    TableImage frame = wanted.orElseThrow();
    chains(frame, contents.get());
    sets(frame, contents.get());
    for (NftChain chain : frame.chains()) {
      rules(
          chain,
          frame.rulesOf(chain.name()),
          contents.get().rules().getOrDefault(chain.name(), List.of()));
    }
    return true;
  }

  private boolean isOfPolicies() {
    return table.name().equals(Marks.POLICY_TABLE); // of both families
  }

  private void chains(TableImage frame, NftContents contents) {
    NavigableMap<String, NftChain> others = new TreeMap<>(contents.chains());
    for (NftChain wanted : frame.chains()) {
      NftChain chain = others.remove(wanted.name());
      ObjectRef object = new ObjectRef("nft chain", wanted.toString());
      if (chain == null) {
        missing(object, "It is missing: what it does to packets is not done.");
      } else {
        chain(object, wanted, chain);
      }
    }
    for (NftChain other : others.values()) {
      stray(new ObjectRef("nft chain", other.toString()), "It is in our table and not ours.");
    }
  }

  private void chain(ObjectRef object, NftChain wanted, NftChain chain) {
    Optional<NftChain.Base> want = wanted.base();
    Optional<NftChain.Base> have = chain.base();
    changed(object, "type", text(want, NftChain.Base::type), text(have, NftChain.Base::type));
    changed(object, "hook", text(want, NftChain.Base::hook), text(have, NftChain.Base::hook));
    changed(
        object,
        "priority",
        text(want, NftChain.Base::priority),
        text(have, NftChain.Base::priority));
    changed(object, "policy", text(want, NftChain.Base::policy), text(have, NftChain.Base::policy));
    changed(object, "comment", wanted.comment(), chain.comment());
  }

  private static <T> String text(
      Optional<NftChain.Base> base, java.util.function.Function<NftChain.Base, T> field) {
    return base.map(field).map(Object::toString).orElse("none");
  }

  private void sets(TableImage frame, NftContents contents) {
    NavigableMap<String, NftSet> others = new TreeMap<>(contents.sets());
    for (NftSet wanted : frame.sets()) {
      NftSet set = others.remove(wanted.name());
      ObjectRef object = new ObjectRef("nft set", wanted.toString());
      if (set == null) {
        missing(object, "It is missing.");
        continue;
      }
      changed(object, "type", wanted.key(), set.key());
      changed(object, "values", wanted.data(), set.data());
      changed(object, "flags", wanted.flags(), set.flags());
      changed(object, "size", wanted.size(), set.size());
      changed(object, "timeout", wanted.timeout(), set.timeout());
      changed(object, "comment", wanted.comment(), set.comment());
    }
    for (NftSet set : others.values()) {
      if ((set.flags() & NftSet.ANONYMOUS) == 0) { // else it is part of a rule, which is named
        stray(new ObjectRef("nft set", set.toString()), "It is in our table and not ours.");
      }
    }
  }

  private void rules(NftChain chain, List<NftRule> inOrder, List<NftRule> inChain) {
    List<NftRule> left = new ArrayList<>(inChain);
    List<NftRule> unmatched = new ArrayList<>();
    for (NftRule wanted : inOrder) {
      Optional<NftRule> same = left.stream().filter(wanted::doesTheSameAs).findFirst();
      if (same.isEmpty()) {
        unmatched.add(wanted);
      } else {
        left.remove(same.get());
        changed(object(wanted), "comment", wanted.comment(), same.get().comment());
      }
    }
    for (NftRule wanted : unmatched) {
      // The comment only helps to say which rule it was; it never makes a rule equal.
      Optional<NftRule> altered =
          left.stream().filter(rule -> rule.comment().equals(wanted.comment())).findFirst();
      if (altered.isEmpty()) {
        missing(object(wanted), "It is missing: what it does to packets is not done.");
      } else {
        left.remove(altered.get());
        expressions(object(wanted), wanted.expressions(), altered.get().expressions());
      }
    }
    if (unmatched.isEmpty() && left.isEmpty() && !inOrder(inOrder, inChain)) {
      changed(
          new ObjectRef("nft chain", chain.toString()),
          "order of rules",
          comments(inOrder),
          comments(inChain));
    }
    for (NftRule rule : left) {
      stray(
          new ObjectRef("nft rule", chain + " handle " + rule.handle()),
          "It is in our chain and not ours: " + rule + ".");
    }
  }

  private static boolean inOrder(List<NftRule> wanted, List<NftRule> is) {
    for (int i = 0; i < wanted.size(); i++) {
      if (!wanted.get(i).doesTheSameAs(is.get(i))) {
        return false;
      }
    }
    return true;
  }

  private static String comments(List<NftRule> rules) {
    return String.join("; ", rules.stream().map(NftRule::comment).toList());
  }

  private void expressions(ObjectRef rule, List<Expr> wanted, List<Expr> is) {
    int first = 0;
    while (first < wanted.size()
        && first < is.size()
        && wanted.get(first).withoutCounts().equals(is.get(first).withoutCounts())) {
      first++;
    }
    changed(
        rule,
        "expression " + (first + 1),
        first < wanted.size() ? wanted.get(first).text() : "none",
        first < is.size() ? is.get(first).text() : "none");
  }

  private static ObjectRef object(NftRule rule) {
    return new ObjectRef(
        "nft rule",
        rule.family() + " " + rule.table() + " " + rule.chain() + " \"" + rule.comment() + "\"");
  }

  private void entries(NavigableMap<RangeKey, Entry> wanted, NavigableMap<RangeKey, Entry> is) {
    wanted.forEach((key, entry) -> {
      Entry there = is.get(key);
      if (there == null) {
        missing(object(table, key), "It is missing; its rule is " + entry.comment() + ".");
      } else if (!entry.equals(there)) {
        changed(object(table, key), "value", text(entry), text(there));
        changed(object(table, key), "comment", entry.comment(), there.comment());
      }
    });
    is.forEach((key, entry) -> {
      if (!wanted.containsKey(key)) {
        stray(
            object(table, key),
            "Nothing wants it"
                + (entry.comment().isEmpty()
                    ? "."
                    : "; its comment is '" + entry.comment() + "'."));
      }
    });
  }

  private static String text(Entry entry) {
    return entry.data().map(Object::toString).orElse("none");
  }

  /** An element of a table, for people. */
  static ObjectRef object(NftTable table, RangeKey key) {
    return new ObjectRef("nft element", table + " " + key);
  }

  private void changed(ObjectRef object, String field, Object wanted, Object is) {
    if (!wanted.equals(is)) {
      add(
          Reason.DRIFT_CHANGED,
          object,
          field,
          "It is '" + is + "' and should be '" + wanted + "'.",
          REMEDY_DRIFT);
    }
  }

  private void missing(ObjectRef object, String text) {
    add(Reason.DRIFT_MISSING, object, "", text, REMEDY_DRIFT);
  }

  private void stray(ObjectRef object, String text) {
    add(
        Reason.STRAY_OBJECT,
        object,
        "",
        text,
        "The agent removes it; keep rules of your own in a table of your own.");
  }

  private void add(Reason reason, ObjectRef object, String field, String text, String remedy) {
    found.add(new Condition(reason, object, field, text, remedy));
  }
}
