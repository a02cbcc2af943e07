package dev.sund.agent.seen;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.engine.AddressBook.Holder;
import dev.sund.engine.policy.seen.Recording;
import dev.sund.engine.policy.seen.SeenFlow;
import dev.sund.engine.policy.seen.SeenLoss;
import dev.sund.engine.policy.seen.SeenParty;
import dev.sund.kernel.conntrack.ConntrackEntry;
import dev.sund.kernel.conntrack.TcpState;
import dev.sund.kernel.conntrack.Tuple;
import dev.sund.model.Ip;
import dev.sund.model.Prefix;
import dev.sund.model.Protocol;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.Test;

/** From the kernel's words about connections to what is recorded of them. */
class SeenWorkTest {
  private static final Ip NODE = Ip.parse("192.0.2.1");
  private static final Ip WEB = Ip.parse("10.244.1.5");
  private static final Ip DB = Ip.parse("10.244.2.7");
  private static final Ip SERVICE = Ip.parse("10.96.0.10");
  private static final Ip CLIENT = Ip.parse("203.0.113.9");

  private final RawConnections raw = new RawConnections();
  private final Recording recording = new Recording(100);
  private final Map<Ip, Holder> holders = new HashMap<>();
  private boolean away;
  private final SeenWork work =
      new SeenWork(
          recording,
          (addresses, places) -> {
            if (away) {
              throw new TimeoutException("away");
            }
            Map<Ip, Holder> known = new HashMap<>(holders);
            known.keySet().retainAll(addresses);
            Map<Directory.Place, String> services = new HashMap<>();
            places.stream()
                .filter(place -> place.address().equals(SERVICE))
                .forEach(place -> services.put(place, "shop/db"));
            return new Directory.Known(known, services);
          });

  SeenWorkTest() {
    pod(WEB, "web", true);
    pod(DB, "db", false);
    holders.put(CLIENT, new Holder(new SeenParty.Range(Prefix.host(CLIENT)), false));
  }

  private void pod(Ip ip, String app, boolean here) {
    holders.put(
        ip, new Holder(new SeenParty.Pods("shop", new TreeMap<>(Map.of("app", app))), here));
  }

  private static ConntrackEntry entry(Tuple original, Tuple reply, TcpState state) {
    return new ConntrackEntry(
        original,
        reply,
        0,
        0,
        0,
        0,
        original.protocol() == 6 ? Optional.of(state) : Optional.empty(),
        Optional.empty(),
        1);
  }

  private static ConntrackEntry begun(int protocol, Ip from, int fromPort, Ip to, int port) {
    return entry(
        Tuple.of(protocol, from, fromPort, to, port),
        Tuple.of(protocol, to, port, from, fromPort),
        TcpState.SYN_SENT);
  }

  private void add(boolean news, long second) throws InterruptedException {
    work.add(raw.drain(), news, Set.of(NODE), second);
  }

  private List<SeenFlow> flows() {
    return recording.recorded("n1", List.of()).flows();
  }

  @Test
  void aConnectionByAServiceIsOneToThePodThatAnswersAtItsPort() throws Exception {
    raw.take(
        entry(
            Tuple.of(6, WEB, 40_000, SERVICE, 80),
            Tuple.of(6, DB, 5432, WEB, 40_000),
            TcpState.SYN_SENT),
        true);
    raw.take(
        entry(
            Tuple.of(6, WEB, 40_001, SERVICE, 80),
            Tuple.of(6, DB, 5432, WEB, 40_001),
            TcpState.SYN_SENT),
        true);
    add(true, 100);
    assertThat(flows())
        .singleElement()
        .hasToString(
            new SeenFlow(
                    SeenParty.parse("shop{app=web}"),
                    SeenParty.parse("shop{app=db}"),
                    Protocol.TCP,
                    5432,
                    "shop/db",
                    2,
                    0,
                    100,
                    100)
                .toString());
  }

  @Test
  void whatIsBornOnTheNodeIsToldApartAndWhatOnlyPassesIsNotKept() throws Exception {
    raw.take(begun(6, NODE, 40_000, WEB, 8080), true);
    raw.take(begun(6, CLIENT, 40_000, WEB, 8080), true);
    raw.take(begun(6, CLIENT, 40_000, DB, 8080), true);
    raw.take(begun(6, NODE, 40_000, DB, 8080), true);
    raw.take(begun(6, NODE, 40_000, CLIENT, 443), true);
    raw.take(begun(6, WEB, 40_000, WEB, 8080), true);
    add(true, 100);
    assertThat(flows())
        .extracting(flow -> flow.from() + " " + flow.to())
        .containsExactlyInAnyOrder("node shop{app=web}", "203.0.113.9 shop{app=web}");
  }

  @Test
  void answersAreNoConnections() throws Exception {
    raw.take(begun(17, WEB, 40_000, DB, 53), true);
    add(true, 100);
    // After its time in the table the late answer is a connection for the kernel.
    raw.take(begun(17, DB, 53, WEB, 40_000), true);
    // One of TCP that the kernel takes up in its middle may be an answer too.
    ConntrackEntry middle =
        entry(
            Tuple.of(6, DB, 5432, WEB, 41_000),
            Tuple.of(6, WEB, 41_000, DB, 5432),
            TcpState.ESTABLISHED);
    raw.take(middle, true);
    add(true, 300);
    assertThat(flows()).singleElement().matches(flow -> flow.port() == 53);
    assertThat(recording.lost(SeenLoss.MIDWAY)).isEqualTo(1);
  }

  @Test
  void whatTheTableHasIsAddedOnceOnly() throws Exception {
    for (int i = 0; i < 3; i++) {
      raw.take(
          entry(
              Tuple.of(6, WEB, 40_000, DB, 5432),
              Tuple.of(6, DB, 5432, WEB, 40_000),
              TcpState.ESTABLISHED),
          false);
      add(false, 100 + i);
    }
    assertThat(flows()).singleElement().matches(flow -> flow.times() == 1);
    assertThat(recording.lost(SeenLoss.MIDWAY)).isZero();
  }

  @Test
  void aPodThatTheApiHasNotToldOfYetIsWaitedFor() throws Exception {
    Ip young = Ip.parse("10.244.1.9");
    raw.take(begun(6, young, 40_000, DB, 5432), true);
    add(true, 100);
    assertThat(flows()).isEmpty();
    pod(young, "young", true);
    add(true, 105);
    assertThat(flows()).singleElement().matches(flow -> flow.first() == 100);
    raw.take(begun(6, Ip.parse("10.244.1.10"), 40_000, DB, 5432), true);
    add(true, 200);
    add(true, 201 + SeenWork.PATIENCE.toSeconds());
    assertThat(work.isWaiting()).isFalse();
    assertThat(recording.lost(SeenLoss.UNKNOWN)).isEqualTo(1);
  }

  @Test
  void nothingIsLostWhileTheClusterIsNotKnown() throws Exception {
    away = true;
    raw.take(begun(6, WEB, 40_000, DB, 5432), true);
    add(true, 100);
    add(true, 1000);
    away = false;
    add(true, 2000);
    assertThat(flows()).singleElement().matches(flow -> flow.first() == 100);
  }

  @Test
  void moreThanThereIsRoomForIsCounted() throws Exception {
    for (int i = 0; i < RawConnections.MOST + 5; i++) {
      raw.take(begun(6, Ip.v4(0x0a000000 + i), 40_000, WEB, 80), true);
    }
    assertThat(raw.takeDropped()).isEqualTo(5);
    away = true;
    add(true, 100);
    assertThat(recording.lost(SeenLoss.FULL))
        .isEqualTo(RawConnections.MOST - SeenWork.MOST_WAITING);
  }
}
