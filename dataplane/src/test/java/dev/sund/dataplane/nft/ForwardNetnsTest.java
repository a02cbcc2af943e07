package dev.sund.dataplane.nft;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.dataplane.Cleanup;
import dev.sund.dataplane.testing.TestNode;
import dev.sund.dataplane.testing.TestPod;
import dev.sund.dataplane.testing.Testbed;
import dev.sund.engine.cluster.IpPool.VxlanMode;
import dev.sund.kernel.KernelException;
import dev.sund.model.Condition;
import dev.sund.model.Family;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Chains of others that drop what is forwarded, made by the programs that make them. */
@Tag("netns")
class ForwardNetnsTest {
  private static final String COMMENT = "-m comment --comment \"made by sund for pods\"";
  private static Testbed bed;
  private static TestPod a;
  private static TestPod b;
  private static TestNode node;

  @BeforeAll
  static void build() {
    bed = Testbed.of(2, VxlanMode.ALWAYS);
    a = bed.pod(1, "a");
    b = bed.pod(2, "b");
    node = bed.node(2);
  }

  @AfterAll
  static void remove() {
    if (bed != null) {
      bed.close();
    }
  }

  @AfterEach
  void flush() {
    sh("nft flush ruleset");
    node.repair();
    assertThat(node.dataplane().conditions()).isEmpty();
  }

  private static void sh(String commands) {
    node.run("sh", "-ec", commands);
  }

  @ParameterizedTest
  @CsvSource({"iptables-nft, V4", "ip6tables-nft, V6"})
  void aPolicyOfIptablesThatDropsIsOvercomeInItsOwnChain(String iptables, Family family) {
    sh(iptables + " -P FORWARD DROP; " + iptables + " -A FORWARD -i docker0 -j DROP");
    assertThat(a.isCutOffFrom(b, family)).as("dropped").isTrue();

    node.repair();

    assertThat(a.reaches(b, family)).as("accepted").isTrue();
    assertThat(b.reaches(a, family)).isTrue();
    assertThat(node.run(iptables, "-S", "FORWARD").lines().toList())
        .containsExactly(
            "-P FORWARD DROP",
            "-A FORWARD -i sund+ " + COMMENT + " -j ACCEPT",
            "-A FORWARD -o sund+ " + COMMENT + " -j ACCEPT",
            "-A FORWARD -i docker0 -j DROP");
    assertThat(node.dataplane().conditions())
        .extracting(condition -> condition.reason().code())
        .containsExactly("forward-dropped");
    assertThat(node.repair().done()).as("what is right is not touched").isEmpty();
  }

  @Test
  void whereDockerLeavesAChainToOthersTheRulesStandInThat() {
    sh(
        "iptables-nft -P FORWARD DROP; iptables-nft -N DOCKER-USER;"
            + " iptables-nft -A DOCKER-USER -j RETURN; iptables-nft -I FORWARD -j DOCKER-USER");
    assertThat(a.isCutOffFrom(b, Family.V4)).isTrue();
    node.repair();
    assertThat(a.reaches(b, Family.V4)).isTrue();
    assertThat(node.run("iptables-nft", "-S", "FORWARD")).doesNotContain("sund");
    assertThat(node.run("iptables-nft", "-S", "DOCKER-USER")).contains("-A DOCKER-USER -i sund+ ");
  }

  @Test
  void aChainOfNftThatDropsIsOvercomeToo() {
    sh(
        "nft add table inet fw; nft 'add chain inet fw forward { type filter hook forward priority"
            + " 0; policy drop; }'");
    for (Family family : Family.values()) {
      assertThat(a.isCutOffFrom(b, family)).isTrue();
    }
    node.repair();
    for (Family family : Family.values()) {
      assertThat(a.reaches(b, family)).isTrue();
    }
    assertThat(node.run("nft", "list", "table", "inet", "fw"))
        .contains("iifname \"sund*\" counter", "made by sund");
  }

  @Test
  void rulesThatWereSavedAndRestoredAreStillOurs() {
    sh("iptables-nft -P FORWARD DROP");
    node.repair();
    sh("saved=$(iptables-nft-save); echo \"$saved\" | iptables-nft-restore");
    node.repair();
    assertThat(node.run("iptables-nft", "-S", "FORWARD").lines().toList())
        .containsExactly(
            "-P FORWARD DROP",
            "-A FORWARD -i sund+ " + COMMENT + " -j ACCEPT",
            "-A FORWARD -o sund+ " + COMMENT + " -j ACCEPT");
    assertThat(a.reaches(b, Family.V4)).isTrue();
    sh("iptables-nft -P FORWARD ACCEPT");
    node.repair();
    assertThat(node.run("iptables-nft", "-S", "FORWARD").strip()).isEqualTo("-P FORWARD ACCEPT");
  }

  @Test
  void whatUfwLoadsAnewIsPutRightAgain() {
    sh("iptables-nft -P FORWARD DROP");
    node.repair();
    sh("iptables-nft -F FORWARD");
    assertThat(a.isCutOffFrom(b, Family.V4)).isTrue();
    node.repair();
    assertThat(a.reaches(b, Family.V4)).isTrue();
  }

  @Test
  void whereNothingIsDroppedAnyMoreOurRulesGo() {
    sh("iptables-nft -P FORWARD DROP");
    node.repair();
    sh("iptables-nft -P FORWARD ACCEPT");
    node.repair();
    assertThat(node.run("iptables-nft", "-S", "FORWARD").strip()).isEqualTo("-P FORWARD ACCEPT");
  }

  @Test
  void cleanupTakesOurRulesOutAndNothingElse() throws KernelException {
    sh("iptables-nft -P FORWARD DROP; iptables-nft -A FORWARD -i docker0 -j ACCEPT");
    String before = node.run("iptables-nft", "-S");
    node.repair();
    assertThat(node.run("iptables-nft", "-S")).isNotEqualTo(before);
    try (NftPort nft = NftPort.over(dev.sund.kernel.nft.NftSocket.open(node.ns()))) {
      List<String> would = ForwardDriver.removeAll(nft, true);
      assertThat(would).containsExactly("remove our rules from chain ip filter FORWARD");
      assertThat(ForwardDriver.removeAll(nft, false)).isEqualTo(would);
      assertThat(ForwardDriver.removeAll(nft, false)).isEmpty();
    }
    assertThat(node.run("iptables-nft", "-S")).isEqualTo(before);
  }

  @Test
  void cleanupOfANodeNamesThem() throws KernelException {
    try (Testbed other = Testbed.of(1, VxlanMode.ALWAYS)) {
      TestNode one = other.node(1);
      other.pod(1, "p");
      one.run("iptables-nft", "-P", "FORWARD", "DROP");
      one.repair();
      assertThat(one.dataplane().conditions()).extracting(Condition::toString).hasSize(1);
      one.stop();
      assertThat(Cleanup.node(one.ns(), one.state(), false).done())
          .contains("remove our rules from chain ip filter FORWARD");
      assertThat(one.run("iptables-nft", "-S", "FORWARD").strip()).isEqualTo("-P FORWARD DROP");
    }
  }
}
