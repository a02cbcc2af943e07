package dev.sund.dataplane.nft;

import static dev.sund.dataplane.nft.Rows.cluster;
import static dev.sund.dataplane.nft.Rows.nat;
import static dev.sund.dataplane.nft.Rows.put;
import static dev.sund.dataplane.nft.Rows.remove;
import static dev.sund.dataplane.nft.Rows.table;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.dataplane.ApplyReport;
import dev.sund.dataplane.Driver.Step;
import dev.sund.dataplane.FailPoint;
import dev.sund.engine.program.Masquerade;
import dev.sund.kernel.NetNs;
import dev.sund.kernel.nft.NftEvent;
import dev.sund.kernel.nft.NftMonitor;
import dev.sund.kernel.nft.NftSocket;
import dev.sund.kernel.testing.NftProgram;
import dev.sund.kernel.testing.TestNetns;
import dev.sund.model.Condition;
import dev.sund.model.Ip;
import dev.sund.model.Prefix;
import dev.sund.model.Reason;
import dev.sund.model.RuleId;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The driver on a real kernel, with {@code nft} as the one who meddles. */
@Tag("netns")
class NftDriverNetnsTest {
  private static final List<Masquerade> ROWS =
      List.of(
          nat("10.244.0.0/16", "a"),
          nat("10.245.0.0/16", "b"),
          nat("fd00:10::/56", "six"),
          cluster("10.244.0.0/16", "a"),
          cluster("10.245.0.0/16", "b"),
          cluster("10.99.0.0/24", "c"),
          cluster("fd00:10::/56", "six"),
          cluster("fd00:11::/64", "seven"));

  private final TestNetns net = TestNetns.open();
  private final NetNs node = net.create("node");
  private final NftProgram nft = new NftProgram(node);
  private NftDriver driver;
  private final List<NftEvent> events = new ArrayList<>();

  @BeforeEach
  void open() throws Exception {
    driver = restarted();
  }

  @AfterEach
  void close() {
    driver.close();
    net.close();
  }

  @Test
  void rowsComeBackAsTheyWentIn() throws Exception {
    inForce(ROWS);

    assertThat(driver.lift()).isEqualTo(table(ROWS));
    assertThat(driver.verify()).isEmpty();
    assertThat(nft.ruleset())
        .contains("table inet sund", "comment \"made by sund\"")
        .contains("10.244.0.0/16 comment \"IPPool:a::none:0\"")
        .contains("type nat hook postrouting priority srcnat; policy accept;")
        .contains("ip saddr @nat-outgoing-v4 ip daddr != @cluster-v4 counter packets 0 bytes 0")
        .contains("ip6 saddr @nat-outgoing-v6 ip6 daddr != @cluster-v6 counter");
  }

  @Test
  void restartWritesNothing() throws Exception {
    inForce(ROWS);
    try (NftMonitor monitor = NftMonitor.open(node);
        NftDriver next = restarted()) {
      next.want(put(ROWS.toArray(Masquerade[]::new)));
      next.allowSweep();

      assertThat(next.pending()).isZero();
      assertThat(next.apply(Step.PUT, 1000)).isEqualTo(ApplyReport.NOTHING);
      assertThat(next.apply(Step.REMOVE, 1000)).isEqualTo(ApplyReport.NOTHING);
      assertThat(eventsOf(monitor)).isEmpty();
    }
  }

  @Test
  void aGlanceSeesWhatOthersDidAndNothingElse() throws Exception {
    inForce(ROWS);
    driver.want(put(cluster("10.98.0.0/24", "new")));
    driver.apply(Step.PUT, 1000);
    nft.run("add table inet other");
    assertThat(driver.glance().conditions()).as("of another table").isEmpty();
    nft.run("delete element inet sund cluster-v4 { 10.98.0.0/24 }");
    assertThat(driver.glance().conditions()).hasSize(1);
    assertThat(driver.pending()).isOne();
    driver.apply(Step.PUT, 1000);
    assertThat(driver.glance().conditions()).isEmpty();
    assertThat(driver.verify()).isEmpty();
  }

  @Test
  void changedPoolCostsTheMessagesOfItsElement() throws Exception {
    inForce(ROWS);
    try (NftMonitor monitor = NftMonitor.open(node)) {
      driver.want(put(cluster("10.244.0.0/16", "renamed"), cluster("10.98.0.0/24", "new")));
      driver.want(remove(cluster("10.99.0.0/24", "c")));
      apply(driver);

      // Each range is a start and an end: two gone and two new, in one transaction; then one gone.
      assertThat(eventsOf(monitor))
          .filteredOn(event -> event instanceof NftEvent.Committed)
          .hasSize(2);
      assertThat(events)
          .filteredOn(event -> !(event instanceof NftEvent.Committed))
          .hasSize(8)
          .allMatch(event -> event instanceof NftEvent.ElementsChanged);
      assertThat(driver.verify()).isEmpty();
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {100, 5_000})
  void changeCostsTheSameMessagesHoweverManyRangesThereAre(int ranges) throws Exception {
    List<Masquerade> rows = new ArrayList<>();
    for (int i = 0; i < ranges; i++) {
      rows.add(cluster(Ip.parse("10.0.0.0").plus(256L * i) + "/24", "n" + i));
    }
    driver.want(put(rows.toArray(Masquerade[]::new)));
    driver.allowSweep();
    driver.apply(Step.PUT, 10_000);
    assertThat(driver.counts().ranges()).isEqualTo(ranges);

    try (NftMonitor monitor = NftMonitor.open(node)) {
      driver.want(put(cluster("10.0.7.0/24", "changed")));
      driver.want(remove(rows.get(9)));
      ApplyReport report = apply(driver);

      assertThat(report.messages()).as("two transactions, each with begin and end").isEqualTo(7);
      assertThat(eventsOf(monitor)).hasSize(8);
    }
    assertThat(driver.verify()).isEmpty();
  }

  @Test
  void rangeAtTheEndOfTheAddressSpaceHasNoEnd() throws Exception {
    inForce(List.of(cluster("ffff::/16", "last"), cluster("0.0.0.0/0", "all"), nat("::/1", "low")));

    assertThat(driver.verify()).isEmpty();
    assertThat(nft.ruleset()).contains("ffff::/16 comment", "0.0.0.0/0 comment", "::/1 comment");
    driver.want(remove(cluster("ffff::/16", "last"), cluster("0.0.0.0/0", "all")));
    apply(driver);
    assertThat(driver.verify()).isEmpty();
  }

  @Test
  void innerRowTakesTheOutersPlace() throws Exception {
    Masquerade outer = cluster("10.0.0.0/8", "outer");
    Masquerade inner = cluster("10.1.0.0/16", "inner");
    Masquerade innermost = cluster("10.1.2.3/32", "innermost");
    inForce(List.of(innermost, inner, outer));
    assertThat(driver.lift()).isEqualTo(table(List.of(outer, inner, innermost)));
    assertThat(nft.run("list", "set", "inet", "sund", "cluster-v4"))
        .contains("10.0.0.0/8")
        .doesNotContain("10.1.0.0");

    driver.want(remove(outer));
    apply(driver);

    assertThat(driver.lift()).isEqualTo(table(List.of(inner, innermost)));
    assertThat(driver.verify()).isEmpty();
    driver.want(put(outer));
    apply(driver);
    assertThat(driver.verify()).isEmpty();
  }

  @Test
  void flushedRuleSetIsRepairedByOneResync() throws Exception {
    inForce(ROWS);
    nft.run("flush", "ruleset");

    ApplyReport found = driver.resync();
    assertThat(found.conditions())
        .extracting(Condition::reason)
        .containsExactly(Reason.DRIFT_MISSING);
    ApplyReport repaired = apply(driver);

    assertThat(repaired.complete()).isTrue();
    assertThat(repaired.conditions()).isEmpty();
    assertThat(driver.lift()).isEqualTo(table(ROWS));
    assertThat(driver.counts().rebuilds()).isEqualTo(2);
  }

  @Test
  void tableRestoredFromItsListingIsOursAndRight() throws Exception {
    inForce(ROWS);
    String listed = nft.ruleset();
    nft.run("flush", "ruleset");
    nft.load(listed);

    assertThat(driver.resync().conditions()).isEmpty();
    assertThat(driver.pending()).isZero();
    assertThat(driver.lift()).isEqualTo(table(ROWS));
  }

  @Test
  void foreignTableInOurPlaceIsLeftAloneAndNamed() throws Exception {
    nft.load("table inet sund {\n chain mine {\n }\n}\n");
    String before = nft.ruleset();
    driver.want(put(ROWS.toArray(Masquerade[]::new)));
    ApplyReport found = driver.resync();

    assertThat(found.conditions())
        .extracting(Condition::toString)
        .containsExactly(
            "nft table inet sund comment: Someone else made it: the comment is '' and not 'made by"
                + " sund'. It is left alone, and neither natOutgoing nor host ports are in force."
                + " Remove it with 'nft delete table inet sund', or give it another name. [foreign-object]");
    assertThat(driver.pending()).isZero();
    assertThat(driver.removeAll()).isFalse();
    assertThat(nft.ruleset()).isEqualTo(before);

    nft.run("delete", "table", "inet", "sund");
    driver.resync();
    assertThat(apply(driver).conditions()).isEmpty();
    assertThat(driver.lift()).isEqualTo(table(ROWS));
  }

  @Test
  void cleanupRemovesOurTableAndNothingElse() throws Exception {
    nft.load("table inet other {\n chain mine {\n }\n}\n");
    inForce(ROWS);

    assertThat(driver.removeAll()).isTrue();

    assertThat(nft.run("list", "tables")).isEqualTo("table inet other\n");
    assertThat(driver.removeAll()).isFalse();
  }

  @Test
  void longNameOfAPoolIsCutInTheCommentAndJoinedBack() throws Exception {
    RuleId rule =
        RuleId.of("IPPool", "x".repeat(200) + "-tail", "6e2f7a50-1111-2222-3333-444455556666");
    Masquerade row = new Masquerade(Prefix.parse("10.9.0.0/16"), Masquerade.Part.CLUSTER, rule);
    inForce(List.of(row));

    assertThat(driver.lift()).isEqualTo(table(List.of(row)));
    assertThat(nft.ruleset()).contains("x-tail:6e2f7a50-1111-2222-3333-444455556666:none:0\"");
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3, 5})
  void agentThatDiesLeavesWholeTransactionsAndTheNextOneGoesOn(int transactions) throws Exception {
    TestNetns.Result died =
        TestNetns.execute(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-Xshare:auto",
                "--enable-native-access=ALL-UNNAMED",
                "-D" + FailPoint.PROPERTY + "=" + NftDriver.NAME + ":" + transactions,
                "-cp",
                System.getProperty("java.class.path"),
                NftDriverCrash.class.getName(),
                node.toString()));
    assertThat(died.exit()).as(died.err()).isEqualTo(FailPoint.EXIT);

    List<Masquerade> done = NftDriverCrash.ROWS.subList(0, transactions - 1);
    assertThat(driver.lift()).isEqualTo(table(done));
    driver.resync();
    driver.want(put(NftDriverCrash.ROWS.toArray(Masquerade[]::new)));
    ApplyReport report = apply(driver);
    assertThat(report.done()).hasSize(NftDriverCrash.ROWS.size() - done.size());
    assertThat(driver.verify()).isEmpty();
  }

  private void inForce(List<Masquerade> rows) throws Exception {
    driver.want(put(rows.toArray(Masquerade[]::new)));
    driver.allowSweep();
    ApplyReport report = apply(driver);
    assertThat(report.failed()).isEmpty();
    assertThat(report.complete()).isTrue();
  }

  private static ApplyReport apply(NftDriver driver) {
    return driver.apply(Step.PUT, 1000).plus(driver.apply(Step.REMOVE, 1000));
  }

  private NftDriver restarted() throws Exception {
    NftDriver next = new NftDriver(NftPort.over(NftSocket.open(node)), FailPoint.NONE);
    next.resync();
    return next;
  }

  private List<NftEvent> eventsOf(NftMonitor monitor) throws Exception {
    NftMonitor.Sink sink =
        new NftMonitor.Sink() {
          @Override
          public void event(NftEvent event) {
            events.add(event);
          }

          @Override
          public void resync(String why) {
            throw new AssertionError(why);
          }
        };
    while (monitor.poll(sink)) {}
    return events;
  }
}
