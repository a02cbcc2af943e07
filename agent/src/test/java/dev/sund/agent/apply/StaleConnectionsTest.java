package dev.sund.agent.apply;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.engine.program.Frontend;
import dev.sund.engine.program.Frontend.Place;
import dev.sund.engine.program.Serving;
import dev.sund.kernel.conntrack.ConntrackEntry;
import dev.sund.kernel.conntrack.Tuple;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.Protocol;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** S15: which connections go with an endpoint. */
class StaleConnectionsTest {
  private static final Frontend.Key SERVICE = at("10.96.0.10", 53);
  private static final Frontend.Key NODE_PORT =
      new Frontend.Key(new Place.AnyLocal(Family.V4), Protocol.UDP, 30053);

  @Test
  void ofAServiceThoseGoWhoseEndpointServesNoMore() {
    StaleConnections stale = stale(serving(SERVICE, "10.1.0.9", 5353));

    assertThat(goes(stale, udp("10.96.0.10", 53, "10.1.0.8", 5353))).isTrue();
    assertThat(goes(stale, udp("10.96.0.10", 53, "10.1.0.9", 5353))).isFalse();
  }

  @Test
  void aChangedTargetPortIsAnotherEndpoint() {
    StaleConnections stale = stale(serving(SERVICE, "10.1.0.9", 5354));

    assertThat(goes(stale, udp("10.96.0.10", 53, "10.1.0.9", 5353))).isTrue();
  }

  @Test
  void whatWasBegunBeforeThereWasAnEndpointGoes() {
    StaleConnections stale = stale(serving(SERVICE, "10.1.0.9", 5353));

    assertThat(goes(stale, udp("10.96.0.10", 53, "10.96.0.10", 53))).isTrue();
  }

  @Test
  void whileNobodyServesAllStay() {
    StaleConnections stale = stale(Serving.of(SERVICE, List.of()));

    assertThat(stale.isEmpty()).isTrue();
    assertThat(goes(stale, udp("10.96.0.10", 53, "10.1.0.8", 5353))).isFalse();
  }

  @Test
  void tcpAndOtherPortsAndAddressesStay() {
    StaleConnections stale = stale(serving(SERVICE, "10.1.0.9", 5353));

    assertThat(goes(stale, entry(6, "10.96.0.10", 53, "10.1.0.8", 5353))).isFalse();
    assertThat(goes(stale, udp("10.96.0.10", 54, "10.1.0.8", 5353))).isFalse();
    assertThat(goes(stale, udp("10.96.0.11", 53, "10.1.0.8", 5353))).isFalse();
    assertThat(goes(stale, udp("10.1.0.8", 5353, "10.1.0.8", 5353))).isFalse();
  }

  @Test
  void aPortOfTheNodeIsAskedAtItsOwnAddressesOnly() {
    StaleConnections stale = stale(serving(NODE_PORT, "10.1.0.9", 5353));

    assertThat(stale.needsAddresses()).isTrue();
    assertThat(goes(stale, udp("192.168.1.1", 30053, "10.1.0.8", 5353))).isTrue();
    assertThat(goes(stale, udp("192.168.1.2", 30053, "192.168.1.2", 30053))).isFalse();
  }

  @Test
  void anAddressOfItsOwnGoesBeforeAllAddressesOfTheNode() {
    StaleConnections stale =
        stale(
            serving(at("192.168.1.1", 30053), "10.1.0.7", 53),
            serving(NODE_PORT, "10.1.0.9", 5353));

    assertThat(goes(stale, udp("192.168.1.1", 30053, "10.1.0.9", 5353))).isTrue();
    assertThat(goes(stale, udp("192.168.1.1", 30053, "10.1.0.7", 53))).isFalse();
  }

  private static boolean goes(StaleConnections stale, ConntrackEntry entry) {
    return stale.contains(entry, Ip.parse("192.168.1.1")::equals);
  }

  private static StaleConnections stale(Serving... serving) {
    return StaleConnections.of(List.of(serving));
  }

  private static Serving serving(Frontend.Key key, String address, int port) {
    return Serving.of(key, List.of(new Serving.At(Ip.parse(address), port)));
  }

  private static Frontend.Key at(String address, int port) {
    return new Frontend.Key(new Place.At(Ip.parse(address)), Protocol.UDP, port);
  }

  private static ConntrackEntry udp(String asked, int port, String answers, int from) {
    return entry(17, asked, port, answers, from);
  }

  private static ConntrackEntry entry(
      int protocol, String asked, int port, String answers, int from) {
    Ip client = Ip.parse("10.1.0.5");
    return new ConntrackEntry(
        Tuple.of(protocol, client, 4711, Ip.parse(asked), port),
        Tuple.of(protocol, Ip.parse(answers), from, client, 4711),
        0,
        0,
        0,
        30,
        Optional.empty(),
        Optional.empty(),
        1);
  }
}
