package dev.sund.it.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.sund.kernel.NetNs;
import dev.sund.lab.measure.Traffic;
import dev.sund.lab.measure.Traffic.Account;
import dev.sund.lab.measure.Traffic.Flow;
import dev.sund.lab.measure.Traffic.Kind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * What packets meet while other services of a node load their rules and routes anew: numbered
 * datagrams at 1,000 a second, TCP streams both ways, 100 new connections a second, from a pod of
 * n1 to a pod of the same node, of a node on its subnet and of one behind a router.
 */
@Tag("netns")
@Tag("alone")
@Timeout(180)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ReloadTest {
  /** Less than a second of datagrams: the promise, as packets see it. */
  private static final long A_SECOND = 1_000;

  private static final boolean LONG = Boolean.getBoolean("sund.long");
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private Path folder;
  private AgentScene scene;
  private NetNs n1;
  private List<Flow> flows;

  @BeforeAll
  void build(@TempDir Path directory) throws Exception {
    folder = directory;
    scene = AgentScene.build(directory);
    scene.startAll();
    n1 = scene.node(1);
    flows = SceneFlows.everyWay(scene);
  }

  @AfterAll
  void clear() throws IOException {
    scene.close();
  }

  /** Something that a service does to a machine. */
  private interface Reload {
    void run() throws Exception;
  }

  private List<Account> during(String what, Reload reload) throws Exception {
    try (Traffic traffic = Traffic.start(flows)) {
      Thread.sleep(400);
      reload.run();
      Thread.sleep(1_000);
      List<Account> accounts = traffic.stop();
      for (Account account : accounts) {
        System.out.printf(
            "%s: %s: sent %d, lost %d, failed %d, longest gap %d ms%n",
            what,
            account.name(),
            account.sent(),
            account.lost(),
            account.failed(),
            account.longestGap().toMillis());
      }
      return accounts;
    }
  }

  /** TCP carries everything in the end; of datagrams less than a second's are lost. */
  private static void assertSoonWhole(List<Account> accounts) {
    assertThat(accounts)
        .allSatisfy(account -> {
          assertThat(account.received()).as(account.name()).isPositive();
          if (account.name().startsWith(Kind.STREAM.name())) {
            assertThat(account.lost()).as(account.name()).isZero();
            assertThat(account.failed()).as(account.name()).isZero();
          } else {
            assertThat(account.lost()).as(account.name()).isLessThan(A_SECOND);
          }
        });
  }

  private double repaired(String table) throws Exception {
    return scene.metric(1, "sund_drift_repaired_total{table=\"" + table + "\"}");
  }

  @Test
  void aReloadOfNftablesServiceLosesNothingBetweenPods() throws Exception {
    double before = repaired("nft");
    Path rules = folder.resolve("nftables.conf");
    Files.writeString(
        rules,
        """
        flush ruleset
        table inet filter {
          chain input { type filter hook input priority filter; }
          chain forward { type filter hook forward priority filter; }
        }
        """);
    List<Account> accounts =
        during("nftables.service reload", () -> scene.run(n1, "nft", "-f", rules.toString()));
    assertThat(accounts).allMatch(Account::flawless);
    scene.await("counted", PATIENCE, () -> repaired("nft") > before);
    scene.run(n1, "nft", "delete table inet filter");
  }

  @Test
  void routesThatNetworkdRemovesAreMissedForLessThanASecond() throws Exception {
    double before = repaired("routes");
    assertSoonWhole(
        during(
            "systemd-networkd restart",
            () ->
                scene.run(n1, "sh", "-c", "ip route flush proto 83; ip -6 route flush proto 83")));
    scene.await("counted", PATIENCE, () -> repaired("routes") > before);
  }

  @Test
  void rulesThatDockerOrUfwLoadAnewAreMissedForLessThanASecond() throws Exception {
    for (String family : List.of("iptables", "ip6tables")) {
      for (String kind : List.of("-nft", "-legacy")) {
        scene.run(n1, family + kind, "-P", "FORWARD", "DROP");
        scene.await(
            family + kind + " accepts pods' packets",
            PATIENCE,
            () -> scene.run(n1, family + kind, "-S", "FORWARD").contains("-o sund+"));
      }
    }
    // Where packets were lost an account takes ten seconds: one for each kind only in full.
    List<List<String>> turns =
        LONG ? List.of(List.of("-nft"), List.of("-legacy")) : List.of(List.of("-nft", "-legacy"));
    for (List<String> kinds : turns) {
      double before = repaired("forward");
      double beforeLegacy = repaired("forward-legacy");
      assertSoonWhole(
          during(
              "ufw reload by iptables" + kinds,
              () -> {
                for (String kind : kinds) {
                  scene.run(n1, "iptables" + kind, "-F", "FORWARD");
                  scene.run(n1, "ip6tables" + kind, "-F", "FORWARD");
                }
              }));
      scene.await(
          "counted",
          PATIENCE,
          () ->
              (!kinds.contains("-nft") || repaired("forward") > before)
                  && (!kinds.contains("-legacy") || repaired("forward-legacy") > beforeLegacy));
    }
    for (String family : List.of("iptables", "ip6tables")) {
      for (String kind : List.of("-nft", "-legacy")) {
        scene.run(n1, family + kind, "-P", "FORWARD", "ACCEPT");
      }
    }
  }

  /** The real firewalld in n1's namespace, with a bus of its own; pods and nodes are trusted. */
  @Test
  void aReloadOfFirewalldLeavesOursAndLosesLessThanASecond() throws Exception {
    assumeTrue(Firewalld.unpacked(), "firewalld is not unpacked: 'sund test' does it");
    try (Firewalld firewalld =
        Firewalld.start(n1, Files.createDirectory(folder.resolve("firewalld")))) {
      scene.await(
          "firewalld runs",
          PATIENCE,
          () ->
              scene.run(n1, "nft", "list", "tables").contains("firewalld")
                  && firewalld.command("--state") == 0);
      String ours = scene.run(n1, "nft", "-s", "list", "table", "inet", "sund");
      List<Account> accounts =
          during(
              "firewalld reload",
              () ->
                  assertThat(firewalld.command("--reload"))
                      .as("firewall-cmd --reload: %s", firewalld.log())
                      .isZero());
      assertSoonWhole(accounts);
      assertThat(scene.run(n1, "nft", "-s", "list", "table", "inet", "sund")).isEqualTo(ours);
    } finally {
      scene.run(n1, "sh", "-c", "nft delete table inet firewalld || true");
    }
  }
}
