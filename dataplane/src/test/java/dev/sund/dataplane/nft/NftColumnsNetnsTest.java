package dev.sund.dataplane.nft;

import static dev.sund.dataplane.nft.Rows.cluster;
import static dev.sund.dataplane.nft.Rows.nat;
import static dev.sund.dataplane.nft.Rows.put;
import static dev.sund.dataplane.nft.Rows.table;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.dataplane.ApplyReport;
import dev.sund.dataplane.Driver.Step;
import dev.sund.dataplane.FailPoint;
import dev.sund.engine.program.Masquerade;
import dev.sund.kernel.NetNs;
import dev.sund.kernel.nft.NftSocket;
import dev.sund.kernel.testing.NftProgram;
import dev.sund.kernel.testing.TestNetns;
import dev.sund.model.Condition;
import dev.sund.model.Reason;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Someone changes one column of one object with {@code nft}; exactly that one is named. */
@Tag("netns")
class NftColumnsNetnsTest {
  private static final List<Masquerade> ROWS =
      List.of(
          nat("10.244.0.0/16", "a"),
          nat("fd00:10::/56", "six"),
          cluster("10.244.0.0/16", "a"),
          cluster("10.245.0.0/16", "b"),
          cluster("fd00:10::/56", "six"));

  private static final String V4_RULE =
      "meta nfproto ipv4 ip saddr @nat-outgoing-v4 ip daddr != @cluster-v4 counter masquerade"
          + " fully-random comment \"v4: pods leave the cluster with the node's address\"";

  private final TestNetns net = TestNetns.open();
  private final NetNs node = net.create("node");
  private final NftProgram nft = new NftProgram(node);
  private NftDriver driver;

  /**
   * One act of meddling.
   *
   * @param commands what {@code nft} is told; HANDLE4 and HANDLE6 are the rules' handles
   * @param named {@code REASON OBJECT FIELD} of each condition that must be found
   * @param lost the rows that are no longer in force, by {@code PART RANGE}
   * @param gained the rows that are in force and not wanted
   */
  record Meddling(String commands, Set<String> named, Set<String> lost, Set<String> gained) {
    @Override
    public String toString() {
      return commands.strip();
    }
  }

  static Stream<Meddling> meddlings() {
    String v4Rows = "NAT_OUTGOING 10.244.0.0/16|CLUSTER 10.244.0.0/16|CLUSTER 10.245.0.0/16";
    String v6Rows = "NAT_OUTGOING fd00:10::/56|CLUSTER fd00:10::/56";
    String v4 =
        "nft rule inet sund postrouting \"v4: pods leave the cluster with the node's address\"";
    String v6 =
        "nft rule inet sund postrouting \"v6: pods leave the cluster with the node's address\"";
    String all = v4Rows + "|" + v6Rows;
    return Stream.of(
        meddling("delete table inet sund", "DRIFT_MISSING nft table inet sund", all, ""),
        meddling(
            "add table inet sund { flags dormant; }",
            "DRIFT_CHANGED nft table inet sund flags",
            all,
            ""),
        meddling(
            "delete element inet sund cluster-v4 { 10.245.0.0/16 }",
            "DRIFT_MISSING nft element inet sund cluster-v4 10.245.0.0/16",
            "CLUSTER 10.245.0.0/16",
            ""),
        meddling(
            "delete element inet sund cluster-v4 { 10.244.0.0/16 }\n"
                + "add element inet sund cluster-v4 { 10.244.0.0/16 comment \"mine\" }",
            "DRIFT_CHANGED nft element inet sund cluster-v4 10.244.0.0/16 comment",
            "CLUSTER 10.244.0.0/16",
            "CLUSTER 10.244.0.0/16"),
        meddling(
            "delete element inet sund nat-outgoing-v6 { fd00:10::/56 }\n"
                + "add element inet sund nat-outgoing-v6 { fd00:10::/56 comment"
                + " \"IPPool:other::none:0\" }",
            "DRIFT_CHANGED nft element inet sund nat-outgoing-v6 fd00:10::/56 comment",
            "NAT_OUTGOING fd00:10::/56",
            "NAT_OUTGOING fd00:10::/56"),
        meddling(
            "add element inet sund cluster-v4 { 192.0.2.0/24 comment \"IPPool:x::none:0\" }",
            "STRAY_OBJECT nft element inet sund cluster-v4 192.0.2.0/24",
            "",
            "CLUSTER 192.0.2.0/24"),
        meddling(
            "add element inet sund nat-outgoing-v4 { 192.0.2.1-192.0.2.3 }",
            "STRAY_OBJECT nft element inet sund nat-outgoing-v4 192.0.2.1-192.0.2.3",
            "",
            "NAT_OUTGOING 192.0.2.1/32|NAT_OUTGOING 192.0.2.2/31"),
        meddling(
            "delete element inet sund nat-outgoing-v4 { 10.244.0.0/16 }\n"
                + "add element inet sund nat-outgoing-v4 { 10.244.0.0/17 comment"
                + " \"IPPool:a::none:0\" }",
            "DRIFT_MISSING nft element inet sund nat-outgoing-v4 10.244.0.0/16|"
                + "STRAY_OBJECT nft element inet sund nat-outgoing-v4 10.244.0.0/17",
            "NAT_OUTGOING 10.244.0.0/16",
            "NAT_OUTGOING 10.244.0.0/17"),
        meddling(
            "flush set inet sund cluster-v6",
            "DRIFT_MISSING nft element inet sund cluster-v6 fd00:10::/56",
            "CLUSTER fd00:10::/56",
            ""),
        meddling(
            "delete rule inet sund postrouting handle HANDLE4", "DRIFT_MISSING " + v4, v4Rows, ""),
        meddling(
            "delete rule inet sund postrouting handle HANDLE6", "DRIFT_MISSING " + v6, v6Rows, ""),
        meddling(
            replaceV4(V4_RULE.replace("ip saddr @nat-outgoing-v4", "ip saddr @cluster-v4")),
            "DRIFT_CHANGED " + v4 + " expression 4",
            v4Rows,
            ""),
        meddling(
            replaceV4(V4_RULE.replace("ip daddr != @cluster-v4", "ip daddr @cluster-v4")),
            "DRIFT_CHANGED " + v4 + " expression 6",
            v4Rows,
            ""),
        meddling(
            replaceV4(V4_RULE.replace("ip daddr !=", "ip saddr !=")),
            "DRIFT_CHANGED " + v4 + " expression 5",
            v4Rows,
            ""),
        meddling(
            replaceV4(V4_RULE.replace("counter ", "")),
            "DRIFT_CHANGED " + v4 + " expression 7",
            v4Rows,
            ""),
        meddling(
            replaceV4(V4_RULE.replace("fully-random", "persistent")),
            "DRIFT_CHANGED " + v4 + " expression 8",
            v4Rows,
            ""),
        meddling(
            replaceV4(V4_RULE.replace("masquerade fully-random", "accept")),
            "DRIFT_CHANGED " + v4 + " expression 8",
            v4Rows,
            ""),
        meddling(
            replaceV4(V4_RULE.replace("comment \"v4: pods leave", "comment \"v4: nobody leaves")),
            "DRIFT_CHANGED " + v4 + " comment",
            "",
            ""),
        meddling(
            "insert rule inet sund postrouting ip daddr 192.0.2.0/24 accept",
            "STRAY_OBJECT nft rule inet sund postrouting handle N",
            v4Rows,
            ""),
        meddling(
            "insert rule inet sund postrouting oifname \"eth0\" accept",
            "STRAY_OBJECT nft rule inet sund postrouting handle N",
            all,
            ""),
        meddling(
            "insert rule inet sund postrouting counter",
            "STRAY_OBJECT nft rule inet sund postrouting handle N",
            "",
            ""),
        meddling(
            "add rule inet sund postrouting masquerade",
            "STRAY_OBJECT nft rule inet sund postrouting handle N",
            "",
            ""),
        meddling(
            "chain inet sund postrouting { policy drop; }",
            "DRIFT_CHANGED nft chain inet sund postrouting policy",
            all,
            ""),
        meddling("add chain inet sund mine", "STRAY_OBJECT nft chain inet sund mine", "", ""),
        meddling(
            "add set inet sund mine { type ipv4_addr; }",
            "STRAY_OBJECT nft set inet sund mine",
            "",
            ""));
  }

  private static String replaceV4(String rule) {
    return "replace rule inet sund postrouting handle HANDLE4 " + rule;
  }

  private static Meddling meddling(String commands, String named, String lost, String gained) {
    return new Meddling(commands, words(named), words(lost), words(gained));
  }

  private static Set<String> words(String text) {
    return text.isEmpty() ? Set.of() : new TreeSet<>(List.of(text.split("\\|")));
  }

  @BeforeEach
  void inForce() throws Exception {
    driver = new NftDriver(NftPort.over(NftSocket.open(node)), FailPoint.NONE);
    driver.resync();
    driver.want(put(ROWS.toArray(Masquerade[]::new)));
    driver.allowSweep();
    assertThat(driver.apply(Step.PUT, 1000).complete()).isTrue();
    assertThat(driver.verify()).isEmpty();
  }

  @AfterEach
  void close() {
    driver.close();
    net.close();
  }

  @ParameterizedTest
  @MethodSource("meddlings")
  void exactlyTheChangedEntryIsNamedAndPutRight(Meddling meddling) throws Exception {
    nft.load(
        meddling
                .commands
                .replace("HANDLE4", handleOf("v4: pods"))
                .replace("HANDLE6", handleOf("v6: pods"))
            + "\n");

    assertThat(named(driver.verify())).isEqualTo(meddling.named);
    var lifted = driver.lift();
    assertThat(
            ROWS.stream()
                .filter(row -> !row.equals(lifted.get(row.key())))
                .map(NftColumnsNetnsTest::name)
                .collect(Collectors.toSet()))
        .isEqualTo(meddling.lost);
    assertThat(
            lifted.values().stream()
                .filter(row -> !ROWS.contains(row))
                .map(NftColumnsNetnsTest::name)
                .collect(Collectors.toSet()))
        .isEqualTo(meddling.gained);

    ApplyReport found = driver.resync();
    assertThat(named(found.conditions())).isEqualTo(meddling.named);
    ApplyReport repaired = driver.apply(Step.PUT, 1000).plus(driver.apply(Step.REMOVE, 1000));
    assertThat(repaired.failed()).isEmpty();
    assertThat(driver.verify()).isEmpty();
    assertThat(driver.lift()).isEqualTo(table(ROWS));
    assertThat(driver.resync().conditions()).isEmpty();
  }

  private String handleOf(String comment) {
    return nft.run("-a", "list", "chain", "inet", "sund", "postrouting")
        .lines()
        .filter(line -> line.contains(comment))
        .map(line -> line.substring(line.lastIndexOf(' ') + 1))
        .findFirst()
        .orElseThrow();
  }

  private static String name(Masquerade row) {
    return row.part() + " " + row.range();
  }

  private static Set<String> named(List<Condition> conditions) {
    Set<String> names = new TreeSet<>();
    for (Condition condition : conditions) {
      Reason reason = condition.reason();
      String field = condition.field();
      String object = condition.object().toString().replaceAll("handle [0-9]+", "handle N");
      names.add((reason.name() + " " + object + " " + field).strip());
    }
    return names;
  }
}
