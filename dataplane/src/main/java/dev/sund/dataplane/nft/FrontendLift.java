package dev.sund.dataplane.nft;

import dev.sund.engine.program.Endpoint;
import dev.sund.engine.program.Frontend;
import dev.sund.engine.program.Frontend.Action;
import dev.sund.engine.program.Frontend.MasqueradeClass;
import dev.sund.engine.program.PacketProgram;
import dev.sund.kernel.nft.Bytes;
import dev.sund.kernel.nft.Data;
import dev.sund.kernel.nft.NftChain;
import dev.sund.kernel.nft.NftContents;
import dev.sund.kernel.nft.NftRule;
import dev.sund.model.Ip;
import dev.sund.model.RuleId;
import java.util.HashSet;
import java.util.List;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What the kernel's table does to destinations, as rows of {@code Frontends} and {@code Endpoints}.
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

  /** The rows in force: what {@link #read} found. */
  public record Rows(
      SortedMap<Frontend.Key, Frontend> frontends, SortedMap<Endpoint.Key, Endpoint> endpoints) {}

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
      return new Rows(new TreeMap<>(), new TreeMap<>());
    }
    return new FrontendLift(contents.get(), wanted).rows();
  }

  private Rows rows() {
    SortedMap<Frontend.Key, Frontend> frontends = new TreeMap<>();
    SortedMap<Endpoint.Key, Endpoint> endpoints = new TreeMap<>();
    boolean met = areRight("prerouting", "output", "dispatch", "refuse");
    for (FrontendGroup group : FrontendGroup.values()) {
      if (met && areRight(group.pick())) {
        entries.forEach((key, entry) -> {
          if (key.set().equals(group.frontends())) {
            frontend(group, key, entry).ifPresent(row -> frontends.put(row.key(), row));
          }
        });
      }
    }
    for (FrontendGroup group : FrontendGroup.values()) {
      entries.forEach((key, entry) -> {
        if (key.set().equals(group.endpoints())) {
          endpoint(group, key, entry, frontends).ifPresent(row -> endpoints.put(row.key(), row));
        }
      });
    }
    return new Rows(frontends, endpoints);
  }

  private Optional<Frontend> frontend(FrontendGroup group, RangeKey at, Entry entry) {
    int mark = entry.data().map(FrontendLift::number).orElse(0);
    Optional<Frontend.Key> key = FrontendKeys.frontend(group, at.low());
    if (key.isEmpty() || !FrontendGroup.ofMark(mark).equals(Optional.of(group))) {
      return Optional.empty();
    }
    Action action = FrontendGroup.action(mark);
    MasqueradeClass masquerade =
        hasRule(FrontendLowering.always())
            ? FrontendGroup.masquerade(mark)
            : MasqueradeClass.KEEP_SOURCE;
    Frontend same = wanted.frontends().get(key.get());
    RuleId rule =
        same != null && MasqueradeLowering.comment(same.rule()).equals(entry.comment())
            ? same.rule()
            : MasqueradeLift.rule(entry.comment());
    return leadsOn(action, mark)
        ? Optional.of(new Frontend(key.get(), action, masquerade, rule))
        : Optional.empty();
  }

  /** Whether the mark of a frontend finds the chain that acts on it. */
  private boolean leadsOn(Action action, int mark) {
    RangeKey key = RangeKey.single(FrontendLowering.DISPATCH, Bytes.host32(mark));
    Entry there = entries.get(key);
    return there != null
        && there.data().equals(FrontendLowering.dispatch(action, key).data())
        && FrontendLowering.chooser(key).map(NftChain::name).stream()
            .allMatch(rightChains::contains);
  }

  private Optional<Endpoint> endpoint(
      FrontendGroup group, RangeKey at, Entry entry, SortedMap<Frontend.Key, Frontend> frontends) {
    Frontend frontend = FrontendKeys.frontend(group, at.low()).map(frontends::get).orElse(null);
    int mark = FrontendKeys.slotMark(group, at.low());
    Bytes value =
        entry.data().orElse(null) instanceof Data.Value(Bytes bytes) ? bytes : Bytes.EMPTY;
    int length = group.family().bytes();
    if (frontend == null
        || value.length() != length + 4
        || FrontendGroup.slot(mark) >= Frontend.MOST_ENDPOINTS
        || !markOf(frontend, FrontendGroup.slot(mark)).contains(mark)) {
      return Optional.empty();
    }
    Endpoint.Key key = new Endpoint.Key(frontend.key(), FrontendGroup.slot(mark));
    Ip address = Ip.of(value.slice(0, length).toArray());
    int port = value.at(length) << 8 | value.at(length + 1);
    if (port == 0) {
      return Optional.empty();
    }
    Endpoint same = wanted.endpoints().get(key);
    RuleId rule =
        same != null && MasqueradeLowering.comment(same.rule()).equals(entry.comment())
            ? same.rule()
            : MasqueradeLift.rule(entry.comment());
    return Optional.of(new Endpoint(key, address, port, lent(address), rule));
  }

  /** The marks that name an endpoint of a frontend: by its class as the element says. */
  private Set<Integer> markOf(Frontend frontend, int slot) {
    FrontendGroup group = FrontendGroup.of(frontend.key().place());
    RangeKey at = RangeKey.single(group.frontends(), FrontendKeys.frontend(frontend.key()));
    Entry entry = entries.get(at);
    return entry == null
        ? Set.of()
        : entry
            .data()
            .map(FrontendLift::number)
            .map(mark -> Set.of(group.slotMark(FrontendGroup.masquerade(mark), slot)))
            .orElse(Set.of());
  }

  /** The source that is lent to packets which this endpoint could not answer. */
  private Optional<Ip> lent(Ip endpoint) {
    if (!hasRule(FrontendLowering.answerable(endpoint.family()))) {
      return Optional.empty();
    }
    Set<Optional<Ip>> lent = new HashSet<>();
    for (Ip source : FrontendLowering.unanswerable(endpoint)) {
      Entry entry = entries.get(FrontendLowering.hairpinKey(source, endpoint));
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
