package dev.sund.dataplane.foreign;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.dataplane.Cleanup;
import dev.sund.dataplane.testing.TestPod;
import dev.sund.dataplane.testing.Testbed;
import dev.sund.engine.cluster.IpPool;
import dev.sund.kernel.NetNs;
import dev.sund.model.Family;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What kube-proxy's mode ipvs leaves, in a kernel that has IPVS. */
@Tag("guest")
class IpvsGuestTest {
  @Test
  void itsServersAreFoundCountedAndRemovedAndOthersStay() throws Exception {
    Assumptions.assumeTrue(
        Boolean.getBoolean("sund.test.guest"), "IPVS is tested in the guest: run sund test");
    try (Testbed bed = Testbed.of(1, IpPool.VxlanMode.CROSS_SUBNET)) {
      TestPod web = bed.pod(1, "web");
      TestPod client = bed.pod(1, "client");
      NetNs node = bed.node(1).ns();
      Testbed.run(node, "sh", "-ec", rules(web.ip(Family.V4).toString()));

      assertThat(ProxyLeavings.find(node))
          .map(Object::toString)
          .containsExactly(
              "device kube-ipvs0 (mode ipvs)", "3 virtual servers of IPVS (mode ipvs)");
      assertThat(ProxyLeavings.carriedByIpvs(node)).isZero();

      try (ServerSocket server = web.ns().call(() -> new ServerSocket(8080));
          Socket socket =
              client
                  .ns()
                  .call(() -> {
                    Socket made = new Socket();
                    made.setTcpNoDelay(true); // makes the descriptor here
                    return made;
                  })) {
        server.setSoTimeout(30_000);
        socket.connect(new InetSocketAddress(InetAddress.ofLiteral("10.96.0.10"), 80), 30_000);
        try (Socket accepted = server.accept()) {
          assertThat(accepted.isConnected()).isTrue();
          assertThat(ProxyLeavings.carriedByIpvs(node)).isEqualTo(1);
        }
      }
      long end = System.nanoTime() + Duration.ofSeconds(60).toNanos();
      while (ProxyLeavings.carriedByIpvs(node) > 0 && System.nanoTime() < end) {
        LockSupport.parkNanos(100_000_000);
      }
      assertThat(ProxyLeavings.carriedByIpvs(node)).as("drained").isZero();

      List<String> would = ProxyLeavings.remove(node, true).done();
      assertThat(ProxyLeavings.find(node)).as("a dry run").hasSize(2);
      Cleanup.Report report = ProxyLeavings.remove(node, false);
      assertThat(report.failed()).isEmpty();
      assertThat(report.done()).isEqualTo(would);

      assertThat(ProxyLeavings.find(node)).isEmpty();
      assertThat(Testbed.run(node, "ipvsadm", "-Sn"))
          .contains("192.0.2.9:443")
          .doesNotContain("10.96.0.10", "fd00:96", "30080");
    }
  }

  private static String rules(String endpoint) {
    return """
    ip link add kube-ipvs0 type dummy
    ip addr add 10.96.0.10/32 dev kube-ipvs0
    ip addr add fd00:96::a/128 dev kube-ipvs0
    ipvsadm -A -t 10.96.0.10:80 -s rr
    sysctl -qw net.ipv4.vs.conntrack=1
    ipvsadm -a -t 10.96.0.10:80 -r ENDPOINT:8080 -m
    ipvsadm -A -u [fd00:96::a]:53 -s rr
    ipvsadm -A -t 192.168.77.1:30080 -s rr
    ipvsadm -A -t 192.0.2.9:443 -s rr
    """
        .replace("ENDPOINT", endpoint);
  }
}
