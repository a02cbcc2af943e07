package dev.sund.dataplane.xtables;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.dataplane.Cleanup;
import dev.sund.dataplane.Verify;
import dev.sund.dataplane.testing.TestNode;
import dev.sund.dataplane.testing.TestPod;
import dev.sund.dataplane.testing.Testbed;
import dev.sund.engine.cluster.IpPool.VxlanMode;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.NetNs;
import dev.sund.kernel.xtables.FilterSocket;
import dev.sund.kernel.xtables.FilterTable;
import dev.sund.kernel.xtables.FilterTable.Accept;
import dev.sund.model.Condition;
import dev.sund.model.Family;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Rules of iptables-legacy that drop what is forwarded, in the shapes that Docker and ufw make. */
@Tag("netns")
class LegacyForwardNetnsTest {
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
    for (String iptables : List.of("iptables-legacy", "ip6tables-legacy")) {
      sh("%1$s -w 5 -P FORWARD ACCEPT; %1$s -w 5 -F; %1$s -w 5 -X".formatted(iptables));
    }
    node.repair();
    assertThat(node.dataplane().conditions()).isEmpty();
  }

  private static void sh(String commands) {
    node.run("sh", "-ec", commands);
  }

  /** Without when it was saved, and what the node itself sent and received meanwhile. */
  private static String save(NetNs ns, String iptables) {
    return String.join(
        "\n",
        Testbed.run(ns, iptables + "-save", "-c")
            .lines()
            .filter(line -> !line.startsWith("#"))
            .map(line -> line.matches(":(IN|OUT)PUT .*") ? line.replaceAll(" \\[.*", "") : line)
            .toList());
  }

  @ParameterizedTest
  @CsvSource({"iptables-legacy, V4", "ip6tables-legacy, V6"})
  void aPolicyThatDropsIsOvercomeInItsOwnChain(String iptables, Family family)
      throws KernelException {
    sh(iptables + " -P FORWARD DROP; " + iptables + " -A FORWARD -i docker0 -j DROP");
    assertThat(a.isCutOffFrom(b, family)).as("dropped").isTrue();
    assertThat(Verify.node(node.ns(), node.program()).drift())
        .extracting(Condition::toString)
        .singleElement()
        .asString()
        .contains("chain " + iptables + " filter FORWARD", "missing", "[drift-missing]");

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
        .extracting(Condition::toString)
        .containsExactly(
            "chain "
                + iptables
                + " filter FORWARD policy: It drops what is forwarded; Sund accepts pods' packets"
                + " in it. Nothing needs to be done. [forward-dropped]");
    assertThat(node.repair().done()).as("what is right is not touched").isEmpty();
    assertThat(Verify.node(node.ns(), node.program()).drift()).isEmpty();
  }

  @Test
  void whereDockerLeavesAChainToOthersTheRulesStandInThat() {
    sh(
        """
        i=iptables-legacy
        for c in DOCKER DOCKER-ISOLATION-STAGE-1 DOCKER-ISOLATION-STAGE-2 DOCKER-USER; do
          $i -N $c
        done
        $i -P FORWARD DROP
        $i -A FORWARD -j DOCKER-USER
        $i -A FORWARD -j DOCKER-ISOLATION-STAGE-1
        $i -A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
        $i -A FORWARD -o docker0 -j DOCKER
        $i -A FORWARD -i docker0 ! -o docker0 -j ACCEPT
        $i -A DOCKER-ISOLATION-STAGE-1 -i docker0 ! -o docker0 -j DOCKER-ISOLATION-STAGE-2
        $i -A DOCKER-ISOLATION-STAGE-1 -j RETURN
        $i -A DOCKER-ISOLATION-STAGE-2 -o docker0 -j DROP
        $i -A DOCKER-ISOLATION-STAGE-2 -j RETURN
        $i -A DOCKER-USER -j RETURN\
        """);
    assertThat(a.isCutOffFrom(b, Family.V4)).isTrue();
    String docker = node.run("iptables-legacy", "-S");
    node.repair();
    assertThat(a.reaches(b, Family.V4)).isTrue();
    assertThat(node.run("iptables-legacy", "-S").lines().toList())
        .containsSubsequence(
            "-A DOCKER-USER -i sund+ " + COMMENT + " -j ACCEPT",
            "-A DOCKER-USER -o sund+ " + COMMENT + " -j ACCEPT",
            "-A DOCKER-USER -j RETURN");
    assertThat(node.run("iptables-legacy", "-S", "FORWARD")).doesNotContain("sund");
    assertThat(
            String.join(
                "\n",
                node.run("iptables-legacy", "-S")
                    .lines()
                    .filter(l -> !l.contains("sund"))
                    .toList()))
        .as("all else is as it was, and leads where it led")
        .isEqualTo(docker.strip());
  }

  @Test
  void whatUfwLoadsAnewIsPutRightAgainAndWhereNothingDropsOurRulesGo() {
    sh(
        """
        i=iptables-legacy
        $i -N ufw-before-forward; $i -N ufw-reject-forward
        $i -A FORWARD -j ufw-before-forward; $i -A FORWARD -j ufw-reject-forward
        $i -A ufw-before-forward -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
        $i -P FORWARD DROP\
        """);
    node.repair();
    assertThat(a.reaches(b, Family.V4)).isTrue();
    sh("saved=$(iptables-legacy-save | sed /sund/d); echo \"$saved\" | iptables-legacy-restore");
    assertThat(a.isCutOffFrom(b, Family.V4)).isTrue();
    node.repair();
    assertThat(a.reaches(b, Family.V4)).isTrue();
    sh("iptables-legacy -D FORWARD 2");
    node.repair();
    assertThat(node.run("iptables-legacy", "-S", "FORWARD").lines().filter(l -> l.contains("sund")))
        .as("half of it is no more than nothing")
        .hasSize(2);
    sh("iptables-legacy -P FORWARD ACCEPT");
    node.repair();
    assertThat(node.run("iptables-legacy", "-S")).doesNotContain("sund");
  }

  @Test
  void aNodeWhereNobodyUsesThatProgramGetsNoTable() throws KernelException {
    try (Testbed other = Testbed.of(1, VxlanMode.ALWAYS)) {
      TestNode one = other.node(1);
      other.pod(1, "p");
      one.repair();
      for (Family family : Family.values()) {
        try (FilterSocket socket = FilterSocket.open(one.ns(), family)) {
          assertThat(socket.exists()).isFalse();
          assertThat(socket.change(now -> Optional.of(now))).isFalse();
          assertThat(socket.read()).isEmpty();
        }
      }
      assertThat(Cleanup.node(one.ns(), one.state(), true).done())
          .noneMatch(line -> line.contains("legacy"));
      one.run("iptables-legacy", "-P", "FORWARD", "DROP");
      one.repair();
      String made = save(one.ns(), "iptables-legacy");
      assertThat(made).contains("sund+");
      one.stop();
      assertThat(Cleanup.node(one.ns(), one.state(), true).done())
          .contains("remove our rules from iptables-legacy filter");
      assertThat(save(one.ns(), "iptables-legacy")).as("a dry run").isEqualTo(made);
      Cleanup.node(one.ns(), one.state(), false);
      assertThat(one.run("iptables-legacy", "-S", "FORWARD").strip()).isEqualTo("-P FORWARD DROP");
    }
  }

  /** Jumps, returns, gotos, fall-through, counters: all of a table that is not ours stays. */
  @ParameterizedTest
  @CsvSource({"iptables-legacy, V4", "ip6tables-legacy, V6"})
  void aTableComesBackToTheByteWhenOurRulesGo(String iptables, Family family)
      throws KernelException {
    sh(
        """
        i=%s
        for c in a b c; do $i -N $c; done
        $i -A INPUT -i lo -j a
        $i -A INPUT -i lo -m comment --comment "not ours"
        $i -A FORWARD -p tcp --dport 80 -g b
        $i -A FORWARD -j c
        $i -A a -j b
        $i -A a -j RETURN
        $i -A b -p udp -m multiport --dports 1,2,3 -j DROP
        $i -A c -m comment --comment "falls through"
        $i -A c -j b
        $i -A OUTPUT -o lo -j c
        $i -P FORWARD DROP\
        """
            .formatted(iptables));
    assertThat(a.isCutOffFrom(b, family)).isTrue(); // something to count
    String before = save(node.ns(), iptables);
    assertThat(before).contains("-A c -j b").doesNotContain("[0:0] -A c -j b");
    List<Accept> rules = List.of(new Accept(true, "x", "mine"), new Accept(false, "yy", "mine"));
    try (FilterSocket socket = FilterSocket.open(node.ns(), family)) {
      for (Optional<String> chain :
          List.of(Optional.<String>empty(), Optional.of("a"), Optional.of("b"), Optional.of("c"))) {
        assertThat(socket.change(now -> Optional.of(now.with(chain, rules)))).isTrue();
        FilterTable with = socket.read().orElseThrow();
        assertThat(with.begins(chain, rules)).isTrue();
        assertThat(with.count("mine")).isEqualTo(2);
        assertThat(
                save(node.ns(), iptables).lines().filter(line -> !line.contains("mine")).toList())
            .as("with rules in %s", chain)
            .isEqualTo(before.lines().toList());
        socket.change(now -> Optional.of(now.without("mine")));
        assertThat(save(node.ns(), iptables)).isEqualTo(before);
      }
    }
  }
}
