package dev.sund.agent.trace;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.agent.trace.Expectation.Part;
import dev.sund.agent.trace.Expectation.Way;
import dev.sund.dataplane.probe.ProbeFinding;
import dev.sund.dataplane.probe.ProbeFinding.Answer;
import dev.sund.dataplane.probe.ProbeFinding.Dropped;
import dev.sund.dataplane.probe.ProbeFinding.End;
import dev.sund.dataplane.probe.ProbeFinding.Left;
import dev.sund.dataplane.probe.ProbeFinding.Lost;
import dev.sund.dataplane.probe.ProbeFinding.NotSeen;
import dev.sund.dataplane.probe.ProbeFinding.Step;
import dev.sund.dataplane.probe.ProbeFlow;
import dev.sund.model.Ip;
import dev.sund.model.NodeName;
import dev.sund.model.Protocol;
import dev.sund.model.Reason;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** When the kernel does what the program says, and when not. */
class ExpectationTest {
  private static final NodeName N1 = new NodeName("n1");
  private static final NodeName N2 = new NodeName("n2");
  private static final Ip WEB = Ip.parse("10.244.1.5");
  private static final Ip DB = Ip.parse("10.244.2.7");
  private static final Ip OTHER = Ip.parse("10.244.2.8");

  private static ProbeFinding found(Protocol protocol, Answer answer, End end) {
    return new ProbeFinding(
        new ProbeFlow(WEB, 40000, DB, protocol, 5432), answer, List.of(), List.of(), end);
  }

  private static Way way(boolean answered, Reason reason, boolean endsHere) {
    return way(answered, reason, endsHere, DB);
  }

  private static Way way(boolean answered, Reason reason, boolean endsHere, Ip destination) {
    return new Way(
        true, answered, reason, endsHere, "sund-vxlan4", Optional.empty(), destination, false);
  }

  private static List<String> differences(ProbeFinding finding, Way... ways) {
    return new Expectation(List.of(ways)).differences(finding);
  }

  private static Left left(Ip source, Ip destination) {
    return new Left("sund-vxlan4", source, destination, 5432);
  }

  private static Dropped dropped(String table) {
    return new Dropped(new Step("eth0", table, "forward", 4, "why", "drop", true));
  }

  @Test
  void whatIsAnsweredOrRefusedByItsOwnerAgreesWithDelivery() {
    Way delivered = way(true, Reason.DELIVERED, false);
    for (Answer answer : List.of(Answer.ANSWERED, Answer.REFUSED)) {
      assertThat(differences(found(Protocol.TCP, answer, left(WEB, DB)), delivered)).isEmpty();
    }
    assertThat(differences(found(Protocol.UDP, Answer.NONE, left(WEB, DB)), delivered)).isEmpty();
    assertThat(differences(found(Protocol.TCP, Answer.NONE, left(WEB, DB)), delivered))
        .containsExactly("The sender got: no answer; the program says that it is answered.");
  }

  @Test
  void aDropIsAsWantedOnlyInTheTableThatTheReasonIsOf() {
    Way policy = way(false, Reason.POLICY_EGRESS, true);
    assertThat(differences(found(Protocol.TCP, Answer.NONE, dropped("inet sund-policy")), policy))
        .isEmpty();
    assertThat(differences(found(Protocol.TCP, Answer.NONE, dropped("inet sund")), policy))
        .hasSize(1);
    assertThat(differences(found(Protocol.TCP, Answer.NONE, dropped("ip filter")), policy))
        .singleElement()
        .asString()
        .contains("ip filter forward rule 4: drop (why)", "ends by policy-egress");
    assertThat(differences(found(Protocol.TCP, Answer.ANSWERED, left(WEB, DB)), policy))
        .contains("No rule dropped it; the program says that it ends by policy-egress.");
  }

  @Test
  void whatAnotherNodeStopsIsNotAnswered() {
    Way far = way(false, Reason.POLICY_INGRESS, false);
    assertThat(differences(found(Protocol.TCP, Answer.NONE, left(WEB, DB)), far)).isEmpty();
    assertThat(differences(found(Protocol.TCP, Answer.ANSWERED, left(WEB, DB)), far)).hasSize(1);
  }

  @Test
  void deviceDestinationAndSourceAreCompared() {
    Way delivered = way(true, Reason.DELIVERED, false);
    assertThat(
            differences(
                found(Protocol.TCP, Answer.ANSWERED, new Left("eth0", OTHER, OTHER, 5432)),
                delivered))
        .containsExactly(
            "It left by eth0; the program says by sund-vxlan4.",
            "Its destination became 10.244.2.8; the program says 10.244.2.7.",
            "Its source became 10.244.2.8; the program says that it stays.");
    assertThat(differences(found(Protocol.TCP, Answer.NONE, new Lost()), delivered))
        .hasSize(2)
        .first()
        .asString()
        .contains("lost on this node, by no rule");
  }

  @Test
  void oneOfSeveralEndpointsIsEnough() {
    Way first = way(true, Reason.DELIVERED, false, OTHER);
    Way second = way(true, Reason.DELIVERED, false);
    assertThat(differences(found(Protocol.TCP, Answer.ANSWERED, left(WEB, DB)), first, second))
        .isEmpty();
  }

  /** On the way's other node: it comes from {@code source}, and ends there in the pod's device. */
  private static Way far(boolean passes, Ip source, Reason reason) {
    return new Way(
        passes,
        reason == Reason.DELIVERED,
        reason,
        passes,
        passes ? "eth0" : "",
        Optional.of(source),
        DB,
        false);
  }

  private static Part there(End end, Way... ways) {
    return new Part(N2, new Expectation(List.of(ways)), found(Protocol.TCP, Answer.ELSEWHERE, end));
  }

  private static Part here(Answer answer, End end, Way... ways) {
    return new Part(N1, new Expectation(List.of(ways)), found(Protocol.TCP, answer, end));
  }

  @Test
  void whatAnotherNodeSawIsJoinedToOneStory() {
    Way begins = way(true, Reason.DELIVERED, false);
    Way ends = far(true, WEB, Reason.DELIVERED);
    Left atPod = new Left("eth0", WEB, DB, 5432);
    Part sent = here(Answer.ANSWERED, left(WEB, DB), begins);
    assertThat(Expectation.differences(List.of(sent, there(atPod, ends)))).isEmpty();

    assertThat(
            Expectation.differences(
                List.of(sent, there(atPod, far(true, OTHER, Reason.DELIVERED)))))
        .containsExactly("n2: It came from 10.244.1.5; the program says from 10.244.2.8.");
    Part lost = here(Answer.NONE, left(WEB, DB), begins);
    assertThat(Expectation.differences(List.of(lost, there(new NotSeen(), ends))))
        .containsExactly(
            "n1: The sender got: no answer; the program says that it is answered.",
            "n2: It did not come to this node's rules; the program says that it does.");
    assertThat(Expectation.differences(List.of(lost, there(dropped("inet corporate"), ends))))
        .contains(
            "n2: The kernel dropped it at inet corporate forward rule 4: drop (why); the program"
                + " says that it is answered.");
  }

  @Test
  void fromWhereItEndedNothingIsExpectedToGoOn() {
    Way begins = way(true, Reason.DELIVERED, false);
    Way ends = far(true, WEB, Reason.DELIVERED);
    assertThat(
            Expectation.differences(
                List.of(
                    here(Answer.NONE, dropped("inet corporate"), begins),
                    there(new NotSeen(), ends))))
        .singleElement()
        .asString()
        .startsWith("n1: The kernel dropped it");
  }

  /** Of two endpoints the packet gets one: each node alone agrees, both together must too. */
  @Test
  void allNodesHaveSeenTheSameOfSeveralWays() {
    Way toDb = way(true, Reason.DELIVERED, false);
    Way toOther = way(true, Reason.DELIVERED, false, OTHER);
    Way notHere = far(false, WEB, Reason.DELIVERED);
    Way here = far(true, WEB, Reason.DELIVERED);
    Part toOtherSent = here(Answer.ANSWERED, left(WEB, OTHER), toDb, toOther);
    Left atPod = new Left("eth0", WEB, DB, 5432);
    assertThat(
            there(atPod, here, notHere)
                .expected()
                .differences(found(Protocol.TCP, Answer.ELSEWHERE, atPod)))
        .isEmpty();
    assertThat(Expectation.differences(List.of(toOtherSent, there(new NotSeen(), here, notHere))))
        .isEmpty();
    assertThat(Expectation.differences(List.of(toOtherSent, there(atPod, here, notHere))))
        .isNotEmpty();
  }
}
