package dev.sund.dataplane;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.dataplane.testing.TestNode;
import dev.sund.dataplane.testing.TestPod;
import dev.sund.dataplane.testing.Testbed;
import dev.sund.engine.cluster.IpPool;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.NetNs;
import dev.sund.model.Family;
import dev.sund.model.Marks;
import java.io.IOException;
import java.nio.file.Files;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("netns")
class CleanupNetnsTest {
  private static final String FOREIGN =
      "ip link add br9 type bridge; echo 1 > /proc/sys/net/ipv6/conf/br9/addr_gen_mode;"
          + " ip link set br9 up; ip addr add 10.9.0.1/24 dev br9;"
          + " ip link add sundry type veth peer name sundry2;"
          + " ip link add vx9 type vxlan id 9 dstport 4789 local 192.168.77.1 nolearning;"
          + " bridge fdb add 02:00:00:00:00:07 dev vx9 dst 192.168.77.7 self permanent;"
          + " ip neigh add 10.9.0.7 lladdr 02:00:00:00:00:07 dev br9 nud permanent;"
          + " ip route add 10.88.0.0/16 via 10.9.0.7 proto static;"
          + " ip -6 route add unreachable fd88::/32 proto 84;"
          + " nft add table inet other; nft add table ip sund;"
          + " nft add table ip sund-probe;"
          + " echo 1 > /proc/sys/net/ipv4/conf/eth0/rp_filter;"
          + " echo 1 > /proc/sys/net/ipv4/conf/default/rp_filter";

  /** As a kernel leaves it that lets no table go with its owner, when a live trace is killed. */
  private static final String LEFT_BY_A_PROBE =
      "nft add table inet " + Marks.PROBE_TABLE + " '{ comment \"" + Marks.TABLE_COMMENT + "\"; }'";

  @Test
  void cleanupRemovesAllOfOursAndLeavesTheRestAsItWas() throws KernelException, IOException {
    try (Testbed bed = Testbed.of(0, IpPool.VxlanMode.ALWAYS)) {
      TestNode node = bed.addNode();
      node.run("sh", "-ec", FOREIGN);
      String before = snapshot(node);

      bed.start(node);
      TestPod a = bed.pod(1, "a");
      TestPod b = bed.pod(1, "b");
      TestPod c = bed.pod(1, "c");
      assertThat(a.reaches(b, Family.V6)).isTrue();
      node.detach(c); // leaves a doomed link
      assertThat(snapshot(node)).isNotEqualTo(before);
      assertThat(setting(node.ns(), "net/ipv4/conf/eth0/rp_filter")).isEqualTo("2");
      node.stop();
      node.run("sh", "-ec", LEFT_BY_A_PROBE);

      Cleanup.Report dry = Cleanup.node(node.ns(), node.state(), true);
      Cleanup.Report report = Cleanup.node(node.ns(), node.state(), false);

      assertThat(report.failed()).isEmpty();
      assertThat(report.done()).isEqualTo(dry.done());
      assertThat(report.done())
          .contains("remove tunnel sund-vxlan4", "remove table inet sund")
          .contains("remove table inet sund-probe")
          .contains("set net/ipv4/ip_forward = 0", "set net/ipv4/conf/eth0/rp_filter = 1");
      assertThat(snapshot(node)).isEqualTo(before);
      assertThat(Cleanup.node(node.ns(), node.state(), false).done()).isEmpty();
      try (var files = Files.list(node.state())) {
        assertThat(files.toList()).isEmpty();
      }
    }
  }

  @Test
  void aSettingThatSomeoneChangedSinceStays() throws KernelException {
    try (Testbed bed = Testbed.of(1, IpPool.VxlanMode.ALWAYS)) {
      TestNode node = bed.node(1);
      node.run("sh", "-c", "echo 1 > /proc/sys/net/ipv4/conf/eth0/rp_filter");
      node.repair();
      node.run("sh", "-c", "echo 0 > /proc/sys/net/ipv4/conf/eth0/rp_filter");
      node.stop();

      assertThat(Cleanup.node(node.ns(), node.state(), false).done())
          .noneMatch(line -> line.contains("rp_filter"));
      assertThat(setting(node.ns(), "net/ipv4/conf/eth0/rp_filter")).isEqualTo("0");
    }
  }

  @Test
  void aNodeThatLivesByRoutersAdviceKeepsTakingIt() throws KernelException {
    try (Testbed bed = Testbed.of(1, IpPool.VxlanMode.ALWAYS)) {
      TestNode node = bed.node(1);
      assertThat(setting(node.ns(), "net/ipv6/conf/all/forwarding")).isEqualTo("1");
      assertThat(setting(node.ns(), "net/ipv6/conf/eth0/accept_ra")).isEqualTo("2");
      node.stop();
      Cleanup.node(node.ns(), node.state(), false);
      assertThat(setting(node.ns(), "net/ipv6/conf/eth0/accept_ra")).isEqualTo("1");
      assertThat(setting(node.ns(), "net/ipv6/conf/all/forwarding")).isEqualTo("0");
    }
  }

  private static String snapshot(TestNode node) {
    String commands =
        "ip -d -s link | grep -v -E '^ +[0-9]|[RT]X:|port_id|bridge_id|timer'; ip addr; ip route"
            + " show table all; ip -6 route show table all; ip rule; ip neigh show nud permanent;"
            + " bridge fdb; nft list ruleset";
    return node.run("sh", "-ec", commands)
            .lines()
            .map(line -> line.replaceAll("valid_lft.*|gc_timer.*|expires.*", "").stripTrailing())
            .collect(Collectors.joining("\n"))
        + node.run(
            "bash",
            "-c",
            "grep -H . /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv4/conf/*/{forwarding,rp_filter}"
                + " /proc/sys/net/ipv6/conf/*/{forwarding,accept_ra,disable_ipv6} | sort");
  }

  private static String setting(NetNs ns, String key) throws KernelException {
    return new dev.sund.kernel.Sysctl(key).read(ns).orElse("none");
  }
}
