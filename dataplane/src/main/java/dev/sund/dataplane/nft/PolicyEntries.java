package dev.sund.dataplane.nft;

import dev.sund.engine.program.BridgePort;
import dev.sund.engine.program.Change;
import dev.sund.engine.program.LocalPod;
import dev.sund.engine.program.PacketProgram;
import dev.sund.engine.program.PodPolicy;
import dev.sund.engine.program.PolicyDelta;
import dev.sund.engine.program.PolicyPeer;
import dev.sund.engine.program.PolicyPort;
import dev.sund.engine.program.PolicyTables;
import dev.sund.engine.program.PolicyVerdict;
import dev.sund.kernel.nft.Bytes;
import dev.sund.kernel.nft.NftRule;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.Prefix;
import dev.sund.model.Protocol;
import dev.sund.model.RuleId;
import dev.sund.model.RuleId.Direction;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What the rows of the policy tables, and the node's pods, become in {@code inet sund-policy}:
 * elements, and the chains and sets that there are as long as a row needs them. Told as changes.
 *
 * <p>Not for several threads.
 */
final class PolicyEntries {
  private final Sink sink;

  private final Map<Ip, Integer> judged = new HashMap<>();
  private final Map<String, Integer> bridges = new HashMap<>();
  private final Set<Ip> routed = new LinkedHashSet<>();
  private final Map<Ip, RuleId> itself = new HashMap<>();
  private final Set<Ip> touchedAddresses = new LinkedHashSet<>();

  private final Map<Gate, Integer> gates = new HashMap<>();
  private final Set<Gate> touchedGates = new LinkedHashSet<>();
  private final Map<Long, Profile> profiles = new HashMap<>();
  private final Set<Long> touchedProfiles = new LinkedHashSet<>();
  private final Map<Long, Asked> lists = new HashMap<>();
  private final Set<Long> touchedLists = new LinkedHashSet<>();

  private final Map<Family, Blocks> blocks = new EnumMap<>(Family.class);

  /** Where changes go. */
  interface Sink {
    /** This element is to be there so. */
    void want(RangeKey key, Entry entry);

    /** This element is to be gone. */
    void unwant(RangeKey key);

    /** This chain is to be there, with these rules. */
    void wantChain(String name, List<NftRule> rules);

    /** This chain is to be gone. */
    void unwantChain(String name);

    /** This set is to be there. */
    void wantSet(String name);

    /** This set is to be gone, when its elements are. */
    void unwantSet(String name);
  }

  private record Gate(Direction direction, long profile) {}

  /** How many ranges of ports a profile has, by protocol; and what is asked of all else. */
  private static final class Profile {
    final Map<Protocol, Integer> ranges = new EnumMap<>(Protocol.class);
    @Nullable PolicyPort others;
  }

  /** What is said to classes by one list of rules. */
  private static final class Asked {
    final Map<Integer, PolicyVerdict> rows = new HashMap<>();
    final Map<Integer, Said> written = new HashMap<>();
    @Nullable Said others;
  }

  /** The ranges of a family that are no single addresses, and what they are now. */
  private static final class Blocks {
    final NavigableMap<Prefix, PolicyPeer> rows = new TreeMap<>();
    NavigableMap<RangeKey, Entry> written = new TreeMap<>();
    boolean touched;
  }

  PolicyEntries(Sink sink) {
    this.sink = sink;
    for (Family family : Family.values()) {
      blocks.put(family, new Blocks());
    }
  }

  /** Tells a whole program. */
  static void all(PacketProgram program, Sink sink) {
    PolicyTables policy = program.policy();
    new PolicyEntries(sink)
        .want(
            puts(program.localPods()),
            puts(program.bridgePorts()),
            new PolicyDelta(
                puts(policy.pods()),
                puts(policy.ports()),
                puts(policy.peers()),
                puts(policy.verdicts())));
  }

  private static <K, V> List<Change<K, V>> puts(Map<K, V> rows) {
    List<Change<K, V>> changes = new ArrayList<>();
    rows.forEach((key, row) -> changes.add(new Change.Put<>(key, row, Optional.empty())));
    return changes;
  }

  /** Takes over changes. */
  void want(
      List<Change<String, LocalPod>> pods,
      List<Change<String, BridgePort>> ports,
      PolicyDelta delta) {
    pods.forEach(this::pod);
    ports.forEach(this::bridged);
    delta.pods().forEach(this::policy);
    delta.ports().forEach(this::port);
    delta.peers().forEach(this::peer);
    delta.verdicts().forEach(this::verdict);
    settle();
  }

  private void pod(Change<String, LocalPod> change) {
    change.before().ifPresent(pod -> forget(pod, change.after()));
    change
        .after()
        .ifPresent(pod -> {
          Bytes device = PolicyLowering.device(pod.device());
          sink.want(
              RangeKey.single(PolicyLowering.ITSELF_DEVICE, device.plus(device)),
              Entry.of(pod.rule()));
          for (Ip ip : pod.addresses()) {
            sink.want(sender(pod, ip), Entry.of(pod.rule()));
            routed.add(ip);
            touchedAddresses.add(ip);
          }
        });
  }

  private void forget(LocalPod pod, Optional<LocalPod> now) {
    if (now.isEmpty()) {
      Bytes device = PolicyLowering.device(pod.device());
      sink.unwant(RangeKey.single(PolicyLowering.ITSELF_DEVICE, device.plus(device)));
    }
    for (Ip ip : pod.addresses()) {
      if (now.isEmpty() || !now.get().addresses().contains(ip)) {
        sink.unwant(sender(pod, ip));
        routed.remove(ip);
        touchedAddresses.add(ip);
      }
    }
  }

  /** A bridge counts for as long as it has a port. */
  private void bridged(Change<String, BridgePort> change) {
    change.before().map(BridgePort::bridge).ifPresent(was -> bridges.merge(was, -1, Integer::sum));
    change.after().map(BridgePort::bridge).ifPresent(now -> bridges.merge(now, 1, Integer::sum));
    List.of(change.before(), change.after()).stream()
        .flatMap(Optional::stream)
        .map(BridgePort::bridge)
        .forEach(bridge -> {
          Bytes device = PolicyLowering.device(bridge);
          RangeKey key = RangeKey.single(PolicyLowering.BRIDGES, device.plus(device));
          if (bridges.getOrDefault(bridge, 0) == 0) {
            bridges.remove(bridge);
            sink.unwant(key);
          } else {
            sink.want(key, Entry.of(RuleId.builtin("bridge")));
          }
        });
  }

  /** Where a pod's address stands by its device. */
  static RangeKey sender(LocalPod pod, Ip ip) {
    return RangeKey.single(
        PolicyLowering.senders(ip.family()),
        PolicyLowering.device(pod.device()).plus(Bytes.of(ip)));
  }

  private void policy(Change<PodPolicy.Key, PodPolicy> change) {
    PodPolicy.Key key = change.key();
    change.before().ifPresent(was -> count(gates, touchedGates, gate(was), -1));
    RangeKey place =
        RangeKey.single(
            PolicyLowering.pods(key.direction(), key.pod().family()), Bytes.of(key.pod()));
    Optional<PodPolicy> now = change.after();
    if (now.isPresent()) {
      count(gates, touchedGates, gate(now.get()), 1);
      String chain = PolicyLowering.gate(key.direction(), now.get().profile());
      String comment =
          now.get().isolating().isEmpty()
              ? ""
              : MasqueradeLowering.comment(now.get().isolating().getFirst());
      sink.want(place, Entry.of(comment, PolicyLowering.jump(chain)));
    } else {
      sink.unwant(place);
    }
    if (change.before().isPresent() != now.isPresent()) {
      count(judged, touchedAddresses, key.pod(), now.isPresent() ? 1 : -1);
    }
  }

  private static Gate gate(PodPolicy row) {
    return new Gate(row.key().direction(), row.profile());
  }

  private static <K> void count(Map<K, Integer> counts, Set<K> touched, K key, int more) {
    counts.merge(key, more, (was, plus) -> was + plus == 0 ? null : was + plus);
    touched.add(key);
  }

  private void port(Change<PolicyPort.Key, PolicyPort> change) {
    PolicyPort.Key key = change.key();
    touchedProfiles.add(key.profile());
    Profile profile = profiles.computeIfAbsent(key.profile(), _ -> new Profile());
    if (key.protocol().isEmpty()) {
      profile.others = change.after().orElse(null);
      return;
    }
    Protocol protocol = key.protocol().get();
    String map = PolicyLowering.ports(key.profile(), protocol);
    change
        .before()
        .ifPresent(was -> {
          profile.ranges.merge(protocol, -1, (a, b) -> a + b == 0 ? null : a + b);
          sink.unwant(range(map, was));
        });
    change
        .after()
        .ifPresent(now -> {
          profile.ranges.merge(protocol, 1, Integer::sum);
          sink.want(
              range(map, now), Entry.of("", PolicyLowering.go(PolicyLowering.asked(now.peers()))));
        });
  }

  private static RangeKey range(String map, PolicyPort row) {
    return new RangeKey(map, Bytes.u16(row.key().first()), Bytes.u16(row.last()));
  }

  private void peer(Change<Prefix, PolicyPeer> change) {
    Prefix range = change.key();
    Family family = range.family();
    if (range.length() < family.bits()) {
      Blocks here = blocks(family);
      here.touched = true;
      if (change.after().isPresent()) {
        here.rows.put(range, change.after().get());
      } else {
        here.rows.remove(range);
      }
      return;
    }
    RangeKey key = RangeKey.single(PolicyLowering.peers(family), Bytes.of(range.address()));
    Optional<PolicyPeer> now = change.after();
    if (now.isPresent()) {
      sink.want(key, entry(now.get()));
    } else {
      sink.unwant(key);
    }
  }

  private Blocks blocks(Family family) {
    return java.util.Objects.requireNonNull(blocks.get(family));
  }

  private static Entry entry(PolicyPeer row) {
    return Entry.of(row.rule(), Bytes.host32(row.peerClass()));
  }

  private void verdict(Change<PolicyVerdict.Key, PolicyVerdict> change) {
    PolicyVerdict.Key key = change.key();
    touchedLists.add(key.peers());
    Asked list = lists.computeIfAbsent(key.peers(), _ -> new Asked());
    Optional<PolicyVerdict> now = change.after();
    if (key.peerClass() == PolicyPeer.OTHERS) {
      Said said = now.map(Said::of).orElse(null);
      if (said != list.others) {
        list.others = said;
        list.rows.keySet().forEach(peers -> write(key.peers(), list, peers));
      }
      return;
    }
    if (now.isPresent()) {
      list.rows.put(key.peerClass(), now.get());
    } else {
      list.rows.remove(key.peerClass());
    }
    write(key.peers(), list, key.peerClass());
  }

  /** A class is in a set when something else is said to it than to others. */
  private void write(long number, Asked list, int peers) {
    PolicyVerdict row = list.rows.get(peers);
    Said said = row == null || list.others == null ? null : Said.of(row);
    Said now = said == list.others ? null : said;
    Said was = now == null ? list.written.remove(peers) : list.written.put(peers, now);
    if (was != null && was != now) {
      sink.unwant(PolicyLowering.told(was, number, peers));
    }
    if (now != null && row != null) {
      sink.want(PolicyLowering.told(now, number, peers), Entry.of(row.rule()));
    }
  }

  private void settle() {
    touchedAddresses.forEach(this::settleAddress);
    touchedAddresses.clear();
    touchedLists.forEach(this::settleList);
    touchedLists.clear();
    touchedProfiles.forEach(this::settleProfile);
    touchedProfiles.clear();
    touchedGates.forEach(this::settleGate);
    touchedGates.clear();
    for (Family family : Family.values()) {
      Blocks here = blocks(family);
      if (here.touched) {
        here.touched = false;
        settleBlocks(here, family);
      }
    }
  }

  private void settleAddress(Ip ip) {
    RangeKey key =
        RangeKey.single(PolicyLowering.itself(ip.family()), Bytes.of(ip).plus(Bytes.of(ip)));
    boolean is = itself.containsKey(ip);
    boolean willBe = judged.containsKey(ip) && !routed.contains(ip);
    if (willBe && !is) {
      RuleId rule = RuleId.builtin("itself");
      itself.put(ip, rule);
      sink.want(key, Entry.of(rule));
    } else if (is && !willBe) {
      itself.remove(ip);
      sink.unwant(key);
    }
  }

  private void settleList(long number) {
    Asked list = java.util.Objects.requireNonNull(lists.get(number));
    if (list.others == null) {
      sink.unwantChain(PolicyLowering.asked(number));
      if (list.rows.isEmpty()) {
        lists.remove(number);
      }
      return;
    }
    Set<Said> sets = EnumSet.noneOf(Said.class);
    sets.addAll(list.written.values());
    if (list.others != Said.ALLOWED && list.others != Said.UNKNOWN) {
      sets.add(Said.ALLOWED); // so that the first class that may pass is one element
    }
    sink.wantChain(
        PolicyLowering.asked(number), PolicyLowering.askedRules(number, list.others, sets));
  }

  private void settleProfile(long number) {
    Profile profile = java.util.Objects.requireNonNull(profiles.get(number));
    for (Protocol protocol : Protocol.values()) {
      String map = PolicyLowering.ports(number, protocol);
      if (profile.ranges.containsKey(protocol)) {
        sink.wantSet(map);
      } else {
        sink.unwantSet(map);
      }
    }
    for (Direction direction : List.of(Direction.EGRESS, Direction.INGRESS)) {
      touchedGates.add(new Gate(direction, number));
    }
    if (profile.others == null && profile.ranges.isEmpty()) {
      profiles.remove(number);
    }
  }

  private void settleGate(Gate gate) {
    String name = PolicyLowering.gate(gate.direction(), gate.profile());
    Profile profile = profiles.get(gate.profile());
    PolicyPort others = profile == null ? null : profile.others;
    if (profile == null || others == null || !gates.containsKey(gate)) {
      sink.unwantChain(name);
    } else {
      sink.wantChain(
          name,
          PolicyLowering.gateRules(
              gate.direction(), gate.profile(), profile.ranges.keySet(), others.peers()));
    }
  }

  private void settleBlocks(Blocks here, Family family) {
    NavigableMap<RangeKey, Entry> now = pieces(PolicyLowering.blocks(family), here.rows);
    for (RangeKey key : here.written.keySet()) {
      if (!now.containsKey(key)) {
        sink.unwant(key);
      }
    }
    now.forEach((key, entry) -> {
      if (!entry.equals(here.written.get(key))) {
        sink.want(key, entry);
      }
    });
    here.written = now;
  }

  /**
   * Ranges of which the longest counts, as ranges of which no two share an address: what stands
   * inside of another is cut out of it.
   */
  static NavigableMap<RangeKey, Entry> pieces(String set, NavigableMap<Prefix, PolicyPeer> rows) {
    NavigableMap<RangeKey, Entry> pieces = new TreeMap<>();
    owners(set, rows).forEach((key, row) -> pieces.put(key, entry(row)));
    return pieces;
  }

  /** The pieces, each with the row whose class counts in it. */
  static NavigableMap<RangeKey, PolicyPeer> owners(
      String set, NavigableMap<Prefix, PolicyPeer> rows) {
    NavigableMap<RangeKey, PolicyPeer> pieces = new TreeMap<>();
    List<PolicyPeer> around = new ArrayList<>();
    Bytes at = Bytes.EMPTY;
    boolean over = false;
    for (PolicyPeer row : rows.values()) {
      Bytes low = Bytes.of(row.range().address());
      while (!around.isEmpty() && last(around.getLast()).compareTo(low) < 0) {
        at = close(pieces, set, around.removeLast(), at);
      }
      if (!around.isEmpty() && at.compareTo(low) < 0) {
        pieces.put(new RangeKey(set, at, low.previous()), around.getLast());
      }
      around.add(row);
      at = low;
    }
    while (!around.isEmpty() && !over) {
      at = close(pieces, set, around.removeLast(), at);
      over = at.isZero(); // the last address of all was in it, and so is it of those around
    }
    return pieces;
  }

  private static Bytes last(PolicyPeer row) {
    return Bytes.of(row.range().last());
  }

  /** What is left of a range from here on; where the next may begin. */
  private static Bytes close(
      NavigableMap<RangeKey, PolicyPeer> pieces, String set, PolicyPeer row, Bytes at) {
    Bytes last = last(row);
    if (at.compareTo(last) <= 0) {
      pieces.put(new RangeKey(set, at, last), row);
      return last.next();
    }
    return at;
  }
}
