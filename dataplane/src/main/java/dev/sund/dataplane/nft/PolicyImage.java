package dev.sund.dataplane.nft;

import dev.sund.engine.program.PacketProgram;
import dev.sund.kernel.nft.NftChain;
import dev.sund.kernel.nft.NftContents;
import dev.sund.kernel.nft.NftRule;
import dev.sund.kernel.nft.NftSet;
import dev.sund.kernel.nft.NftTable;
import dev.sund.model.Condition;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/** The table {@code inet sund-policy} as it is to be in the kernel, as a whole. */
public final class PolicyImage {
  private static final NftTable TABLE = PolicyLowering.TABLE;

  private PolicyImage() {}

  static List<NftChain> variableChains(NftContents contents) {
    return contents.chains().values().stream().filter(PolicyLowering::isVariable).toList();
  }

  static List<NftSet> variableSets(NftContents contents) {
    List<NftSet> sets = new ArrayList<>();
    contents.sets().keySet().forEach(name -> PolicyLowering.variable(name).ifPresent(sets::add));
    return sets;
  }

  /** All that must be, beside the chains and sets that there are for what policies say. */
  static TableImage constant(Optional<NftContents> contents) {
    List<NftChain> chains = new ArrayList<>(PolicyLowering.chains());
    List<NftSet> sets = new ArrayList<>(PolicyLowering.sets());
    List<NftRule> rules = new ArrayList<>(PolicyLowering.rules());
    contents.ifPresent(there -> {
      sets.addAll(variableSets(there));
      for (NftChain chain : variableChains(there)) {
        chains.add(PolicyLowering.chain(chain.name()));
        rules.addAll(there.rules().getOrDefault(chain.name(), List.of()));
      }
    });
    return new TableImage(TABLE, chains, sets, rules, new TreeMap<>());
  }

  static TableImage of(
      Map<String, List<NftRule>> chains, Set<String> sets, NavigableMap<RangeKey, Entry> elements) {
    List<NftChain> allChains = new ArrayList<>();
    chains.keySet().forEach(name -> allChains.add(PolicyLowering.chain(name)));
    allChains.addAll(PolicyLowering.chains());
    List<NftSet> allSets = new ArrayList<>(PolicyLowering.sets());
    sets.forEach(name -> PolicyLowering.variable(name).ifPresent(allSets::add));
    List<NftRule> rules = new ArrayList<>(PolicyLowering.rules());
    chains.values().forEach(rules::addAll);
    return new TableImage(TABLE, allChains, allSets, rules, elements);
  }

  /** The table as a program says. */
  static TableImage of(PacketProgram program) {
    TreeMap<String, List<NftRule>> chains = new TreeMap<>();
    TreeSet<String> sets = new TreeSet<>();
    NavigableMap<RangeKey, Entry> elements = new TreeMap<>(PolicyLowering.entries());
    PolicyEntries.all(
        program,
        new PolicyEntries.Sink() {
          @Override
          public void want(RangeKey key, Entry entry) {
            elements.put(key, entry);
          }

          @Override
          public void unwant(RangeKey key) {
            elements.remove(key);
          }

          @Override
          public void wantChain(String name, List<NftRule> rules) {
            chains.put(name, rules);
          }

          @Override
          public void unwantChain(String name) {
            chains.remove(name);
          }

          @Override
          public void wantSet(String name) {
            sets.add(name);
          }

          @Override
          public void unwantSet(String name) {
            sets.remove(name);
          }
        });
    return of(chains, sets, elements);
  }

  /**
   * Every difference between a program and a table that was read.
   *
   * @param contents what is in the kernel, empty without a table
   */
  public static List<Condition> differences(PacketProgram program, Optional<NftContents> contents) {
    return TableCheck.ofWhole(of(program), contents);
  }
}
