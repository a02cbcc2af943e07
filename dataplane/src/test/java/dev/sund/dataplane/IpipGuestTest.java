package dev.sund.dataplane;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.dataplane.testing.TestNode;
import dev.sund.dataplane.testing.TestPod;
import dev.sund.dataplane.testing.Testbed;
import dev.sund.engine.cluster.ClusterEvent;
import dev.sund.engine.cluster.IpPool;
import dev.sund.engine.cluster.IpPool.IpipMode;
import dev.sund.engine.cluster.IpPool.VxlanMode;
import dev.sund.kernel.KernelException;
import dev.sund.model.Condition;
import dev.sund.model.Family;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** IPIP in a real kernel that has it. */
@Tag("guest")
class IpipGuestTest {
  private static Testbed bed;
  private static TestPod a;
  private static TestPod b;

  @BeforeAll
  static void build() {
    Assumptions.assumeTrue(
        Boolean.getBoolean("sund.test.guest"), "IPIP is tested in the guest: run sund test");
    bed = Testbed.of(2, Testbed.ipip(IpipMode.ALWAYS));
    a = bed.pod(1, "a");
    b = bed.pod(2, "b");
  }

  @AfterAll
  static void remove() {
    if (bed != null) {
      bed.close();
    }
  }

  @Test
  void podsReachEachOtherInsideOfIpip() {
    for (TestNode node : bed.nodes()) {
      assertThat(node.dataplane().conditions()).isEmpty();
    }
    assertThat(a.reaches(b, Family.V4)).isTrue();
    assertThat(b.reaches(a, Family.V4, 4000)).as("in fragments").isTrue();
    String device = bed.node(1).run("ip", "-d", "-s", "link", "show", "sund-ipip4");
    assertThat(device)
        .contains("mtu 1480", "ipip", "remote any", "local 192.168.77.1", "ttl inherit")
        .contains("nopmtudisc", "alias sund Node:n1:");
    assertThat(device.replaceAll("(?s).*TX:[^\\n]*\\n *[0-9]+ +([0-9]+).*", "$1").strip())
        .as("packets sent")
        .isNotEqualTo("0");
    assertThat(bed.node(1).run("ip", "link", "show", "tunl0")).contains("state DOWN");
  }

  @Test
  void whatIsInForceIsTheProgram() throws KernelException {
    for (TestNode node : bed.nodes()) {
      VerifyReport report = Verify.node(node.ns(), node.program());
      assertThat(report.drift()).isEmpty();
      assertThat(Lift.node(node.ns(), node.program())).isEqualTo(node.program());
    }
  }

  @Test
  void everyColumnThatDriftsIsNamedAndRepaired() throws KernelException {
    String t = "tunnel sund-ipip4 ";
    check("ip link set sund-ipip4 mtu 1400", "drift-changed " + t + "mtu");
    check("ip link set sund-ipip4 alias 'sund other'", "drift-changed " + t + "alias");
    check("ip tunnel change sund-ipip4 pmtudisc", "drift-changed " + t + "pmtudisc");
    check(
        "ip tunnel change sund-ipip4 pmtudisc ttl 7",
        "drift-changed " + t + "pmtudisc",
        "drift-changed " + t + "ttl");
    check("ip tunnel change sund-ipip4 local 192.168.77.9", "drift-changed " + t + "local");
    check("ip addr del 10.244.1.0/32 dev sund-ipip4", "drift-changed " + t + "addresses");
    check("ip link delete sund-ipip4", "drift-missing tunnel sund-ipip4");
    assertThat(a.reaches(b, Family.V4)).isTrue();
  }

  private static void check(String change, String... expected) throws KernelException {
    TestNode node = bed.node(1);
    node.run("sh", "-ec", change);
    List<String> found =
        Verify.node(node.ns(), node.program()).drift().stream()
            .filter(condition -> condition.object().kind().equals("tunnel"))
            .map(IpipGuestTest::text)
            .toList();
    assertThat(found).as(change).containsExactlyInAnyOrder(expected);
    node.repair();
    assertThat(Verify.node(node.ns(), node.program()).drift()).as(change).isEmpty();
  }

  private static String text(Condition condition) {
    return (condition.reason().code() + " " + condition.object() + " " + condition.field()).strip();
  }

  @Test
  void aPoolsModeChangesLiveAndConnectionsStay() throws Exception {
    try (ServerSocket server = b.ns().call(() -> new ServerSocket(7777, 1, address(b)));
        Socket client = a.ns().call(() -> new Socket(address(b), 7777))) {
      try (Socket accepted = server.accept()) {
        client.setSoTimeout(10_000);
        for (IpPool pool :
            List.of(
                Testbed.pool("v4", "10.244.0.0/16", VxlanMode.ALWAYS),
                Testbed.ipip(IpipMode.CROSS_SUBNET),
                Testbed.pool("v4", "10.244.0.0/16", VxlanMode.NEVER),
                Testbed.ipip(IpipMode.ALWAYS))) {
          bed.tell(new ClusterEvent.PoolSeen(pool));
          exchange(client, accepted, pool.toString());
          for (TestNode node : bed.nodes()) {
            assertThat(Verify.node(node.ns(), node.program()).drift()).isEmpty();
          }
        }
      }
    }
  }

  private static void exchange(Socket client, Socket accepted, String how) throws IOException {
    byte[] sent = new byte[20_000];
    for (int i = 0; i < sent.length; i++) {
      sent[i] = (byte) i;
    }
    accepted.getOutputStream().write(sent);
    assertThat(client.getInputStream().readNBytes(sent.length)).as(how).isEqualTo(sent);
  }

  private static InetAddress address(TestPod pod) throws IOException {
    return InetAddress.getByAddress(pod.ip(Family.V4).toBytes());
  }

  @Test
  void cleanupRemovesTheDeviceAndNotTheKernelsOwn() throws KernelException {
    try (Testbed other = Testbed.of(1, Testbed.ipip(IpipMode.ALWAYS))) {
      TestNode node = other.node(1);
      assertThat(node.run("ip", "link")).contains("sund-ipip4", "tunl0");
      node.stop();
      assertThat(Cleanup.node(node.ns(), node.state(), false).done())
          .contains("remove tunnel sund-ipip4");
      assertThat(node.run("ip", "link")).doesNotContain("sund-ipip4").contains("tunl0");
    }
  }

  @Test
  void aForeignDeviceInOurPlaceIsNamedAndLeftAlone() {
    try (Testbed other = Testbed.of(0, Testbed.ipip(IpipMode.ALWAYS))) {
      TestNode node = other.addNode();
      node.run("sh", "-c", "ip link add eve type ipip local 192.168.77.1 remote any dev eth0");
      other.start(node);
      assertThat(node.dataplane().conditions())
          .extracting(Condition::toString)
          .anyMatch(text ->
              text.contains("The device eve, which Sund did not make, takes IPIP packets at"));
      assertThat(node.run("ip", "link", "show", "eve")).contains("ipip");
    }
  }
}
