package dev.sund.dataplane.nft;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.dataplane.Driver.Step;
import dev.sund.dataplane.FailPoint;
import dev.sund.engine.cluster.EndpointChoice;
import dev.sund.engine.program.Change;
import dev.sund.engine.program.Endpoint;
import dev.sund.engine.program.Frontend;
import dev.sund.engine.program.Frontend.Action;
import dev.sund.engine.program.Frontend.Answer;
import dev.sund.engine.program.Frontend.MasqueradeClass;
import dev.sund.engine.program.Frontend.Place;
import dev.sund.engine.program.Frontend.View;
import dev.sund.engine.program.PacketProgram;
import dev.sund.engine.program.ProgramDelta;
import dev.sund.engine.program.SourceRange;
import dev.sund.kernel.nft.Data;
import dev.sund.kernel.nft.NftChain;
import dev.sund.kernel.nft.NftContents;
import dev.sund.kernel.nft.NftElement;
import dev.sund.kernel.nft.NftOp;
import dev.sund.kernel.nft.NftRule;
import dev.sund.model.Condition;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.Marks;
import dev.sund.model.NodeName;
import dev.sund.model.Prefix;
import dev.sund.model.Protocol;
import dev.sund.model.Reason;
import dev.sund.model.RuleId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

/** {@code lift(lower(p)) = p} for translations of destinations, and one change at a time. */
class FrontendLoweringTest {
  private static final long SEED = Long.getLong("sund.seed", 20260107);

  private final Random random = new Random(SEED);
  private final FakeNft kernel = new FakeNft();
  private final NftDriver driver = new NftDriver(kernel, FailPoint.NONE);
  private final SortedMap<Frontend.Key, Frontend> frontends = new TreeMap<>();
  private final SortedMap<Endpoint.Key, Endpoint> endpoints = new TreeMap<>();
  private final SortedMap<SourceRange.Key, SourceRange> ranges = new TreeMap<>();

  @Test
  void liftedRowsAreTheLoweredOnesThroughAnyChanges() throws Exception {
    driver.resync();
    driver.allowSweep();
    for (int i = 0; i < 120; i++) {
      List<Change<Frontend.Key, Frontend>> ofFrontends = new ArrayList<>();
      List<Change<Endpoint.Key, Endpoint>> ofEndpoints = new ArrayList<>();
      List<Change<SourceRange.Key, SourceRange>> ofRanges = new ArrayList<>();
      change(ofFrontends, ofEndpoints, ofRanges);
      driver.want(delta(ofFrontends, ofEndpoints, ofRanges));
      settle();
      FrontendLift.Rows lifted = FrontendLift.read(kernel.contents(), program());
      assertThat(lifted.frontends()).as("seed %d, step %d", SEED, i).isEqualTo(frontends);
      assertThat(lifted.endpoints()).as("seed %d, step %d", SEED, i).isEqualTo(endpoints);
      assertThat(lifted.sourceRanges()).as("seed %d, step %d", SEED, i).isEqualTo(ranges);
      assertThat(driver.verify()).as("seed %d, step %d", SEED, i).isEmpty();
      assertThat(TableCheck.differences(TableImage.of(program()), kernel.contents())).isEmpty();
    }
  }

  @Test
  void anotherEndpointIsTwoMessages() throws Exception {
    Frontend frontend = frontend(new Place.At(ip("10.96.0.10")), new Action.Balance(2));
    put(frontend, "10.1.0.5", "10.1.0.6");
    kernel.committed.clear();
    Endpoint.Key key = new Endpoint.Key(frontend.key(), 1);
    driver.want(
        delta(
            List.of(),
            List.of(
                new Change.Put<>(
                    key,
                    new Endpoint(key, ip("10.1.0.7"), 80, Optional.empty(), frontend.rule()),
                    Optional.empty()))));
    settle();
    assertThat(kernel.committed).hasSize(1);
    assertThat(kernel.committed.getFirst()).hasSize(2);
  }

  @Test
  void oneRefusedElementAmongManyIsFoundAndHeld() throws Exception {
    Frontend frontend = frontend(new Place.At(ip("10.96.0.10")), new Action.Balance(4));
    put(frontend, "10.1.0.5");
    kernel.refuse =
        op ->
            op instanceof NftOp.AddElements add
                && add.elements().stream()
                    .anyMatch(one ->
                        one.data()
                            .equals(
                                Optional.of(
                                    new Data.Value(FrontendKeys.address(ip("10.1.0.7"), 80)))));
    List<Change<Endpoint.Key, Endpoint>> changes = new ArrayList<>();
    for (int slot = 1; slot < 4; slot++) {
      Endpoint.Key key = new Endpoint.Key(frontend.key(), slot);
      Endpoint row =
          new Endpoint(key, ip("10.1.0." + (5 + slot)), 80, Optional.empty(), frontend.rule());
      endpoints.put(key, row);
      changes.add(new Change.Put<>(key, row, Optional.empty()));
    }
    driver.want(delta(List.of(), changes));

    assertThat(driver.apply(Step.PUT, 100).failed())
        .extracting(failure -> failure.object().toString())
        .containsExactly("nft element inet sund endpoints-v4 10.96.0.10 80/tcp #2");
    assertThat(driver.pending()).isZero();
    assertThat(FrontendLift.read(kernel.contents(), program()).endpoints())
        .hasSize(3)
        .doesNotContainKey(new Endpoint.Key(frontend.key(), 2));
    kernel.refuse = _ -> false;
    driver.retry();
    settle();
    assertThat(FrontendLift.read(kernel.contents(), program()).endpoints()).isEqualTo(endpoints);
  }

  @Test
  void aNumberOfEndpointsHasItsChainAsLongAsSomebodyHasThatMany() throws Exception {
    Frontend first = frontend(new Place.At(ip("10.96.0.10")), new Action.Balance(2));
    Frontend second = frontend(new Place.At(ip("10.96.0.11")), new Action.Balance(2));
    put(first, "10.1.0.5", "10.1.0.6");
    put(second, "10.1.0.5", "10.1.0.6");
    assertThat(contents().chains()).containsKey("lb-v4-2");
    remove(first);
    assertThat(contents().chains()).containsKey("lb-v4-2");
    remove(second);
    assertThat(contents().chains()).doesNotContainKey("lb-v4-2");
    assertThat(driver.verify()).isEmpty();
  }

  @Test
  void anAlteredRuleOnTheWayLeavesNoRowsAndIsNamedAndRepaired() throws Exception {
    Frontend frontend = frontend(new Place.AnyLocal(Family.V4), new Action.Balance(1));
    put(frontend, "10.1.0.5");
    NftContents before = contents();
    NftRule last = before.rules().get("lb-node-v4-1").getLast();
    kernel.meddle(
        new NftOp.AppendRule(
            new NftRule(
                last.family(),
                last.table(),
                "lb-node-v4-1",
                0,
                last.expressions(),
                last.userdata())));
    assertThat(FrontendLift.read(kernel.contents(), program()).frontends()).isEmpty();
    assertThat(driver.verify()).extracting(Condition::reason).containsExactly(Reason.STRAY_OBJECT);
    driver.resync();
    settle();
    assertThat(driver.verify()).isEmpty();
    assertThat(FrontendLift.read(kernel.contents(), program()).frontends()).isEqualTo(frontends);
  }

  @Test
  void whatSomebodyElseAddsOrTakesAwayIsNamed() throws Exception {
    Frontend frontend = frontend(new Place.AnyLocal(Family.V4), new Action.Balance(1));
    put(frontend, "10.1.0.5");
    Frontend other =
        new Frontend(
            new Frontend.Key(new Place.AnyLocal(Family.V4), Protocol.TCP, 9999),
            new Action.Balance(1),
            MasqueradeClass.KEEP_SOURCE,
            frontend.rule());
    Map<RangeKey, Entry> entries = new TreeMap<>();
    FrontendLowering.entries(other, entries::put);
    Map.Entry<RangeKey, Entry> added =
        entries.entrySet().stream()
            .filter(entry -> entry.getKey().set().equals("frontends-node-v4"))
            .findFirst()
            .orElseThrow();
    List<NftElement> elements = TableImage.elements(added.getKey(), added.getValue());
    kernel.meddle(
        new NftOp.AddElements(
            MasqueradeLowering.TABLE.family(), "sund", "frontends-node-v4", elements, true));
    assertThat(driver.verify())
        .extracting(Condition::toString)
        .containsExactly(
            "nft element inet sund frontends-node-v4 local-v4 9999/tcp: Nothing wants it; its"
                + " comment is 'Service:shop/web:uid:none:0'. The agent removes it; keep rules of"
                + " your own in a table of your own. [stray-object]");
    driver.resync();
    settle();
    assertThat(driver.verify()).isEmpty();
    kernel.meddle(new NftOp.DeleteChain(MasqueradeLowering.TABLE.family(), "sund", "guard"));
    assertThat(driver.resync().conditions())
        .extracting(Condition::reason)
        .containsOnly(Reason.DRIFT_MISSING);
    settle();
    assertThat(contents().chains()).containsKey("guard");
  }

  @Test
  void marksOfFirstPacketsLeaveTheBitsOfOthersAlone() {
    for (int i = 0; i < 2000; i++) {
      Frontend row = randomFrontend(randomKey());
      for (FrontendMark mark : List.of(FrontendMark.of(row), FrontendMark.ofOutside(row))) {
        assertThat(mark.bits() & 0xe000).isZero();
        assertThat(FrontendMark.of(mark.bits())).contains(mark);
        int slot = mark.slot(Frontend.MOST_ENDPOINTS - 1);
        assertThat(slot & 0xe000).isZero();
        assertThat(slot & Marks.FRONTEND_MARK_MASK).isEqualTo(Marks.FRONTEND_MARK);
        assertThat(FrontendMark.number(slot)).isEqualTo(Frontend.MOST_ENDPOINTS - 1);
        assertThat(FrontendMark.view(slot)).isEqualTo(mark.view());
        assertThat(FrontendMark.of(slot)).isEmpty();
      }
    }
    assertThat(FrontendMark.of(0x4000)).isEmpty();
  }

  @Test
  void theChainsOfOthersKnowNothingOfWhatTheNodeKeepsToItself() {
    TableImage image = TableImage.of(program());
    assertThat(image.chains().stream().filter(chain -> chain.base().isPresent()))
        .extracting(NftChain::name)
        .containsExactlyInAnyOrder(
            "prerouting", "output", "delivered", "guard", "strays", "postrouting");
    assertThat(image.rulesOf("prerouting").getFirst().comment())
        .isEqualTo("v4: loopback addresses are asked from the node alone");
  }

  private void change(
      List<Change<Frontend.Key, Frontend>> ofFrontends,
      List<Change<Endpoint.Key, Endpoint>> ofEndpoints,
      List<Change<SourceRange.Key, SourceRange>> ofRanges) {
    Frontend was =
        frontends.isEmpty() || random.nextInt(3) > 0
            ? null
            : frontends.values().stream()
                .skip(random.nextInt(frontends.size()))
                .findFirst()
                .orElseThrow();
    Frontend.Key key = was == null ? randomKey() : was.key();
    Frontend before = frontends.remove(key);
    SortedMap<Endpoint.Key, Endpoint> oldRows = take(endpoints, row -> row.key().frontend(), key);
    SortedMap<SourceRange.Key, SourceRange> oldRanges =
        take(ranges, row -> row.key().frontend(), key);
    if (before == null || random.nextBoolean()) {
      Frontend now = randomFrontend(key);
      frontends.put(key, now);
      ofFrontends.add(new Change.Put<>(key, now, Optional.ofNullable(before)));
      for (View view : View.values()) {
        if ((view == View.INSIDE || now.isSplit())
            && now.answer(view).action() instanceof Action.Balance(int count)) {
          for (int slot = 0; slot < count; slot++) {
            Endpoint endpoint = endpoint(new Endpoint.Key(key, view, slot));
            put(endpoint.key(), endpoint, endpoints, oldRows, ofEndpoints);
          }
        }
      }
      for (int i = random.nextInt(3); now.limited() && i >= 0; i--) {
        SourceRange range =
            new SourceRange(new SourceRange.Key(key, randomRange(key.place())), now.rule());
        if (!ranges.containsKey(range.key())) {
          put(range.key(), range, ranges, oldRanges, ofRanges);
        }
      }
    } else {
      ofFrontends.add(new Change.Remove<>(key, before));
    }
    oldRows.forEach((gone, row) -> ofEndpoints.add(new Change.Remove<>(gone, row)));
    oldRanges.forEach((gone, row) -> ofRanges.add(new Change.Remove<>(gone, row)));
  }

  private static <K, V> SortedMap<K, V> take(
      SortedMap<K, V> rows, Function<V, Frontend.Key> owner, Frontend.Key key) {
    SortedMap<K, V> taken = new TreeMap<>();
    rows.forEach((at, row) -> {
      if (owner.apply(row).equals(key)) {
        taken.put(at, row);
      }
    });
    rows.keySet().removeAll(taken.keySet());
    return taken;
  }

  private static <K, V> void put(
      K key, V row, SortedMap<K, V> rows, SortedMap<K, V> old, List<Change<K, V>> changes) {
    rows.put(key, row);
    changes.add(new Change.Put<>(key, row, Optional.ofNullable(old.remove(key))));
  }

  private Frontend randomFrontend(Frontend.Key key) {
    Answer inside = randomAnswer();
    return new Frontend(
        key,
        inside,
        random.nextInt(3) == 0 ? randomAnswer() : inside,
        random.nextInt(4) == 0,
        random.nextBoolean(),
        random.nextInt(4) == 0
            ? Optional.of(Duration.ofSeconds(10800L * (1 + random.nextInt(2))))
            : Optional.empty(),
        random.nextInt(4) == 0 ? EndpointChoice.BY_CLIENT : EndpointChoice.RANDOM,
        RuleId.of("Service", "shop/s" + random.nextInt(3), "uid"));
  }

  private Answer randomAnswer() {
    Action action =
        switch (random.nextInt(6)) {
          case 0 -> new Action.Reject();
          case 1 -> new Action.Drop();
          default -> new Action.Balance(1 + random.nextInt(4));
        };
    MasqueradeClass[] classes = MasqueradeClass.values();
    return new Answer(action, classes[random.nextInt(classes.length)]);
  }

  private Prefix randomRange(Place place) {
    boolean v4 = place.family() == Family.V4;
    int[] lengths = v4 ? new int[] {0, 8, 23, 24, 32} : new int[] {0, 32, 63, 128};
    return Prefix.around(
        ip((v4 ? "203.0.113." : "2001:db8::") + random.nextInt(100)),
        lengths[random.nextInt(lengths.length)]);
  }

  private Frontend.Key randomKey() {
    Family family = random.nextBoolean() ? Family.V4 : Family.V6;
    Place place =
        random.nextBoolean()
            ? new Place.AnyLocal(family)
            : new Place.At(
                ip(
                    family == Family.V4
                        ? "10.96.0." + random.nextInt(4)
                        : "fd00:96::" + random.nextInt(4)));
    Protocol protocol = List.of(Protocol.TCP, Protocol.UDP, Protocol.SCTP).get(random.nextInt(3));
    return new Frontend.Key(place, protocol, 80 + random.nextInt(3));
  }

  /** What an address lends follows from the address: rows share the element that says so. */
  private Endpoint endpoint(Endpoint.Key key) {
    boolean v4 = key.frontend().place().family() == Family.V4;
    int number = 1 + random.nextInt(8);
    Optional<Ip> lent =
        number % 2 == 0 ? Optional.empty() : Optional.of(ip(v4 ? "192.168.1.11" : "2001:db8::11"));
    return new Endpoint(
        key,
        ip((v4 ? "10.1.0." : "fd00:1::") + number),
        8000 + random.nextInt(3),
        lent,
        RuleId.of("Pod", "shop/p" + number, "uid-" + number));
  }

  private void put(Frontend frontend, String... addresses) throws Exception {
    driver.resync();
    driver.allowSweep();
    frontends.put(frontend.key(), frontend);
    List<Change<Endpoint.Key, Endpoint>> changes = new ArrayList<>();
    for (int slot = 0; slot < addresses.length; slot++) {
      Endpoint.Key key = new Endpoint.Key(frontend.key(), slot);
      Endpoint row = new Endpoint(key, ip(addresses[slot]), 80, Optional.empty(), frontend.rule());
      endpoints.put(key, row);
      changes.add(new Change.Put<>(key, row, Optional.empty()));
    }
    driver.want(
        delta(List.of(new Change.Put<>(frontend.key(), frontend, Optional.empty())), changes));
    settle();
  }

  private void remove(Frontend frontend) {
    frontends.remove(frontend.key());
    List<Change<Endpoint.Key, Endpoint>> changes = new ArrayList<>();
    for (Endpoint row : List.copyOf(endpoints.values())) {
      if (row.key().frontend().equals(frontend.key())) {
        endpoints.remove(row.key());
        changes.add(new Change.Remove<>(row.key(), row));
      }
    }
    driver.want(delta(List.of(new Change.Remove<>(frontend.key(), frontend)), changes));
    settle();
  }

  private void settle() {
    for (int i = 0; i < 100 && driver.pending() > 0; i++) {
      int most = 1 + random.nextInt(5);
      assertThat(driver.apply(Step.PUT, most).failed()).isEmpty();
      assertThat(driver.apply(Step.REMOVE, most).failed()).isEmpty();
    }
    assertThat(driver.pending()).isZero();
  }

  private NftContents contents() throws Exception {
    return kernel.contents().orElseThrow();
  }

  private PacketProgram program() {
    PacketProgram empty = PacketProgram.empty(new NodeName("n1"));
    return new PacketProgram(
        empty.node(),
        List.of(),
        empty.facts(),
        empty.localPods(),
        empty.routes(),
        empty.tunnels(),
        empty.tunnelPeers(),
        empty.masquerade(),
        frontends,
        endpoints,
        ranges);
  }

  private static ProgramDelta delta(
      List<Change<Frontend.Key, Frontend>> frontends,
      List<Change<Endpoint.Key, Endpoint>> endpoints) {
    return delta(frontends, endpoints, List.of());
  }

  private static ProgramDelta delta(
      List<Change<Frontend.Key, Frontend>> frontends,
      List<Change<Endpoint.Key, Endpoint>> endpoints,
      List<Change<SourceRange.Key, SourceRange>> ranges) {
    return new ProgramDelta(
        List.of(), List.of(), List.of(), List.of(), List.of(), frontends, endpoints, ranges);
  }

  private static Frontend frontend(Place place, Action action) {
    return new Frontend(
        new Frontend.Key(place, Protocol.TCP, 80),
        action,
        MasqueradeClass.KEEP_SOURCE,
        RuleId.of("Service", "shop/web", "uid"));
  }

  private static Ip ip(String text) {
    return Ip.parse(text);
  }
}
