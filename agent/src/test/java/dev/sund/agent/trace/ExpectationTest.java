package dev.sund.agent.trace;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.agent.trace.Expectation.Way;
import dev.sund.dataplane.probe.ProbeFinding;
import dev.sund.dataplane.probe.ProbeFinding.Answer;
import dev.sund.dataplane.probe.ProbeFinding.Dropped;
import dev.sund.dataplane.probe.ProbeFinding.End;
import dev.sund.dataplane.probe.ProbeFinding.Left;
import dev.sund.dataplane.probe.ProbeFinding.Lost;
import dev.sund.dataplane.probe.ProbeFinding.Step;
import dev.sund.dataplane.probe.ProbeFlow;
import dev.sund.model.Ip;
import dev.sund.model.Protocol;
import dev.sund.model.Reason;
import java.util.List;
import org.junit.jupiter.api.Test;

/** When the kernel does what the program says, and when not. */
class ExpectationTest {
  private static final Ip WEB = Ip.parse("10.244.1.5");
  private static final Ip DB = Ip.parse("10.244.2.7");
  private static final Ip OTHER = Ip.parse("10.244.2.8");

  private static ProbeFinding found(Protocol protocol, Answer answer, End end) {
    return new ProbeFinding(
        new ProbeFlow(WEB, 40000, DB, protocol, 5432), answer, List.of(), List.of(), end);
  }

  private static Way way(boolean answered, Reason reason, boolean endsHere) {
    return new Way(answered, reason, endsHere, "sund-vxlan4", DB, false);
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
    Way first = new Way(true, Reason.DELIVERED, false, "sund-vxlan4", OTHER, false);
    Way second = way(true, Reason.DELIVERED, false);
    assertThat(differences(found(Protocol.TCP, Answer.ANSWERED, left(WEB, DB)), first, second))
        .isEmpty();
  }
}
