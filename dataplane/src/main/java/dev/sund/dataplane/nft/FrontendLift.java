package dev.sund.dataplane.nft;

import dev.sund.engine.program.Endpoint;
import dev.sund.engine.program.Frontend;
import dev.sund.engine.program.Frontend.Answer;
import dev.sund.engine.program.Frontend.MasqueradeClass;
import dev.sund.engine.program.Frontend.View;
import dev.sund.engine.program.PacketProgram;
import dev.sund.engine.program.SourceRange;
import dev.sund.kernel.nft.Bytes;
import dev.sund.kernel.nft.Data;
import dev.sund.kernel.nft.NftChain;
import dev.sund.kernel.nft.NftContents;
import dev.sund.kernel.nft.NftRule;
import dev.sund.model.Ip;
import dev.sund.model.RuleId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.BiConsumer;

/**
 * What the kernel's table does to destinations, as rows of {@code Frontends}, {@code Endpoints} and
 * {@code SourceRanges}.
 *
 * <p>A row is in force when its element is in its map and everything that a packet runs through on
 * the way there and from there is as it was made: hooks, rules, the chain that chooses. One altered
 * rule on that way leaves no rows of that kind of frontend. An element that somebody added is a row
 * like any other.
 *
 * <p>RuleIds come from the elements' comments; names that were too long are joined from the wanted
 * rows.
 */
public final class FrontendLift {
  private final NftContents contents;
  private final PacketProgram wanted;
  private final TableImage frame;
  private final NavigableMap<RangeKey, Entry> entries;
  private final Set<String> rightChains = new HashSet<>();
  private final SortedMap<Frontend.Key, Frontend> frontends = new TreeMap<>();
  private final SortedMap<Endpoint.Key, Endpoint> endpoints = new TreeMap<>();
  private final SortedMap<SourceRange.Key, SourceRange> ranges = new TreeMap<>();

  /** The rows in force: what {@link #read} found. */
  public record Rows(
      SortedMap<Frontend.Key, Frontend> frontends,
      SortedMap<Endpoint.Key, Endpoint> endpoints,
      SortedMap<SourceRange.Key, SourceRange> sourceRanges) {}

  private FrontendLift(NftContents contents, PacketProgram wanted) {
    this.contents = contents;
    this.wanted = wanted;
    this.entries = TableImage.entries(contents);
    this.frame = TableImage.of(entries);
    for (NftChain chain : frame.chains()) {
      if (isRight(chain)) {
        rightChains.add(chain.name());
      }
    }
  }

  /**
   * The rows in force.
   *
   * @param contents what is in the kernel, empty without a table
   * @param wanted to join what the kernel has no room for
   */
  public static Rows read(Optional<NftContents> contents, PacketProgram wanted) {
    if (contents.isEmpty() || contents.get().table().flags() != 0) {
      return new Rows(new TreeMap<>(), new TreeMap<>(), new TreeMap<>());
    }
    return new FrontendLift(contents.get(), wanted).rows();
  }

  private Rows rows() {
    boolean met = areRight("prerouting", "output", "dispatch", FrontendLowering.REFUSE);
    for (FrontendGroup group : FrontendGroup.values()) {
      if (met && areRight(group.pick())) {
        each(group.frontends(), (key, entry) -> frontend(group, key, entry));
      }
    }
    for (FrontendGroup group : FrontendGroup.values()) {
      each(group.endpoints(), (key, entry) -> endpoint(group, key, entry));
    }
    for (TablePart part : TablePart.in(entries)) {
      if (part.kind() == TablePart.Kind.ALLOWED) {
        each(part.name(), (key, entry) -> range(part, key, entry));
      }
    }
    return new Rows(frontends, endpoints, ranges);
  }

  private void each(String set, BiConsumer<RangeKey, Entry> row) {
    for (Map.Entry<RangeKey, Entry> entry :
        entries.tailMap(RangeKey.single(set, Bytes.EMPTY), true).entrySet()) {
      if (!entry.getKey().set().equals(set)) {
        break;
      }
      row.accept(entry.getKey(), entry.getValue());
    }
  }

  private void frontend(FrontendGroup group, RangeKey at, Entry entry) {
    Optional<Frontend.Key> key = FrontendKeys.frontend(group, at.low());
    Optional<FrontendMark> first = markOf(entry, group, View.INSIDE);
    if (key.isEmpty() || first.isEmpty() || !leadsOn(FrontendLowering.ANSWERS, first.get())) {
      return;
    }
    FrontendMark mark = first.get();
    Answer inside = answer(mark);
    Answer outside = inside;
    if (mark.split()) {
      Optional<FrontendMark> second =
          Optional.ofNullable(entries.get(RangeKey.single(group.externals(), at.low())))
              .flatMap(found -> markOf(found, group, View.OUTSIDE));
      if (second.isEmpty()
          || !areRight(FrontendLowering.DISPATCH_OUTSIDE)
          || !leadsOn(FrontendLowering.ANSWERS_OUTSIDE, second.get())) {
        return;
      }
      outside = answer(second.get());
    }
    Optional<Duration> affinity = mark.sticky() ? affinity(group, at.low()) : Optional.empty();
    Frontend same = wanted.frontends().get(key.get());
    RuleId rule = rule(entry, Optional.ofNullable(same).map(Frontend::rule));
    frontends.put(
        key.get(),
        new Frontend(
            key.get(),
            inside,
            outside,
            mark.limited(),
            mark.loopback(),
            affinity,
            mark.choice(),
            rule));
  }

  private static RuleId rule(Entry entry, Optional<RuleId> wanted) {
    return wanted
        .filter(rule -> MasqueradeLowering.comment(rule).equals(entry.comment()))
        .orElseGet(() -> MasqueradeLift.rule(entry.comment()));
  }

  private static Optional<FrontendMark> markOf(Entry entry, FrontendGroup group, View view) {
    return entry
        .data()
        .flatMap(data -> FrontendMark.of(number(data)))
        .filter(mark -> mark.group() == group && mark.view() == view);
  }

  private Answer answer(FrontendMark mark) {
    boolean hidden =
        FrontendLowering.rulesOf(mark.masquerade(), mark.group().family()).stream()
            .allMatch(rule -> hasRule(rule) && areRight(FrontendLowering.HIDE.name()));
    return new Answer(mark.action(), hidden ? mark.masquerade() : MasqueradeClass.KEEP_SOURCE);
  }

  /** Whether the mark of a frontend finds the chain that acts on it. */
  private boolean leadsOn(String answers, FrontendMark mark) {
    RangeKey key = RangeKey.single(answers, Bytes.host32(mark.bits()));
    Entry there = entries.get(key);
    return there != null
        && there.data().equals(ChooserLowering.answer(mark).data())
        && ChooserLowering.chain(key).map(NftChain::name).stream().allMatch(rightChains::contains)
        && (!mark.limited() || areRight(mark.group().allowed()));
  }

  private Optional<Duration> affinity(FrontendGroup group, Bytes key) {
    return areRight(TablePart.LEARN.name(), group.kept()) && hasRule(FrontendLowering.learn())
        ? TablePart.in(entries).stream()
            .filter(part -> part.kind() == TablePart.Kind.AFFINITY && part.group() == group)
            .filter(part -> entries.containsKey(RangeKey.single(part.name(), key)))
            .map(part -> Duration.ofSeconds(part.number()))
            .findFirst()
        : Optional.empty();
  }

  private void range(TablePart part, RangeKey at, Entry entry) {
    FrontendKeys.range(part, at.low())
        .filter(
            key -> frontends.containsKey(key.frontend()) && frontends.get(key.frontend()).limited())
        .ifPresent(key -> {
          SourceRange same = wanted.sourceRanges().get(key);
          ranges.put(
              key,
              new SourceRange(key, rule(entry, Optional.ofNullable(same).map(SourceRange::rule))));
        });
  }

  private void endpoint(FrontendGroup group, RangeKey at, Entry entry) {
    Frontend frontend = FrontendKeys.frontend(group, at.low()).map(frontends::get).orElse(null);
    int mark = FrontendKeys.slotMark(group, at.low());
    Bytes value =
        entry.data().orElse(null) instanceof Data.Value(Bytes bytes) ? bytes : Bytes.EMPTY;
    int length = group.family().bytes();
    int slot = FrontendMark.number(mark);
    View view = FrontendMark.view(mark);
    if (frontend == null
        || value.length() != length + 4
        || slot >= Frontend.MOST_ENDPOINTS
        || !isSlot(frontend, view, mark)) {
      return;
    }
    Endpoint.Key key = new Endpoint.Key(frontend.key(), view, slot);
    Ip address = Ip.of(value.slice(0, length).toArray());
    int port = value.at(length) << 8 | value.at(length + 1);
    if (port == 0) {
      return;
    }
    Endpoint same = wanted.endpoints().get(key);
    RuleId rule = rule(entry, Optional.ofNullable(same).map(Endpoint::rule));
    endpoints.put(key, new Endpoint(key, address, port, lent(address), rule));
  }

  /** Whether a mark names an endpoint of a frontend: by its class as the element says. */
  private boolean isSlot(Frontend frontend, View view, int mark) {
    FrontendGroup group = FrontendGroup.of(frontend.key().place());
    String map = view == View.OUTSIDE ? group.externals() : group.frontends();
    Entry entry = entries.get(RangeKey.single(map, FrontendKeys.frontend(frontend.key())));
    return entry != null
        && markOf(entry, group, view)
            .filter(found -> found.slot(FrontendMark.number(mark)) == mark)
            .isPresent();
  }

  /** The source that is lent to packets which this endpoint could not answer. */
  private Optional<Ip> lent(Ip endpoint) {
    if (!hasRule(FrontendLowering.answerable(endpoint.family()))) {
      return Optional.empty();
    }
    Set<Optional<Ip>> lent = new HashSet<>();
    List<RangeKey> keys = new ArrayList<>();
    FrontendLowering.unanswerable(endpoint)
        .forEach(source -> keys.add(FrontendLowering.hairpinKey(source, endpoint)));
    if (areRight(FrontendLowering.HIDE.name())) {
      keys.add(FrontendLowering.lentKey(endpoint));
    }
    for (RangeKey key : keys) {
      Entry entry = entries.get(key);
      lent.add(
          entry != null
                  && entry.data().orElse(null) instanceof Data.Value(Bytes bytes)
                  && bytes.length() == endpoint.family().bytes()
              ? Optional.of(Ip.of(bytes.toArray()))
              : Optional.empty());
    }
    return lent.size() == 1 ? lent.iterator().next() : Optional.empty();
  }

  private static int number(Data data) {
    return data instanceof Data.Value(Bytes bytes) ? FrontendKeys.host(bytes) : 0;
  }

  private boolean areRight(String... chains) {
    return rightChains.containsAll(List.of(chains));
  }

  /** Whether a chain is where it should be and does what it should. */
  private boolean isRight(NftChain wantedChain) {
    NftChain chain = contents.chains().get(wantedChain.name());
    List<NftRule> is = contents.rules().getOrDefault(wantedChain.name(), List.of());
    List<NftRule> should = frame.rulesOf(wantedChain.name());
    if (chain == null || !chain.base().equals(wantedChain.base()) || is.size() != should.size()) {
      return false;
    }
    for (int i = 0; i < is.size(); i++) {
      if (!should.get(i).doesTheSameAs(is.get(i))) {
        return false;
      }
    }
    return true;
  }

  /** Whether a rule is in the chain that changes sources, which packets leave by. */
  private boolean hasRule(NftRule rule) {
    NftChain chain = contents.chains().get(rule.chain());
    return chain != null
        && chain.base().equals(MasqueradeLowering.CHAIN.base())
        && contents.rules().getOrDefault(rule.chain(), List.of()).stream()
            .anyMatch(rule::doesTheSameAs);
  }
}
