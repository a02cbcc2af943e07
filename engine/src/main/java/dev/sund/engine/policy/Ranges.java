package dev.sund.engine.policy;

import dev.sund.engine.cluster.Policy;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.Prefix;
import dev.sund.model.RuleId;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The blocks of rules: which of them contain what, and the rows that tell them apart. Each range
 * and each part cut out of one has a row of its own, so that all addresses for which a row counts
 * are in the same blocks.
 */
final class Ranges {
  /** The atoms that make a row needed, by range. */
  private final NavigableMap<Prefix, Set<Atom>> rows = new TreeMap<>();

  /** Blocks by their whole range. */
  private final Map<Prefix, List<Atom>> blocks = new HashMap<>();

  /** How many ranges of blocks have each length. */
  private final Map<Family, NavigableMap<Integer, Integer>> lengths = new EnumMap<>(Family.class);

  /** From now on, or no longer, there is a block. */
  void index(Atom atom, Policy.Block block, boolean live) {
    for (Prefix row : rowsOf(block)) {
      if (live) {
        rows.computeIfAbsent(row, _ -> new LinkedHashSet<>()).add(atom);
      } else {
        rows.computeIfPresent(
            row,
            (_, atoms) -> {
              atoms.remove(atom);
              return atoms.isEmpty() ? null : atoms;
            });
      }
    }
    NavigableMap<Integer, Integer> counts =
        lengths.computeIfAbsent(block.range().family(), _ -> new TreeMap<>());
    if (live) {
      blocks.computeIfAbsent(block.range(), _ -> new ArrayList<>()).add(atom);
      counts.merge(block.range().length(), 1, Integer::sum);
    } else {
      blocks.computeIfPresent(
          block.range(),
          (_, atoms) -> {
            atoms.remove(atom);
            return atoms.isEmpty() ? null : atoms;
          });
      counts.merge(block.range().length(), -1, (was, less) -> was + less == 0 ? null : was + less);
    }
  }

  /** The rows that a block needs. */
  static Set<Prefix> rowsOf(Policy.Block block) {
    Set<Prefix> found = new LinkedHashSet<>(List.of(block.range()));
    found.addAll(block.except());
    return found;
  }

  /** Whether a range has a row of its own. */
  boolean isRow(Prefix range) {
    return rows.containsKey(range);
  }

  /** The first rule that names a range. */
  Optional<RuleId> namer(Prefix range) {
    return rows.getOrDefault(range, Set.of()).stream()
        .map(atom -> atom.rules.first())
        .min(StatedRule::compareTo)
        .map(rule -> rule.id);
  }

  /** The blocks that contain all of a range, which is an address or a row. */
  void containing(Prefix range, Consumer<Atom> taker) {
    Ip address = range.address();
    for (int length :
        lengths
            .getOrDefault(range.family(), Collections.emptyNavigableMap())
            .headMap(range.length(), true)
            .keySet()) {
      @Nullable List<Atom> found = blocks.get(Prefix.around(address, length));
      if (found != null) {
        for (Atom atom : found) {
          if (atom.content instanceof Policy.Block(_, var except)
              && except.stream().noneMatch(one -> one.contains(range))) {
            taker.accept(atom);
          }
        }
      }
    }
  }

  /** The part of a table whose keys are in a range. */
  static <V> NavigableMap<Prefix, V> within(NavigableMap<Prefix, V> table, Prefix range) {
    return table.subMap(range, true, Prefix.host(range.last()), true);
  }

  NavigableMap<Prefix, Set<Atom>> rows() {
    return rows;
  }
}
