package dev.sund.engine.program;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sund.model.Ip;
import dev.sund.model.Prefix;
import dev.sund.model.Protocol;
import dev.sund.model.RuleId;
import dev.sund.model.RuleId.Direction;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class PolicyTablesTest {
  private static final Ip DATABASE = Ip.parse("10.1.0.5");
  private static final Ip BACKEND = Ip.parse("10.1.1.7");
  private static final Ip OFFICE = Ip.parse("192.0.2.9");
  private static final RuleId ALLOW = RuleId.of("NetworkPolicy", "shop/database", "u1");
  private static final RuleId DENY = RuleId.of("NetworkPolicy", "shop/default-deny", "u2");

  @Test
  void aPodWithoutARowIsOpen() {
    PolicyTables.Judgement judged = judge(BACKEND, Direction.INGRESS, DATABASE, 80);
    assertThat(judged.allowed()).isTrue();
    assertThat(judged.verdict()).isEmpty();
    assertThat(judge(DATABASE, Direction.EGRESS, BACKEND, 80).allowed()).isTrue();
  }

  @Test
  void theRuleThatDecidesIsNamed() {
    assertThat(judge(DATABASE, Direction.INGRESS, BACKEND, 5432).verdict().orElseThrow().rule())
        .isEqualTo(ALLOW);
    PolicyTables.Judgement blocked = judge(DATABASE, Direction.INGRESS, OFFICE, 5432);
    assertThat(blocked.allowed()).isFalse();
    assertThat(blocked.isolating()).containsExactly(ALLOW, DENY);
  }

  @Test
  void whatNoRangeContainsIsJudgedByTheOthersRow() {
    assertThat(judge(DATABASE, Direction.INGRESS, BACKEND, 5431).allowed()).isFalse();
    assertThat(judge(DATABASE, Direction.INGRESS, BACKEND, 5433).allowed()).isTrue();
    assertThat(judge(DATABASE, Direction.INGRESS, BACKEND, 5434).allowed()).isFalse();
    assertThat(tables().judge(DATABASE, Direction.INGRESS, BACKEND, Protocol.UDP, 5432).allowed())
        .isFalse();
    assertThat(tables().judge(DATABASE, Direction.INGRESS, BACKEND, Protocol.ICMP, 0).allowed())
        .isFalse();
  }

  @Test
  void theLongestRangeSaysTheClass() {
    assertThat(tables().classOf(BACKEND)).isEqualTo(7);
    assertThat(tables().classOf(Ip.parse("10.1.1.8"))).isEqualTo(8);
    assertThat(tables().classOf(OFFICE)).isEqualTo(PolicyPeer.OTHERS);
  }

  @Test
  void aMissingRowIsNamed() {
    PolicyTables whole = tables();
    PolicyTables torn =
        new PolicyTables(whole.pods(), whole.ports(), whole.peers(), new TreeMap<>());
    assertThatThrownBy(() -> torn.judge(DATABASE, Direction.INGRESS, OFFICE, Protocol.TCP, 5432))
        .hasMessage("there is no verdict 0000000000000002 class 00000000");
  }

  private static PolicyTables.Judgement judge(Ip pod, Direction direction, Ip peer, int port) {
    return tables().judge(pod, direction, peer, Protocol.TCP, port);
  }

  private static PolicyTables tables() {
    TreeMap<PodPolicy.Key, PodPolicy> pods = new TreeMap<>();
    PodPolicy.Key key = new PodPolicy.Key(DATABASE, Direction.INGRESS);
    pods.put(key, new PodPolicy(key, 1, List.of(ALLOW, DENY)));
    TreeMap<PolicyPort.Key, PolicyPort> ports = new TreeMap<>();
    for (PolicyPort row :
        List.of(
            new PolicyPort(new PolicyPort.Key(1, Optional.of(Protocol.TCP), 5432), 5433, 2),
            new PolicyPort(PolicyPort.Key.others(1), 0, 3))) {
      ports.put(row.key(), row);
    }
    TreeMap<Prefix, PolicyPeer> peers = new TreeMap<>();
    for (PolicyPeer row :
        List.of(
            new PolicyPeer(Prefix.host(BACKEND), 7, RuleId.of("Pod", "shop/backend", "u3")),
            new PolicyPeer(Prefix.parse("10.1.0.0/16"), 8, ALLOW))) {
      peers.put(row.range(), row);
    }
    TreeMap<PolicyVerdict.Key, PolicyVerdict> verdicts = new TreeMap<>();
    for (PolicyVerdict row :
        List.of(
            new PolicyVerdict(new PolicyVerdict.Key(2, 7), true, ALLOW),
            new PolicyVerdict(PolicyVerdict.Key.others(2), false, ALLOW),
            new PolicyVerdict(PolicyVerdict.Key.others(3), false, ALLOW))) {
      verdicts.put(row.key(), row);
    }
    return new PolicyTables(pods, ports, peers, verdicts);
  }
}
