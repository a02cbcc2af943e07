package dev.sund.engine.policy.seen;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.engine.policy.WorkloadLabels;
import dev.sund.model.Protocol;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** What a recorder adds up, and how much of it. */
class RecordingTest {
  private static final SeenParty WEB = pods("shop", Map.of("app", "web", "tier", "front"));
  private static final SeenParty DB = pods("shop", Map.of("app", "db"));

  private static SeenParty pods(String namespace, Map<String, String> labels) {
    return new SeenParty.Pods(namespace, new TreeMap<>(labels));
  }

  private static SeenParty at(String range) {
    return SeenParty.parse(range);
  }

  private static SeenFlow flow(SeenParty from, SeenParty to, int port, long second) {
    return new SeenFlow(from, to, Protocol.TCP, port, "", 1, 0, second, second);
  }

  private static List<SeenFlow> flows(Recording recording) {
    return recording.recorded("n1", List.of()).flows();
  }

  @Test
  void partiesAreReadBackFromTheirText() {
    for (SeenParty party :
        List.of(
            WEB,
            pods("shop", Map.of()),
            pods("shop", Map.of("app.kubernetes.io/name", "web", "empty", "")),
            at("203.0.113.9"),
            at("2001:db8::/48"),
            new SeenParty.OwnNode(),
            new SeenParty.Named("Deployment shop/web"),
            new SeenParty.Named("shop/web-0"))) {
      assertThat(SeenParty.parse(party.toString())).isEqualTo(party);
    }
    assertThat(WEB).hasToString("shop{app=web,tier=front}");
  }

  @Test
  void podsOfOneWorkloadAreOnePartyWhateverTellsThemApart() {
    assertThat(
            WorkloadLabels.of(
                Map.of(
                    "app",
                    "db",
                    "statefulset.kubernetes.io/pod-name",
                    "db-0",
                    "helm.sh/chart",
                    "db-1")))
        .isEqualTo(
            WorkloadLabels.of(
                Map.of("app", "db", "apps.kubernetes.io/pod-index", "1", "helm.sh/chart", "db-2")));
  }

  @Test
  void connectionsOfOneKindAreOneFlowWithItsFirstAndLastTime() {
    Recording recording = new Recording(10);
    assertThat(recording.add(flow(WEB, DB, 5432, 100))).isTrue();
    assertThat(recording.add(flow(WEB, DB, 5432, 160))).isFalse();
    assertThat(recording.add(new SeenFlow(WEB, DB, Protocol.TCP, 5432, "", 0, 2, 90, 90)))
        .isFalse();
    assertThat(flows(recording))
        .containsExactly(new SeenFlow(WEB, DB, Protocol.TCP, 5432, "", 2, 2, 90, 160));
    assertThat(flows(recording).getFirst().times()).as("seen at both ends").isEqualTo(2);
  }

  @Test
  void whatHasNoRoomIsCounted() {
    Recording recording = new Recording(2);
    for (int port = 1; port <= 5; port++) {
      recording.add(flow(WEB, DB, port, 1));
    }
    assertThat(recording.size()).isEqualTo(2);
    assertThat(recording.lost(SeenLoss.FULL)).isEqualTo(3);
    assertThat(recording.add(flow(WEB, DB, 2, 2))).as("of a kind that is there").isFalse();
    assertThat(recording.lost(SeenLoss.FULL)).isEqualTo(3);
  }

  @Test
  void manyAddressesBecomeARangeAndLaterOnesJoinIt() {
    Recording recording = new Recording(1000);
    for (int i = 1; i <= Recording.MOST_ADDRESSES; i++) {
      recording.add(flow(at("203.0.113." + i), WEB, 443, i));
    }
    assertThat(recording.size()).isEqualTo(Recording.MOST_ADDRESSES);
    recording.add(flow(at("203.0.113.200"), WEB, 443, 99));
    assertThat(flows(recording))
        .containsExactly(
            new SeenFlow(
                at("203.0.113.0/24"),
                WEB,
                Protocol.TCP,
                443,
                "",
                Recording.MOST_ADDRESSES + 1,
                0,
                1,
                99));
    recording.add(flow(at("203.0.113.77"), WEB, 443, 100));
    recording.add(flow(WEB, at("203.0.113.77"), 443, 100));
    assertThat(recording.size()).as("the other direction is another fan").isEqualTo(2);
    for (int i = 0; i < 40; i++) {
      recording.add(flow(at("198.51." + i + ".1"), WEB, 443, 1));
    }
    assertThat(flows(recording))
        .extracting(one -> one.from().toString())
        .containsExactlyInAnyOrder("203.0.0.0/16", "198.51.0.0/16", WEB.toString());
    for (int i = 0; i < 40; i++) {
      recording.add(flow(at("100." + i + ".0.1"), WEB, 443, 1));
      recording.add(flow(at("2001:db8:" + i + "::1"), WEB, 443, 1));
    }
    assertThat(flows(recording))
        .extracting(one -> one.from().toString())
        .containsExactlyInAnyOrder("0.0.0.0/0", "::/0", WEB.toString());
  }

  @Test
  void whatWasRecordedBeforeGoesOn() {
    Recording before = new Recording(1000);
    before.add(flow(WEB, DB, 5432, 100));
    before.lose(SeenLoss.OVERRUN, 2);
    for (int i = 1; i <= 20; i++) {
      before.add(flow(at("203.0.113." + i), WEB, 443, i));
    }
    Recording after = new Recording(1000);
    after.resume(before.recorded("n1", List.of()));
    after.add(flow(at("203.0.113.250"), WEB, 443, 300));
    after.add(flow(WEB, DB, 5432, 300));
    assertThat(flows(after)).hasSize(2).allMatch(one -> one.last() == 300);
    assertThat(after.lost(SeenLoss.OVERRUN)).isEqualTo(2);
    assertThat(after.recorded("n1", List.of()).widened()).isEqualTo(1);
  }
}
