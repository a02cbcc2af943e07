package dev.sund.agent.apply;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.engine.cluster.Policy;
import dev.sund.engine.program.PodPolicy;
import dev.sund.engine.program.PolicyPeer;
import dev.sund.engine.program.PolicyPort;
import dev.sund.engine.program.PolicyTables;
import dev.sund.engine.program.PolicyVerdict;
import dev.sund.kernel.conntrack.ConntrackEntry;
import dev.sund.kernel.conntrack.TcpState;
import dev.sund.kernel.conntrack.Tuple;
import dev.sund.model.Ip;
import dev.sund.model.Prefix;
import dev.sund.model.Protocol;
import dev.sund.model.RuleId;
import dev.sund.model.RuleId.Direction;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** N19: which connections a policy in force would not let begin. */
class ForbiddenConnectionsTest {
  private static final int TCP = 6;
  private static final int UDP = 17;
  private static final String WEB = "10.244.1.5";
  private static final String FRIEND = "10.244.2.7";
  private static final String STRANGER = "10.244.2.8";
  private static final String NODE = "192.168.1.11";

  /** The web pod is asked by its friend at TCP port 80 alone, and asks nobody but it. */
  private final ForbiddenConnections forbidden = forbidden(Policy.NETWORK_POLICY);

  @Test
  void ofAPodThatIsAskedThoseGoThatNoRuleAllows() {
    assertThat(goes(entry(TCP, STRANGER, WEB, 80))).isTrue();
    assertThat(goes(entry(TCP, FRIEND, WEB, 81))).isTrue();
    assertThat(goes(entry(UDP, FRIEND, WEB, 80))).isTrue();
    assertThat(goes(entry(TCP, FRIEND, WEB, 80))).isFalse();
  }

  @Test
  void ofAPodThatAsksTheSameHolds() {
    assertThat(goes(entry(TCP, WEB, FRIEND, 80))).isFalse();
    assertThat(goes(entry(TCP, WEB, STRANGER, 80))).isTrue();
    assertThat(goes(entry(TCP, WEB, NODE, 10250)))
        .as("N15 is about who asks a pod: what a pod asks of its node is judged")
        .isTrue();
  }

  @Test
  void connectionsOfOthersStay() {
    assertThat(goes(entry(TCP, FRIEND, STRANGER, 80))).isFalse();
  }

  /** N21. */
  @Test
  void throughAServiceThePodThatAnswersIsJudgedAtItsPort() {
    assertThat(goes(translated(FRIEND, "10.96.0.1", 8080, WEB, 80))).isFalse();
    assertThat(goes(translated(FRIEND, "10.96.0.1", 80, WEB, 8080))).isTrue();
    assertThat(goes(translated(WEB, "10.96.0.1", 8080, FRIEND, 80))).isFalse();
    assertThat(goes(translated(WEB, "10.96.0.1", 80, STRANGER, 80))).isTrue();
  }

  /** N8: the source is judged as it was before it was translated. */
  @Test
  void aClientBehindItsNodesAddressIsJudgedByItsOwn() {
    Tuple asked = Tuple.of(TCP, Ip.parse(STRANGER), 4711, Ip.parse(NODE), 30080);
    Tuple answers = Tuple.of(TCP, Ip.parse(WEB), 80, Ip.parse(NODE), 4711);

    assertThat(goes(entry(asked, answers, 0, Optional.of(TcpState.ESTABLISHED)))).isTrue();
  }

  /** N15, N16, N17. */
  @Test
  void thoseOfTheNodeItselfAndOfAPodToItselfStay() {
    assertThat(goes(entry(TCP, NODE, WEB, 8080))).isFalse();
    assertThat(goes(entry(TCP, "127.0.0.1", WEB, 8080))).isFalse();
    assertThat(goes(entry(TCP, WEB, WEB, 8080))).isFalse();
    assertThat(goes(translated(WEB, "10.96.0.1", 80, WEB, 8080))).isFalse();
  }

  @Test
  void pingIsJudgedAsWhatHasNoPorts() {
    Tuple asked =
        new Tuple(Ip.parse(FRIEND), Ip.parse(WEB), new Tuple.Transport.Query(1, 8, 0, 7), 0);
    Tuple answers =
        new Tuple(Ip.parse(WEB), Ip.parse(FRIEND), new Tuple.Transport.Query(1, 0, 0, 7), 0);

    assertThat(goes(entry(asked, answers, 0, Optional.empty()))).isTrue();
  }

  @Test
  void whatIsOverAndWhatAnotherConnectionExpectedStays() {
    Tuple asked = Tuple.of(TCP, Ip.parse(STRANGER), 4711, Ip.parse(WEB), 80);
    Tuple answers = Tuple.of(TCP, Ip.parse(WEB), 80, Ip.parse(STRANGER), 4711);

    assertThat(goes(entry(asked, answers, 0, Optional.of(TcpState.TIME_WAIT)))).isFalse();
    assertThat(goes(entry(asked, answers, 1, Optional.of(TcpState.ESTABLISHED)))).isFalse();
  }

  @Test
  void whatIsClosedSinceNobodyKnowsItStays() {
    ForbiddenConnections unknown = forbidden("Pod");

    assertThat(unknown.contains(entry(TCP, STRANGER, WEB, 80), NODE_OWN)).isFalse();
  }

  private static final java.util.function.Predicate<Ip> NODE_OWN =
      ip -> ip.isLoopback() || ip.equals(Ip.parse(NODE));

  private boolean goes(ConntrackEntry entry) {
    return forbidden.contains(entry, NODE_OWN);
  }

  private static ConntrackEntry entry(int protocol, String from, String to, int port) {
    return entry(
        Tuple.of(protocol, Ip.parse(from), 4711, Ip.parse(to), port),
        Tuple.of(protocol, Ip.parse(to), port, Ip.parse(from), 4711),
        0,
        protocol == TCP ? Optional.of(TcpState.ESTABLISHED) : Optional.empty());
  }

  private static ConntrackEntry translated(
      String from, String asked, int port, String answers, int answersAt) {
    return entry(
        Tuple.of(TCP, Ip.parse(from), 4711, Ip.parse(asked), port),
        Tuple.of(TCP, Ip.parse(answers), answersAt, Ip.parse(from), 4711),
        0,
        Optional.of(TcpState.ESTABLISHED));
  }

  private static ConntrackEntry entry(
      Tuple asked, Tuple answers, int status, Optional<TcpState> tcp) {
    return new ConntrackEntry(asked, answers, 0, status, 0, 100, tcp, Optional.empty(), 1);
  }

  private static ForbiddenConnections forbidden(String kind) {
    RuleId rule = RuleId.of(kind, "shop/web", "uid");
    TreeMap<PodPolicy.Key, PodPolicy> pods = new TreeMap<>();
    for (Direction direction : List.of(Direction.INGRESS, Direction.EGRESS)) {
      PodPolicy.Key key = new PodPolicy.Key(Ip.parse(WEB), direction);
      pods.put(key, new PodPolicy(key, 1, List.of(rule)));
    }
    TreeMap<PolicyPort.Key, PolicyPort> ports = new TreeMap<>();
    PolicyPort.Key others = PolicyPort.Key.others(1);
    ports.put(others, new PolicyPort(others, 0, 10));
    PolicyPort.Key web = new PolicyPort.Key(1, Optional.of(Protocol.TCP), 80);
    ports.put(web, new PolicyPort(web, 80, 11));
    TreeMap<Prefix, PolicyPeer> peers = new TreeMap<>();
    Prefix friend = Prefix.host(Ip.parse(FRIEND));
    peers.put(friend, new PolicyPeer(friend, 5, rule));
    TreeMap<PolicyVerdict.Key, PolicyVerdict> verdicts = new TreeMap<>();
    for (PolicyVerdict row :
        List.of(
            new PolicyVerdict(PolicyVerdict.Key.others(10), false, rule),
            new PolicyVerdict(PolicyVerdict.Key.others(11), false, rule),
            new PolicyVerdict(new PolicyVerdict.Key(11, 5), true, rule))) {
      verdicts.put(row.key(), row);
    }
    return new ForbiddenConnections(
        new PolicyTables(pods, ports, peers, verdicts), Map.of(Ip.parse(WEB), "sund1"));
  }
}
