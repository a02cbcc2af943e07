package dev.sund.dataplane.nft;

import dev.sund.engine.program.Endpoint;
import dev.sund.engine.program.Frontend;
import dev.sund.engine.program.Masquerade;
import dev.sund.engine.program.PacketProgram;
import dev.sund.engine.program.SourceRange;
import dev.sund.kernel.nft.Bytes;
import dev.sund.kernel.nft.Data;
import dev.sund.kernel.nft.NftChain;
import dev.sund.kernel.nft.NftContents;
import dev.sund.kernel.nft.NftElement;
import dev.sund.kernel.nft.NftRange;
import dev.sund.kernel.nft.NftRule;
import dev.sund.kernel.nft.NftSet;
import dev.sund.kernel.nft.NftTable;
import dev.sund.kernel.nft.Userdata;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * Our table as it is to be in the kernel: what is constant in it, and the elements that rows
 * become.
 *
 * @param table the table
 * @param chains its chains; those that others lead to come first
 * @param sets its sets and maps
 * @param rules its rules, each chain's in order
 * @param entries the elements, by set and range
 */
public record TableImage(
    NftTable table,
    List<NftChain> chains,
    List<NftSet> sets,
    List<NftRule> rules,
    NavigableMap<RangeKey, Entry> entries) {

  private static final List<NftSet> SETS =
      Stream.concat(MasqueradeLowering.sets().stream(), FrontendLowering.sets().stream()).toList();
  private static final List<NftChain> CHAINS =
      Stream.concat(FrontendLowering.chains().stream(), StrayLowering.chains().stream()).toList();
  private static final List<NftRule> RULES =
      Stream.of(
              List.of(FrontendLowering.learn()),
              MasqueradeLowering.rules(),
              FrontendLowering.sources(),
              FrontendLowering.rules(),
              StrayLowering.rules())
          .flatMap(List::stream)
          .toList();

  /**
   * All that must be beside the elements that the kernel holds, without these: which chains and
   * sets, the elements say.
   */
  static TableImage frame(NftContents contents) {
    NavigableMap<RangeKey, Entry> leading = new TreeMap<>();
    contents
        .elements()
        .forEach((set, elements) -> {
          if (set.startsWith(FrontendLowering.ANSWERS)) {
            elements.forEach(element ->
                leading.put(RangeKey.single(set, element.key()), Entry.read("", element.data())));
          } else if (!elements.isEmpty() && TablePart.of(set).isPresent()) {
            leading.put(RangeKey.single(set, elements.getFirst().key()), Entry.of(""));
          }
        });
    return of(leading);
  }

  /** The table with these elements, and the chains that they lead to. */
  static TableImage of(NavigableMap<RangeKey, Entry> entries) {
    List<NftChain> chains = new ArrayList<>(CHAINS);
    List<NftRule> rules = new ArrayList<>(RULES);
    RangeKey first = RangeKey.single(FrontendLowering.ANSWERS, Bytes.EMPTY);
    for (RangeKey key : entries.tailMap(first, true).keySet()) {
      if (!key.set().startsWith(FrontendLowering.ANSWERS)) {
        break;
      }
      ChooserLowering.chain(key).ifPresent(chains::add);
      rules.addAll(ChooserLowering.rules(key));
    }
    SortedSet<TablePart> parts = TablePart.in(entries);
    TablePart.chains().forEach(chain -> rules.addAll(TablePart.rules(chain, parts)));
    List<NftSet> sets = new ArrayList<>(SETS);
    parts.forEach(part -> sets.add(part.set()));
    chains.add(MasqueradeLowering.CHAIN);
    chains.sort(Comparator.comparing(chain -> chain.base().isPresent()));
    return new TableImage(MasqueradeLowering.TABLE, chains, sets, rules, entries);
  }

  /** Lowers the tables of a program that become this table. */
  public static TableImage of(PacketProgram program) {
    return of(
        program.masquerade().values(),
        program.frontends().values(),
        program.endpoints().values(),
        program.sourceRanges().values());
  }

  /** Lowers whole tables. */
  static TableImage of(
      Collection<Masquerade> masquerade,
      Collection<Frontend> frontends,
      Collection<Endpoint> endpoints,
      Collection<SourceRange> sourceRanges) {
    NavigableMap<RangeKey, Entry> entries = new TreeMap<>();
    OutermostRows outermost = new OutermostRows();
    for (Masquerade row : masquerade) {
      outermost.put(
          row,
          new OutermostRows.Sink() {
            @Override
            public void put(Masquerade element) {
              entries.put(MasqueradeLowering.key(element), Entry.of(element.rule()));
            }

            @Override
            public void remove(Masquerade element) {
              entries.remove(MasqueradeLowering.key(element));
            }
          });
    }
    FrontendEntries translations =
        new FrontendEntries(
            new FrontendEntries.Sink() {
              @Override
              public void want(RangeKey key, Entry entry) {
                entries.put(key, entry);
              }

              @Override
              public void unwant(RangeKey key) {
                entries.remove(key);
              }
            });
    translations.want(
        frontends.stream().map(row -> FrontendEntries.put(row.key(), row)).toList(),
        endpoints.stream().map(row -> FrontendEntries.put(row.key(), row)).toList(),
        sourceRanges.stream().map(row -> FrontendEntries.put(row.key(), row)).toList());
    return of(entries);
  }

  /** The elements that the kernel holds in sets and maps of ours. */
  static NavigableMap<RangeKey, Entry> entries(NftContents contents) {
    List<NftSet> sets = new ArrayList<>(SETS);
    contents
        .sets()
        .keySet()
        .forEach(name -> TablePart.of(name).ifPresent(part -> sets.add(part.set())));
    return entries(contents, sets);
  }

  /** The elements that the kernel holds in these sets, but in those that packets fill. */
  static NavigableMap<RangeKey, Entry> entries(NftContents contents, Collection<NftSet> sets) {
    NavigableMap<RangeKey, Entry> entries = new TreeMap<>();
    for (NftSet set : sets) {
      if ((set.flags() & NftSet.EVAL) != 0) {
        continue; // its elements come and go with packets
      }
      List<NftElement> elements = contents.elements().getOrDefault(set.name(), List.of());
      if (set.hasPairedRanges()) {
        for (NftRange range : NftRange.join(elements)) {
          entries.put(
              new RangeKey(set.name(), range.low(), range.high()),
              Entry.read(range.comment(), range.start().data()));
        }
      } else {
        for (NftElement element : elements) {
          entries.put(
              new RangeKey(set.name(), element.key(), element.keyEnd().orElse(element.key())),
              Entry.read(element.comment(), element.data()));
        }
      }
    }
    return entries;
  }

  /** What an entry is in the kernel: one element, or the two that make a range. */
  static List<NftElement> elements(RangeKey key, Entry entry) {
    if (MasqueradeLowering.holdsPairs(key.set())) {
      return List.of(NftElement.between(key.low(), key.high()).withComment(entry.comment()));
    }
    Optional<Data> data = entry.data();
    if (key.isSingle()) {
      return List.of(NftElement.of(key.low(), data, Userdata.comment(entry.comment())));
    }
    List<NftElement> range =
        new ArrayList<>(NftElement.range(key.low(), key.high(), entry.comment()));
    data.ifPresent(value -> range.set(0, range.getFirst().to(value)));
    return range;
  }

  /** The keys of these elements, by which they can be removed. */
  static void addKeys(List<NftElement> to, RangeKey key) {
    if (MasqueradeLowering.holdsPairs(key.set())) {
      to.add(NftElement.between(key.low(), key.high()));
    } else if (key.isSingle()) {
      to.add(NftElement.of(key.low()));
    } else {
      to.addAll(NftElement.range(key.low(), key.high(), ""));
    }
  }

  /** The elements of a set. */
  public List<NftElement> elementsOf(String set) {
    List<NftElement> elements = new ArrayList<>();
    for (Map.Entry<RangeKey, Entry> entry : entries.entrySet()) {
      if (entry.getKey().set().equals(set)) {
        elements.addAll(elements(entry.getKey(), entry.getValue()));
      }
    }
    return elements;
  }

  /** The rules of a chain, in order. */
  public List<NftRule> rulesOf(String chain) {
    return rules.stream().filter(rule -> rule.chain().equals(chain)).toList();
  }

  /** One line an object. */
  @Override
  public String toString() {
    StringBuilder text = new StringBuilder("table " + table + "\n");
    sets.forEach(set ->
        text.append("set ")
            .append(set)
            .append(": ")
            .append(set.key())
            .append(set.data().map(data -> " : " + data).orElse(""))
            .append('\n'));
    for (NftChain chain : chains) {
      text.append("chain ").append(chain).append('\n');
      rulesOf(chain.name()).forEach(rule -> text.append("  rule ").append(rule).append('\n'));
    }
    entries.forEach(
        (key, entry) -> text.append("element ").append(key).append(' ').append(entry).append('\n'));
    return text.toString();
  }
}
