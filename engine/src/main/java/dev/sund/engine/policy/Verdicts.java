package dev.sund.engine.policy;

import dev.sund.engine.program.PolicyVerdict;
import dev.sund.model.RuleId;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The lists of rules that are asked, and what each says to each class of peers. A class has a row
 * only where something else is said to it than to others.
 */
final class Verdicts {
  private final Map<Long, AskedRules> known = new HashMap<>();
  private final Set<AskedRules> touched = new LinkedHashSet<>();
  private final Rows<PolicyVerdict.Key, PolicyVerdict> rows = new Rows<>();

  Rows<PolicyVerdict.Key, PolicyVerdict> rows() {
    return rows;
  }

  /** The one object for a list. */
  AskedRules the(List<AskedRules.Asked> rules, Optional<RuleId> closedBy) {
    AskedRules one =
        known.computeIfAbsent(
            AskedRules.number(rules, closedBy), number -> new AskedRules(number, rules, closedBy));
    touched.add(one);
    return one;
  }

  void gains(AskedRules list) {
    list.profiles++;
    touched.add(list);
  }

  void loses(AskedRules list) {
    list.profiles--;
    touched.add(list);
  }

  /** Writes what lists and classes that have come need, and forgets what is gone. */
  void settle(List<Classes.Moved> moved) {
    List<AskedRules> fresh = new ArrayList<>();
    for (AskedRules list : touched) {
      if (list.profiles > 0) {
        if (!list.live) {
          fresh.add(list);
        }
      } else {
        known.remove(list.number);
        if (list.live) {
          forget(list);
        }
      }
    }
    touched.clear();
    for (Classes.Moved one : moved) {
      if (one.was() != 0) {
        for (AskedRules list : listsOf(one.peers())) {
          rows.remove(new PolicyVerdict.Key(list.number, one.was()));
        }
      }
    }
    for (Classes.Moved one : moved) {
      if (one.now() != 0) {
        for (AskedRules list : listsOf(one.peers())) {
          write(list, one.peers());
        }
      }
    }
    for (AskedRules list : fresh) {
      list.live = true;
      list.eachAtom(atom -> atom.lists.add(list));
      list.eachName(name -> name.lists.add(list));
      rows.put(list.others().key(), list.others());
      for (PeerClass peers : list.classes()) {
        write(list, peers);
      }
    }
  }

  /** Classes are numbers without a sign: the last is -1. */
  private void forget(AskedRules list) {
    list.live = false;
    list.eachAtom(atom -> atom.lists.remove(list));
    list.eachName(name -> name.lists.remove(list));
    rows.remove(new PolicyVerdict.Key(list.number, 0), new PolicyVerdict.Key(list.number, -1));
  }

  private void write(AskedRules list, PeerClass peers) {
    PolicyVerdict verdict = list.judge(peers);
    PolicyVerdict others = list.others();
    if (others.allowed() != verdict.allowed() || !others.rule().equals(verdict.rule())) {
      rows.put(verdict.key(), verdict);
    }
  }

  /** The lists that tell a class from others. */
  private static Set<AskedRules> listsOf(PeerClass peers) {
    Set<AskedRules> lists = new HashSet<>();
    peers.atoms.forEach(atom -> lists.addAll(atom.lists));
    peers.ports.keySet().forEach(name -> lists.addAll(name.lists));
    return lists;
  }
}
