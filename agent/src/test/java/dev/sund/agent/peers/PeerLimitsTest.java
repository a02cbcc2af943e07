package dev.sund.agent.peers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sund.model.Condition;
import dev.sund.model.Ip;
import dev.sund.model.NodeName;
import dev.sund.model.Reason;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** From when on a way is said to be bad. */
class PeerLimitsTest {
  private static Optional<Condition> judge(PeerFigures figures) {
    return PeerLimits.DEFAULT.judge(new NodeName("n2"), Ip.parse("192.168.1.12"), figures);
  }

  @Test
  void aGoodWayAndOneOfWhichLittleIsKnownAreNotSaid() {
    assertThat(judge(new PeerFigures(60, 0, 0, 0.2, 0.4, 0.1))).isEmpty();
    assertThat(judge(new PeerFigures(57, 3, 0, 0.2, 0.4, 0.1))).as("5 % exactly").isEmpty();
    assertThat(judge(new PeerFigures(0, 19, 0, 0, 0, 0))).isEmpty();
    assertThat(judge(new PeerFigures(0, 0, 60, 0, 0, 0))).as("refused").isEmpty();
  }

  @Test
  void lossNamesThePeerTheNumbersAndWhereToLook() {
    Condition lossy = judge(new PeerFigures(54, 6, 0, 0.2, 0.4, 0.1)).orElseThrow();
    assertThat(lossy)
        .hasToString(
            "Node n2 over IPv4: 10.0 % of the last 60 datagrams to 192.168.1.12 had no answer"
                + " (limit 5 %). Look at sund doctor on both nodes: interface-drops, softnet-drops,"
                + " cpu-steal; then at what lies between them. [peer-loss]");
    Condition never = judge(new PeerFigures(0, 60, 0, 0, 0, 0)).orElseThrow();
    assertThat(never.reason()).isEqualTo(Reason.PEER_LOSS);
    assertThat(never.remedy()).contains("ping", "firewalls", "--peer-port");
  }

  @Test
  void aSlowOrUnevenWayIsSaid() {
    assertThat(judge(new PeerFigures(60, 0, 0, 21, 30, 1)).orElseThrow().text())
        .isEqualTo(
            "the round trip to 192.168.1.12 takes 21.0 ms (limit 20), with 1.0 ms of jitter"
                + " (limit 20).");
    assertThat(judge(new PeerFigures(60, 0, 0, 1, 90, 21)).orElseThrow().reason())
        .isEqualTo(Reason.PEER_SLOW);
    PeerLimits oneSite = new PeerLimits(1, 2, 1.5);
    assertThat(
            oneSite
                .judge(
                    new NodeName("n2"), Ip.parse("fd00::2"), new PeerFigures(60, 0, 0, 2.1, 3, 0.1))
                .orElseThrow()
                .toString())
        .contains("Node n2 over IPv6", "2.1 ms (limit 2)", "(limit 1.5)");
  }

  @Test
  void limitsThatMeanNothingAreRefused() {
    assertThatThrownBy(() -> new PeerLimits(101, 20, 20)).hasMessageContaining("101.0 percent");
    assertThatThrownBy(() -> new PeerLimits(Double.NaN, 20, 20)).hasMessageContaining("percent");
    assertThatThrownBy(() -> new PeerLimits(5, 0, 20)).hasMessageContaining("above 0");
    assertThatThrownBy(
            () -> new PeerOptions(70_000, 8, PeerOptions.DEFAULT_INTERVAL, PeerLimits.DEFAULT))
        .hasMessageContaining("peer port");
  }
}
