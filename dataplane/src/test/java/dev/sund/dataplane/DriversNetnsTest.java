package dev.sund.dataplane;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sund.dataplane.nft.NftDriver;
import dev.sund.dataplane.testing.TestNode;
import dev.sund.dataplane.testing.TestPod;
import dev.sund.dataplane.testing.Testbed;
import dev.sund.engine.cluster.ClusterEvent;
import dev.sund.engine.cluster.IpPool;
import dev.sund.engine.cluster.Node;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.route.RouteEvent;
import dev.sund.kernel.route.RouteMonitor;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.NodeName;
import dev.sund.model.Prefix;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("netns")
class DriversNetnsTest {

  @Test
  void aRestartedAgentWritesNothingThatIsRight() throws KernelException {
    try (Testbed bed = Testbed.of(2, IpPool.VxlanMode.ALWAYS)) {
      TestPod a = bed.pod(1, "a");
      bed.pod(2, "b");
      TestNode node = bed.node(1);
      List<RouteEvent> heard = new ArrayList<>();
      try (RouteMonitor monitor = RouteMonitor.open(node.ns());
          RouteMonitor inPod = RouteMonitor.open(a.ns())) {
        awaitQuiet(monitor, inPod);
        node.start(FailPoint.NONE);
        node.tell(bed.told());
        ApplyReport report = node.settle();
        report = report.plus(node.repair());

        assertThat(report.messages()).isZero();
        monitor.poll(heard::add);
        inPod.poll(heard::add);
        assertThat(heard).filteredOn(event -> !isLearned(event)).isEmpty();
      }
    }
  }

  /**
   * What has just been made is told of once more: when the kernel has found that it is up, and up
   * to two seconds later, when nobody else has its link-local address.
   */
  private static void awaitQuiet(RouteMonitor one, RouteMonitor other) throws KernelException {
    long begun = System.nanoTime();
    long heard = begun;
    boolean quiet = false;
    while (!quiet) {
      long now = System.nanoTime(); // before it listens: what comes in a pause is heard too
      if (one.poll(_ -> {}) | other.poll(_ -> {})) {
        heard = System.nanoTime();
        assertThat(heard - begun).as("nanoseconds until it is quiet").isLessThan(60_000_000_000L);
      } else {
        quiet = now - heard > 3_000_000_000L;
        LockSupport.parkNanos(20_000_000);
      }
    }
  }

  /** Who else is on the link: the kernel's own finding, at any time. */
  private static boolean isLearned(RouteEvent event) {
    return event instanceof RouteEvent.NeighbourChanged(var neighbour) && !neighbour.isPermanent();
  }

  @Test
  void aPodThatGoesFreesBothNamesAndItsAddressAtOnce() {
    try (Testbed bed = Testbed.of(1, IpPool.VxlanMode.ALWAYS)) {
      TestPod pod = bed.pod(1, "a");
      TestNode node = bed.node(1);

      node.detach(pod);
      assertThat(Testbed.run(pod.ns(), "ip", "-br", "link")).doesNotContain("eth0@");
      assertThat(node.run("ip", "-br", "link")).doesNotContain(pod.device());
      assertThat(node.run("ip", "route")).doesNotContain(pod.ip(Family.V4).toString() + " dev");

      bed.attach(pod);
      TestPod other = bed.pod(1, "b");
      assertThat(other.reaches(pod, Family.V4)).isTrue();
      assertThat(other.reaches(pod, Family.V6)).isTrue();
      reap(node);
      assertThat(node.run("ip", "-br", "link")).doesNotContain("sundd");
      assertThat(other.reaches(pod, Family.V4)).isTrue();
    }
  }

  @Test
  void aDeviceThatStandsInThePodIsLeftAlone() {
    try (Testbed bed = Testbed.of(1, IpPool.VxlanMode.ALWAYS)) {
      TestPod pod = bed.newPod(1, "a");
      Testbed.run(pod.ns(), "ip", "link", "add", "eth0", "type", "bridge");

      bed.attach(pod);

      TestNode node = bed.node(1);
      assertThat(node.dataplane().problem(node.program().localPods().get(pod.device())))
          .hasValueSatisfying(condition ->
              assertThat(condition.toString())
                  .isEqualTo(
                      "pod-link "
                          + pod.device()
                          + " ifname: The pod's namespace "
                          + pod.ns().path()
                          + " has a device eth0 already. It is left alone. Delete that network"
                          + " first (CNI DEL), or use another interface name."
                          + " [foreign-object]"));
      assertThat(node.dataplane().settled(node.program().localPods().get(pod.device()))).isFalse();
      assertThat(Testbed.run(pod.ns(), "ip", "-d", "link", "show", "eth0")).contains("bridge");
    }
  }

  @Test
  void aPodWhoseNamespaceVanishedIsSaid() {
    try (Testbed bed = Testbed.of(1, IpPool.VxlanMode.ALWAYS)) {
      TestPod pod = bed.pod(1, "a");
      TestNode node = bed.node(1);
      assertThatThrownBy(() -> Testbed.run(pod.ns(), "false"));
      delete(pod);
      await(() -> !node.run("ip", "-br", "link").contains(pod.device()));

      node.repair();
      assertThat(node.dataplane().conditions())
          .anySatisfy(condition ->
              assertThat(condition.text())
                  .isEqualTo(
                      "The pod's network namespace "
                          + pod.ns().path()
                          + " is gone, and its link with it."));
      assertThat(node.detach(pod).failed()).isEmpty();
      assertThat(node.dataplane().conditions()).isEmpty();
    }
  }

  @Test
  void aPodsNewSandboxGetsTheLink() {
    try (Testbed bed = Testbed.of(1, IpPool.VxlanMode.ALWAYS)) {
      TestPod old = bed.pod(1, "a");
      TestPod other = bed.pod(1, "b");
      TestNode node = bed.node(1);
      var ns = bed.namespace("a2");
      TestPod fresh =
          new TestPod(
              node,
              new dev.sund.engine.cluster.Attachment(
                  "container-a2",
                  "eth0",
                  ns.path().toString(),
                  old.attachment().pod(),
                  old.attachment().uid(),
                  old.attachment().addresses()),
              ns);
      bed.attach(fresh);

      assertThat(other.reaches(fresh, Family.V4)).isTrue();
      assertThat(Testbed.run(old.ns(), "ip", "-br", "link")).doesNotContain("eth0@");
    }
  }

  @Test
  void whatIsBrokenIsMendedAndPacketsPassAgain() {
    try (Testbed bed = Testbed.of(2, IpPool.VxlanMode.ALWAYS)) {
      TestPod a = bed.pod(1, "a");
      TestPod b = bed.pod(2, "b");
      TestNode node = bed.node(1);
      for (String damage :
          List.of(
              "ip route del 10.244.2.0/24",
              "ip route flush proto 83; ip -6 route flush proto 83",
              "bridge fdb flush dev sund-vxlan4; bridge fdb flush dev sund-vxlan6",
              "ip neigh flush dev sund-vxlan4 nud permanent",
              "ip link set sund-vxlan4 address 02:00:00:00:00:09",
              "ip link set sund-vxlan4 down; ip link set sund-vxlan6 down",
              "ip link set sund-vxlan4 down; ip link set sund-vxlan4 up",
              "ip link del sund-vxlan4; ip link del sund-vxlan6",
              "ip link set " + a.device() + " down",
              "ip link set " + a.device() + " down; ip link set " + a.device() + " up",
              "ip link del " + a.device(),
              "nft flush ruleset")) {
        node.run("sh", "-c", damage);
        ApplyReport report = node.repair();

        assertThat(report.failed()).as(damage).isEmpty();
        for (Family family : Family.values()) {
          assertThat(a.reaches(b, family)).as(damage + " " + family).isTrue();
        }
        assertThat(node.repair().messages()).as("nothing more after " + damage).isZero();
        assertThat(verify(node)).as(damage).isEmpty();
      }
    }
  }

  @Test
  void anUplinkThatFlapsGetsItsRoutesBack() {
    try (Testbed bed = Testbed.of(2, IpPool.VxlanMode.NEVER)) {
      TestPod a = bed.pod(1, "a");
      TestPod b = bed.pod(2, "b");
      TestNode node = bed.node(1);
      node.run("ip", "link", "set", "eth0", "down");
      node.repair();
      node.run("ip", "link", "set", "eth0", "up");
      node.run("ip", "addr", "add", "2001:db8:77::1/64", "dev", "eth0", "nodad");
      node.facts();
      node.repair();

      assertThat(a.reaches(b, Family.V4)).isTrue();
      assertThat(a.reaches(b, Family.V6)).isTrue();
      assertThat(verify(node)).isEmpty();
    }
  }

  @Test
  void aNodesNewAddressReachesAllNodes() {
    try (Testbed bed = Testbed.of(2, IpPool.VxlanMode.ALWAYS)) {
      TestPod a = bed.pod(1, "a");
      TestPod b = bed.pod(2, "b");
      bed.node(2).run("ip", "addr", "del", "192.168.77.2/24", "dev", "eth0");
      bed.node(2).run("ip", "addr", "add", "192.168.77.22/24", "dev", "eth0");
      bed.node(2).facts();
      bed.tell(
          new ClusterEvent.NodeSeen(
              new Node(
                  new NodeName("n2"),
                  "node-uid-2",
                  2,
                  List.of(Ip.parse("192.168.77.22"), Ip.parse("2001:db8:77::2")),
                  List.of(Prefix.parse("10.244.2.0/24"), Prefix.parse("fd00:244:2::/64")))));
      bed.nodes().forEach(TestNode::repair);

      assertThat(a.reaches(b, Family.V4)).isTrue();
      assertThat(b.reaches(a, Family.V4)).isTrue();
      bed.nodes().forEach(node -> assertThat(verify(node)).isEmpty());
      assertThat(bed.node(1).run("ip", "neigh", "show", "dev", "sund-vxlan4"))
          .contains("192.168.77.22")
          .doesNotContain("192.168.77.2 ");
    }
  }

  @Test
  void anUnderlaysNewMtuReachesRunningPods() {
    try (Testbed bed = Testbed.of(2, IpPool.VxlanMode.ALWAYS)) {
      TestPod a = bed.pod(1, "a");
      TestNode node = bed.node(1);
      node.run("ip", "link", "set", "eth0", "mtu", "1400");
      node.facts();
      node.settle();

      assertThat(Testbed.run(a.ns(), "ip", "route")).contains("mtu 1350");
      assertThat(Testbed.run(a.ns(), "ip", "-6", "route")).contains("mtu 1330");
      assertThat(node.repair().messages()).isZero();
      assertThat(verify(node)).isEmpty();

      node.run("ip", "link", "set", "eth0", "mtu", "1500");
      node.facts();
      node.settle();
      assertThat(Testbed.run(a.ns(), "ip", "route")).contains("mtu 1450");
      assertThat(node.repair().messages()).isZero();
      assertThat(verify(node)).isEmpty();
    }
  }

  @Test
  void aForeignTunnelOfOurNumberIsNamedAndLeftAlone() {
    try (Testbed bed = Testbed.of(0, IpPool.VxlanMode.ALWAYS)) {
      TestNode node = bed.addNode();
      node.run(
          "sh",
          "-ec",
          "ip link add flannel.1 type vxlan id 4096 dstport 4789 local 192.168.77.1 dev eth0");
      bed.start(node);

      assertThat(node.dataplane().conditions())
          .extracting(Object::toString)
          .contains(
              "tunnel sund-vxlan4 vni: The device flannel.1, which Sund did not make, has VNI 4096"
                  + " and port 4789 already. It is left alone, and nodes behind the tunnel cannot"
                  + " be reached. Remove it (ip link delete flannel.1), or give Sund another VNI or"
                  + " port. [foreign-object]");
      node.run("ip", "link", "delete", "flannel.1");
      node.repair();
      assertThat(verify(node)).isEmpty();
    }
  }

  @Test
  void nothingIsSweptBeforeTheFirstFullList() throws KernelException {
    try (Testbed bed = Testbed.of(2, IpPool.VxlanMode.ALWAYS)) {
      bed.pod(1, "a");
      TestNode node = bed.node(1);
      node.start(FailPoint.NONE); // knows its pods only

      assertThat(node.settle().done())
          .extracting(Object::toString)
          .noneMatch(line -> line.startsWith("remove"));
      assertThat(node.run("ip", "route")).contains("10.244.2.0/24");
      node.tell(bed.told());
      node.settle();
      assertThat(verify(node)).isEmpty();
    }
  }

  /** Each driver dies between any two of its messages; a restart makes all right. */
  @Test
  void deathBetweenMessagesIsHealedByARestart() {
    for (String driver : List.of("tunnels", "pods", "routes", NftDriver.NAME)) {
      for (int after = 0; after < 14; after += driver.equals(NftDriver.NAME) ? 20 : 1) {
        try (Testbed bed = Testbed.of(1, IpPool.VxlanMode.ALWAYS)) {
          TestNode node = bed.node(1);
          bed.pod(1, "a");
          TestPod b = bed.newPod(1, "b");
          FailPoint point =
              FailPoint.parse(
                  driver + ":" + after,
                  () -> {
                    throw new Died();
                  });
          node.start(point);
          boolean died = false;
          try {
            node.tell(bed.told());
            node.tell(List.of(second()));
            node.settle();
            bed.attach(b);
          } catch (Died _) {
            died = true;
          }
          node.start(FailPoint.NONE);
          node.tell(bed.told());
          node.tell(List.of(second()));
          if (died) {
            node.repair();
          }
          bed.attach(b);
          node.settle();

          assertThat(verify(node)).as(driver + " after " + after).isEmpty();
          if (!died) {
            break;
          }
        }
      }
    }
  }

  private static ClusterEvent second() {
    return new ClusterEvent.NodeSeen(
        new Node(
            new NodeName("n2"),
            "node-uid-2",
            2,
            List.of(Ip.parse("192.168.77.2"), Ip.parse("2001:db8:77::2")),
            List.of(Prefix.parse("10.244.2.0/24"), Prefix.parse("fd00:244:2::/64"))));
  }

  private static final class Died extends RuntimeException {
    private static final long serialVersionUID = 1L;
  }

  private static List<dev.sund.model.Condition> verify(TestNode node) {
    try {
      return Verify.node(node.ns(), node.program()).drift();
    } catch (KernelException e) {
      throw new AssertionError(e);
    }
  }

  private static void reap(TestNode node) {
    try (Reaper reaper = new Reaper(SocketRoutes.open(node.ns()))) {
      assertThat(reaper.reap()).isTrue();
      assertThat(reaper.reap()).isFalse();
    } catch (KernelException e) {
      throw new AssertionError(e);
    }
  }

  private static void delete(TestPod pod) {
    try {
      pod.ns().delete();
    } catch (KernelException e) {
      throw new AssertionError(e);
    }
  }

  private static void await(java.util.function.BooleanSupplier condition) {
    for (int i = 0; i < 1500 && !condition.getAsBoolean(); i++) {
      try {
        Thread.sleep(20);
      } catch (InterruptedException e) {
        throw new AssertionError(e);
      }
    }
    assertThat(condition.getAsBoolean()).isTrue();
  }
}
