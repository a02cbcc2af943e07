package dev.sund.dataplane.nft;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.dataplane.ApplyReport;
import dev.sund.dataplane.Driver.Step;
import dev.sund.dataplane.FailPoint;
import dev.sund.engine.program.Change;
import dev.sund.engine.program.LocalPod;
import dev.sund.engine.program.PodPolicy;
import dev.sund.engine.program.PolicyDelta;
import dev.sund.engine.program.PolicyPeer;
import dev.sund.engine.program.PolicyPort;
import dev.sund.engine.program.PolicyVerdict;
import dev.sund.engine.program.ProgramDelta;
import dev.sund.kernel.nft.NftOp;
import dev.sund.model.Ip;
import dev.sund.model.Mac;
import dev.sund.model.PodKey;
import dev.sund.model.Prefix;
import dev.sund.model.Protocol;
import dev.sund.model.RuleId;
import dev.sund.model.RuleId.Direction;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What the driver writes, in which order, and what it does when the kernel refuses. */
class PolicyDriverTest {
  private static final Ip POD = Ip.parse("10.244.1.5");
  private static final RuleId RULE = RuleId.parse("NetworkPolicy:shop/deny:uid:in:0");
  private static final LocalPod LOCAL =
      new LocalPod(
          "sundabc",
          PodKey.parse("shop/web"),
          "u",
          List.of(POD),
          Mac.parse("02:00:00:00:00:01"),
          1500,
          0,
          RuleId.of("Pod", "shop/web", "u"));
  private static final PodPolicy POLICY =
      new PodPolicy(new PodPolicy.Key(POD, Direction.INGRESS), 0x11, List.of(RULE));
  private static final PolicyPort OTHERS = new PolicyPort(PolicyPort.Key.others(0x11), 0, 0x22);
  private static final PolicyPort WEB =
      new PolicyPort(new PolicyPort.Key(0x11, Optional.of(Protocol.TCP), 80), 80, 0x22);
  private static final PolicyVerdict CLOSED =
      new PolicyVerdict(PolicyVerdict.Key.others(0x22), false, RULE);

  private final FakeNft nft = new FakeNft();
  private final PolicyDriver driver = new PolicyDriver(nft, FailPoint.NONE);

  @BeforeEach
  void begin() throws Exception {
    driver.resync();
    driver.want(policies(true));
    driver.allowSweep();
    assertThat(driver.apply(Step.PUT, 512).failed()).isEmpty();
    assertThat(driver.verify()).isEmpty();
    nft.committed.clear();
  }

  private static <K, V> Change<K, V> change(boolean there, K key, V row) {
    return there ? new Change.Put<>(key, row, Optional.empty()) : new Change.Remove<>(key, row);
  }

  private static ProgramDelta policies(boolean there) {
    return PolicyScene.delta(
        List.of(change(there, LOCAL.device(), LOCAL)),
        new PolicyDelta(
            List.of(change(there, POLICY.key(), POLICY)),
            List.of(change(there, OTHERS.key(), OTHERS), change(there, WEB.key(), WEB)),
            List.of(),
            List.of(change(there, CLOSED.key(), CLOSED))));
  }

  private static ProgramDelta peer(String address, int peerClass) {
    Prefix range = Prefix.parse(address);
    return PolicyScene.delta(
        List.of(),
        new PolicyDelta(
            List.of(),
            List.of(),
            List.of(change(true, range, new PolicyPeer(range, peerClass, RULE))),
            List.of()));
  }

  private List<String> written() {
    List<String> ops = new ArrayList<>();
    nft.committed.forEach(transaction -> transaction.forEach(op -> ops.add(op.toString())));
    return ops;
  }

  /** N20, the other way round: what closes a pod stays until its link and routes are gone. */
  @Test
  void aPodThatGoesStaysClosedUntilItsLinkIsGone() throws Exception {
    driver.want(policies(false));
    driver.apply(Step.PUT, 512);
    assertThat(nft.committed).isEmpty();
    driver.apply(Step.REMOVE, 512);
    assertThat(nft.committed).hasSize(1);
    assertThat(written())
        .contains(
            "delete chain inet sund-policy ingress-0000000000000011",
            "delete chain inet sund-policy peers-0000000000000022",
            "delete set inet sund-policy ports-0000000000000011-tcp");
    assertThat(driver.verify()).isEmpty();
    assertThat(driver.pending()).isZero();
  }

  /** N24: what a list of rules says to many is one operation, and lists have no sets. */
  @Test
  void aNewListOfRulesIsAsManyOperationsForOneClassAsForMany() throws Exception {
    driver.want(said(0x23, 1));
    driver.apply(Step.PUT, 512);
    assertThat(written()).hasSize(4).noneMatch(op -> op.startsWith("create set"));
    nft.committed.clear();
    driver.want(said(0x24, 300));
    driver.apply(Step.PUT, 512);
    assertThat(written())
        .hasSize(4)
        .anyMatch(op -> op.startsWith("add 300 elements to set inet sund-policy allowed"));
    assertThat(driver.verify()).isEmpty();
  }

  private static ProgramDelta said(long list, int classes) {
    List<Change<PolicyVerdict.Key, PolicyVerdict>> verdicts = new ArrayList<>();
    PolicyVerdict others = new PolicyVerdict(PolicyVerdict.Key.others(list), false, RULE);
    verdicts.add(change(true, others.key(), others));
    for (int i = 1; i <= classes; i++) {
      PolicyVerdict one = new PolicyVerdict(new PolicyVerdict.Key(list, i), true, RULE);
      verdicts.add(change(true, one.key(), one));
    }
    return PolicyScene.delta(List.of(), new PolicyDelta(List.of(), List.of(), List.of(), verdicts));
  }

  @Test
  void whatIsRefusedIsHeldAndTheRestIsWritten() throws Exception {
    nft.refuse = op -> op instanceof NftOp.AddElements add && add.toString().contains("0x0a000001");
    driver.want(peer("10.0.0.1/32", 7));
    driver.want(peer("10.0.0.2/32", 7));
    ApplyReport report = driver.apply(Step.PUT, 512);
    assertThat(report.failed())
        .singleElement()
        .satisfies(failure -> assertThat(failure.object().name()).contains("peers-v4 10.0.0.1/32"));
    assertThat(written()).hasSize(1);
    assertThat(driver.pending()).isZero();
    nft.refuse = _ -> false;
    driver.retry();
    assertThat(driver.apply(Step.PUT, 512).failed()).isEmpty();
    assertThat(driver.verify()).isEmpty();
  }

  @Test
  void aTestMayHaveATransactionRefused() throws Exception {
    System.setProperty(FailPoint.REFUSE, PolicyDriver.NAME + ":0");
    try {
      driver.want(peer("10.0.0.1/32", 7));
      assertThat(driver.apply(Step.PUT, 512).failed()).hasSize(1);
      assertThat(nft.committed).isEmpty();
    } finally {
      System.clearProperty(FailPoint.REFUSE);
    }
    driver.retry();
    driver.apply(Step.PUT, 512);
    assertThat(driver.verify()).isEmpty();
  }

  @Test
  void aDriverThatStartsRemovesNothingBeforeTheFirstFullList() throws Exception {
    PolicyDriver next = new PolicyDriver(nft, FailPoint.NONE);
    next.resync();
    assertThat(next.pending()).isZero();
    assertThat(next.settled(LOCAL)).isTrue();
    next.allowSweep();
    next.apply(Step.PUT, 512);
    next.apply(Step.REMOVE, 512);
    assertThat(next.verify()).isEmpty();
    assertThat(written()).contains("delete chain inet sund-policy ingress-0000000000000011");
  }

  /** N6: of ranges that contain each other the inner one is cut out of the outer. */
  @Test
  void rangesInsideOfOthersAreCutOut() throws Exception {
    driver.want(peer("10.0.0.0/8", 1));
    driver.want(peer("10.1.0.0/16", 2));
    driver.want(peer("10.255.0.0/16", 3));
    driver.want(peer("0.0.0.0/0", 4));
    driver.want(peer("255.255.255.0/24", 5));
    driver.apply(Step.PUT, 512);
    assertThat(driver.verify()).isEmpty();
    assertThat(nft.elements("blocks-v4").stream().filter(one -> !one.intervalEnd())).hasSize(7);
  }
}
